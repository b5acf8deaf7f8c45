//! The program of all libraries in memory: `headwater-peers w1 --peer eventually --threads 2`.

use std::io;
use std::process::ExitCode;

use headwater_peers::{by_cqrs_es, by_eventually, by_hand};
use headwater_workload::{Options, Workload, decide, rebuild, runtime};

fn main() -> ExitCode {
    let options = Options::of(&Options::command("headwater-peers", "raw-typed").get_matches());
    let ran = runtime(&options).and_then(|runtime| runtime.block_on(run(&options)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> io::Result<()> {
    let rebuilds = options.workload == Workload::W3;
    match options.peer.as_str() {
        "raw-typed" if rebuilds => rebuild(options, by_hand::Typed::default()).await,
        "raw-typed" => decide(options, by_hand::Typed::default()).await,
        "raw-json" if rebuilds => rebuild(options, by_hand::Json::default()).await,
        "raw-json" => decide(options, by_hand::Json::default()).await,
        "eventually" if rebuilds => rebuild(options, by_eventually::Eventually::default()).await,
        "eventually" => decide(options, by_eventually::Eventually::default()).await,
        "cqrs-es-mem" => decide(options, by_cqrs_es::in_memory()).await,
        "cqrs-es-repo" if rebuilds => rebuild(options, by_cqrs_es::in_rows("none")?).await,
        "cqrs-es-repo" => decide(options, by_cqrs_es::in_rows(&options.snapshots)?).await,
        other => Err(io::Error::other(format!(
            "no library {other}: raw-typed, raw-json, eventually, cqrs-es-mem, cqrs-es-repo"
        ))),
    }
}
