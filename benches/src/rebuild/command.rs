//! The processes of the benchmark: one with the look-alikes, one that fills them and asks, one for each measurement.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use futures::{StreamExt, TryStreamExt};
use headwater::store::Append;
use headwater::{EventStore, Expected};
use headwater_archive::Rotation;
use headwater_local::{Local, Options};
use headwater_projections::group::MemoryLeases;

use super::Error;
use super::history::{Feed, PARTITIONS, Size, event, stream};
use super::measure::{Case, Outcome, measure};
use super::place::Place;

/// Where events are read.
const SOURCES: [&str; 2] = ["archive", "ledger"];
/// Appends under way at once.
const APPENDS: usize = 64;

/// Runs what the command line says.
///
/// # Errors
/// When a process, a look-alike or a rebuild fails.
pub fn run() -> Result<(), Error> {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .default_value(default)
            .value_parser(value_parser!(u32).range(1..))
            .help(help)
    };
    let matches = Command::new("rebuild")
        .about("Measures how fast a read model is built anew, out of Parquet and out of the ledger")
        .args([
            number("streams", "10000", "Streams; a multiple of 4"),
            number("events", "100", "Events of each stream"),
            number(
                "ledger-commit",
                "10",
                "Events of each commit of the ledger; those of the archive have one",
            ),
            number("workers", "2", "Threads that read and fold"),
            number("runs", "3", "How often each case is measured; the median is shown")
                .value_parser(value_parser!(u32).range(1..=3)),
            Arg::new("source")
                .long("source")
                .value_parser(SOURCES)
                .action(ArgAction::Append)
                .help("Only out of this source; else out of both"),
            Arg::new("disk").long("disk").action(ArgAction::SetTrue).help(
                "The look-alikes put every row on disk before they answer; else they keep all in memory",
            ),
        ])
        .subcommand(Command::new("look-alikes").hide(true).arg(Arg::new("directory")))
        .subcommand(
            Command::new("one")
                .hide(true)
                .args([Arg::new("place").required(true), Arg::new("case").required(true)]),
        )
        .get_matches();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match matches.subcommand() {
            Some(("look-alikes", arguments)) => look_alikes(arguments.get_one::<String>("directory")).await,
            Some((_, arguments)) => {
                let place: Place = serde_json::from_str(text(arguments, "place"))?;
                let case: Case = serde_json::from_str(text(arguments, "case"))?;
                say(&serde_json::to_string(&measure(&place, &case).await?)?);
                Ok(())
            }
            None => all(&matches).await,
        }
    })
}

fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments.get_one::<String>(name).map_or("", String::as_str)
}

#[expect(clippy::print_stdout, reason = "this is the command line")]
fn say(line: &str) {
    println!("{line}");
}

/// The look-alikes, until nobody listens any more.
async fn look_alikes(directory: Option<&String>) -> Result<(), Error> {
    let mut options = directory.map_or_else(Options::default, Options::durable);
    options.transition = Duration::ZERO;
    let local = Local::start(options).await?;
    say(&serde_json::to_string(&Place::of(&local))?);
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    local.stop().await;
    Ok(())
}

