//! The workloads that other libraries are measured with, on Headwater: `headwater-peer w1 --threads 2`.
//!
//! It takes the options and prints the line of JSON that a harness of several libraries expects of each of them.

use std::process::ExitCode;

use headwater_benches::peer::{Options, run};

#[expect(clippy::print_stderr, reason = "this is a command line")]
fn main() -> ExitCode {
    match run(&Options::of(&Options::command().get_matches())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
