//! The bank's binary: `bank dev`, `bank convert`, `bank import`.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    bank::app().run().await
}
