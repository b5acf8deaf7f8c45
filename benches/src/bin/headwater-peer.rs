//! The workloads that other libraries are measured with, on Headwater: `headwater-peer w1 --threads 2`.
//!
//! It takes the options and prints the line of JSON that a harness of several libraries expects of each of them.

use std::io;
use std::process::ExitCode;

use headwater_benches::{Account, Headwater, Keeping, PlainAccount, Replayed};
use headwater_workload::{Options, Workload, decide, rebuild, runtime};

fn main() -> ExitCode {
    let options = Options::of(&Options::command("headwater-peer", "headwater").get_matches());
    let ran = runtime(&options).and_then(|runtime| runtime.block_on(run(&options)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "this is a command line")]
fn fail(error: &io::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

async fn run(options: &Options) -> io::Result<()> {
    let keeping = match (options.peer.as_str(), options.workload) {
        // Of many streams a cache of one holds the wrong one; of one stream it would hold the right one.
        ("headwater-uncached", Workload::W1 | Workload::W3) => Keeping::States(1),
        ("headwater-uncached", Workload::W2) => Keeping::Nothing,
        ("headwater" | "headwater-step", _) => Keeping::States(options.cache),
        (other, _) => {
            let known = "headwater, headwater-uncached, headwater-step";
            return Err(io::Error::other(format!("nothing is called {other}: {known}")));
        }
    };
    match (options.workload, options.snapshots.as_str()) {
        (Workload::W3, _) if options.peer == "headwater-step" => {
            rebuild(options, Replayed::ByStep(Headwater::new(keeping))).await
        }
        (Workload::W3, _) => rebuild(options, Replayed::ByBackfill(Headwater::new(keeping))).await,
        (Workload::W2, "none") => decide(options, Headwater::<PlainAccount>::new(keeping)).await,
        _ => decide(options, Headwater::<Account>::new(keeping)).await,
    }
}
