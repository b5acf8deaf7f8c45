//! What is measured of Headwater alone: `headwater-figures units`, `headwater-figures growth`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match headwater_benches::figures::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

#[expect(clippy::print_stderr, reason = "this is a command line")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        eprintln!("  because: {error}");
        source = error.source();
    }
    ExitCode::FAILURE
}
