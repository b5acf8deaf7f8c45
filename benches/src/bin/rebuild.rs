//! How fast a read model is built anew: a million events in ten thousand streams, out of Parquet and out of the ledger.
//!
//! ```sh
//! cargo run --release -p headwater-benches --bin rebuild
//! ```
//!
//! Look-alikes of DynamoDB and S3 run in a process of their own, and each measurement in another one, so that the memory
//! it shows is that of the rebuild alone.

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "this is a command line")]
fn main() -> ExitCode {
    match headwater_benches::rebuild::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
