//! Prints where the `protoc` is that came from the registry, for a package whose build asks for `PROTOC`.

fn main() -> Result<(), protoc_bin_vendored::Error> {
    println!("{}", protoc_bin_vendored::protoc_bin_path()?.display());
    Ok(())
}