async fn all(matches: &ArgMatches) -> Result<(), Error> {
    let number = |name: &str| matches.get_one::<u32>(name).copied().unwrap_or(1);
    let streams = number("streams") as usize / PARTITIONS * PARTITIONS;
    let (size, runs) = (Size { streams, events: number("events") }, number("runs"));
    let chosen = matches.get_many::<String>("source").map(|chosen| chosen.cloned().collect());
    let sources: Vec<String> = chosen.unwrap_or_else(|| SOURCES.map(str::to_owned).to_vec());
    say("| source | memory | rows | fold, events/s | with the rows written, events/s | CPU s | peak MiB |");
    say("|---|---|---|---|---|---|---|");
    for source in sources {
        // Each has look-alikes of its own: a read model may have few generations, and each run makes one.
        let directory = std::env::temp_dir().join(format!("headwater-rebuild-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let (mut child, place) = start(matches.get_flag("disk").then_some(&directory))?;
        let measured = async {
            place.make().await?;
            match source.as_str() {
                "archive" => fill_archive(&place, size).await?,
                _ => fill_ledger(&place, size, number("ledger-commit")).await?,
            }
            let of = |memory_bytes, dry| Case {
                source: source.clone(),
                memory_bytes,
                workers: number("workers") as usize,
                dry,
            };
            for case in [of(None, true), of(None, false), of(Some(256 << 20), false)] {
                let mut outcomes = Vec::new();
                for _ in 0..runs {
                    outcomes.push(one(&place, &case)?);
                }
                outcomes.sort_by(|one, other| one.written_seconds.total_cmp(&other.written_seconds));
                if let Some(median) = outcomes.get(outcomes.len() / 2) {
                    line(&case, median);
                }
            }
            Ok::<_, Error>(())
        };
        let measured = measured.await;
        drop(child.stdin.take());
        child.wait()?;
        std::fs::remove_dir_all(&directory)?;
        measured?;
    }
    Ok(())
}

fn line(case: &Case, outcome: &Outcome) {
    let rate = |seconds: f64| format!("{:.0}", outcome.events as f64 / seconds);
    let memory = case.memory_bytes.map_or("unlimited".to_owned(), |bytes| format!("{} MiB", bytes >> 20));
    let written = if case.dry { "not written".to_owned() } else { rate(outcome.written_seconds) };
    say(&format!(
        "| {} | {memory} | {} | {} | {written} | {:.2} | {:.0} |",
        case.source,
        outcome.rows,
        rate(outcome.folded_seconds),
        outcome.processor_seconds,
        outcome.peak_mib
    ));
}

fn this() -> Result<Process, Error> {
    Ok(Process::new(std::env::current_exe()?))
}

fn start(directory: Option<&PathBuf>) -> Result<(Child, Place), Error> {
    let mut process = this()?;
    process.arg("look-alikes").args(directory).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = process.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("it has no output")?).read_line(&mut line)?;
    Ok((child, serde_json::from_str(&line)?))
}

/// A measurement in a process of its own.
fn one(place: &Place, case: &Case) -> Result<Outcome, Error> {
    let (place, case) = (serde_json::to_string(place)?, serde_json::to_string(case)?);
    let output = this()?.arg("one").arg(place).arg(case).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("a rebuild failed".into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Writes the events into an archive.
async fn fill_archive(place: &Place, size: Size) -> Result<(), Error> {
    let archive = place.archive()?;
    let mut rotation = Rotation::default();
    rotation.age = Duration::from_secs(60);
    let group = archive.group(Arc::new(Feed(size)), Arc::new(MemoryLeases::new()), rotation);
    let all = size.streams as u64 * u64::from(size.events);
    let whole = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if let Ok(files) = archive.files().await
                && files.chains.values().flatten().map(|file| file.events).sum::<u64>() == all
            {
                break;
            }
        }
    };
    Ok(group.run(whole).await?)
}

/// Writes the events into a ledger, in commits of so many.
async fn fill_ledger(place: &Place, size: Size, of_commit: u32) -> Result<(), Error> {
    let ledger = place.ledger();
    let appending = (0..size.streams).map(|account| {
        let ledger = &ledger;
        async move {
            for first in (0..size.events).step_by(of_commit as usize) {
                let numbers = first..(first + of_commit).min(size.events);
                let events = numbers.map(|number| event(account, number)).collect();
                ledger.append(Append::new(stream(account), Expected::Any, events)).await?;
            }
            Ok::<_, Error>(())
        }
    });
    futures::stream::iter(appending).buffer_unordered(APPENDS).try_collect::<Vec<()>>().await?;
    ledger.close().await;
    Ok(())
}
