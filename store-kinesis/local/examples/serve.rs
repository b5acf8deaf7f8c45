//! Serves a directory until it is killed: `cargo run -p headwater-local --example serve -- DIRECTORY`.
//!
//! Whatever speaks the API of AWS can be pointed at the addresses it prints.

use std::io::Write;

use headwater_local::{Local, LocalError, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), LocalError> {
    let options = std::env::args_os().nth(1).map_or_else(Options::default, Options::durable);
    let local = Local::start(options).await?;
    let mut addresses = std::io::stdout().lock();
    for (service, url) in
        [("dynamodb", local.dynamodb_url()), ("kinesis", local.kinesis_url()), ("s3", local.s3_url())]
    {
        // Nobody reads the addresses when standard output is closed, and the services run all the same.
        let _ = writeln!(addresses, "{service} {url}");
    }
    drop(addresses);
    std::future::pending().await
}
