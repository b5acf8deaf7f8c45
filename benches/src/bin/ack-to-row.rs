//! The latency of a running bank, one command at a time: until it is acknowledged, and until its row shows it.
//!
//! ```sh
//! cargo run --release -p bank -- dev
//! cargo run --release -p headwater-benches --bin ack-to-row -- --server http://127.0.0.1:8080
//! ```

#![expect(clippy::print_stdout, reason = "this is the command line")]

use std::error::Error;
use std::time::{Duration, Instant};

use clap::{Arg, Command, value_parser};
use headwater_benches::teller::Teller;

/// How long a row may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Command::new("ack-to-row")
        .about("Measures how long a command takes to be acknowledged, and then to be visible in a read model")
        .arg(
            Arg::new("server")
                .long("server")
                .default_value("http://127.0.0.1:8080")
                .help("The address of a bank"),
        )
        .arg(
            Arg::new("deposits")
                .long("deposits")
                .default_value("400")
                .value_parser(value_parser!(u32).range(1..))
                .help("How many deposits are made, one after the other"),
        )
        .get_matches();
    let server: &String = arguments.get_one("server").expect("it has a default");
    let deposits: u32 = *arguments.get_one("deposits").expect("it has a default");
    let teller = Teller::new(server);
    let account = format!("latency-{}", std::process::id());
    teller.open(&account).await?;
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    for deposit in 1..=u64::from(deposits) {
        let begun = Instant::now();
        teller.deposit(&account).await?;
        acknowledged.push(begun.elapsed());
        let answered = Instant::now();
        while teller.shown(&account).await? != Some(deposit) {
            if answered.elapsed() > PATIENCE {
                return Err(format!("the row did not show the deposit within {PATIENCE:?}").into());
            }
        }
        visible.push(answered.elapsed());
    }
    for (what, times) in
        [("acknowledged after", &mut acknowledged), ("visible after the answer", &mut visible)]
    {
        times.sort_unstable();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
        println!(
            "{what}: p50 {:?}, p99 {:?}",
            at(50).copied().unwrap_or_default(),
            at(99).copied().unwrap_or_default()
        );
    }
    Ok(())
}
