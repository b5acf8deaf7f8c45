//! A process that writes, for the tests of several processes: it meets faults, or ends in the middle of a request.
//!
//! `writer DYNAMODB_URL KINESIS_URL PREFIX crash OPERATION:RESOURCE:AFTER:before|after` writes to five streams until it
//! ends at that request. `writer DYNAMODB_URL KINESIS_URL PREFIX storm SECONDS` has four writers on fifty streams, and
//! one of twenty requests fails. Each acknowledged commit is a line: stream, commit id, first version.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test process fails by panicking")]
#![allow(clippy::print_stdout, reason = "its lines are what the test reads")]

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::store::{Append, StoreError, Transaction};
use headwater::{EventData, EventStore, Expected, StreamName};
use headwater_aws::testing::{Crash, Mishap, Wire};
use headwater_store_kinesis::{Clients, Config, KinesisStore};

/// Writers of a storm, and the streams they share.
const WRITERS: usize = 4;
const STREAMS: usize = 50;
/// Commits of a process that is to crash but meets no such request.
const COMMITS: usize = 2_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dynamodb, kinesis, prefix, mode, how] = &arguments[..] else {
        panic!("five arguments, see the source")
    };
    let wire = Wire::default();
    let clients = Clients { dynamodb: wire.dynamodb(dynamodb), kinesis: wire.kinesis(kinesis) };
    let mut config = Config::new(prefix);
    config.takeover_after = Duration::from_secs(3);
    let store = Arc::new(KinesisStore::open(&clients, &config));
    match mode.as_str() {
        "crash" => {
            wire.crash_at(Crash::parse(how).unwrap());
            for number in 0..COMMITS {
                write(&store, vec![append(number % 5)]).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        "storm" => {
            wire.storm(20, &[Mishap::LostAnswer, Mishap::FAILED, Mishap::TOO_FAST, Mishap::HalfRefused]);
            let until = Instant::now() + Duration::from_secs(how.parse().unwrap());
            let mut writers = tokio::task::JoinSet::new();
            for _ in 0..WRITERS {
                writers.spawn(storm(Arc::clone(&store), until));
            }
            writers.join_all().await;
        }
        other => panic!("unknown mode {other}"),
    }
    let closed = store.close().await;
    println!("closed {closed}");
}

async fn storm(store: Arc<KinesisStore>, until: Instant) {
    while Instant::now() < until {
        let one = fastrand::usize(..STREAMS);
        match fastrand::usize(..8) {
            0 => write(&store, vec![append(one), append((one + 1) % STREAMS)]).await,
            1 => exact(&store, one).await,
            _ => write(&store, vec![append(one)]).await,
        }
    }
}

/// Writes behind a version that is surely not the last, and then behind the one that the conflict names.
async fn exact(store: &KinesisStore, number: usize) {
    let mut append = Append { expected: Expected::NoStream, ..append(number) };
    loop {
        match store.append(append.clone()).await {
            Ok(appended) => return acknowledged(&[appended]),
            Err(StoreError::Conflict(conflict)) => {
                // Another id: that the commit was not stored is certain.
                let fresh = self::append(number);
                append = Append { expected: Expected::Exact(conflict.actual), ..fresh };
            }
            Err(error) => assert!(error.retry_helps(), "{error}"),
        }
    }
}

/// Sends the same commits until they are acknowledged.
async fn write(store: &KinesisStore, appends: Vec<Append>) {
    loop {
        let sent = match &appends[..] {
            [one] => store.append(one.clone()).await.map(|appended| vec![appended]),
            several => store.append_all(Transaction { appends: several.to_vec(), checks: vec![] }).await,
        };
        match sent {
            Ok(appended) => return acknowledged(&appended),
            Err(error) => assert!(error.retry_helps(), "{error}"),
        }
    }
}

fn acknowledged(appended: &[headwater::store::Appended]) {
    let mut out = std::io::stdout().lock();
    for appended in appended {
        let commit = &appended.commit;
        writeln!(out, "{} {} {}", commit.stream, commit.id, commit.first).unwrap();
    }
    out.flush().unwrap();
}

fn append(number: usize) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{\"from\":\"a process\"}".into() };
    let stream = StreamName::new("process", &number.to_string()).unwrap();
    Append::new(stream, Expected::Any, vec![event; fastrand::usize(1..4)])
}
