//! Serves a directory until it is killed: `cargo run -p headwater-local --example serve -- DIRECTORY`.
//!
//! It prints what to paste into a shell: from there the `aws` command line, and whatever else speaks the API of AWS,
//! goes to this process. Without a directory nothing is kept. The word `limits` behind it makes Kinesis keep to the
//! limits of AWS.

use std::io::Write;

use headwater_local::{Local, LocalError, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), LocalError> {
    let mut arguments = std::env::args_os().skip(1);
    let mut options = arguments.next().map_or_else(Options::default, Options::durable);
    options.kinesis_limits = arguments.next().is_some_and(|word| word == "limits");
    let local = Local::start(options).await?;
    // Nobody reads the lines when standard output is closed, and the services run all the same.
    let _ = write!(std::io::stdout(), "{}", local.describe());
    std::future::pending().await
}
