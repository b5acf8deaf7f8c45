//! Several processes, and what becomes of commits when one dies: every commit in the ledger reaches the feed (L4).

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::store::{Append, FeedRecord, Read};
use headwater::{CommitId, EventData, EventFeed, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_store_kinesis::{Config, KinesisStore};
use tokio::task::JoinSet;

use crate::rig::addresses;
use crate::stores::{clients, fresh};

/// Streams that the processes of a storm write to; fewer in the other tests.
const STREAMS: usize = 50;
/// How long a storm lasts.
const STORM: Duration = Duration::from_secs(60);
/// How long it may take until all that is in the ledger is on the feed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of `examples/writer.rs`, which cargo builds beside the tests.
fn writer(config: &Config, mode: &str, how: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples").join("writer");
    assert!(
        program.exists(),
        "examples/writer is not built: `cargo test` and `cargo build --examples` build it"
    );
    let (dynamodb, kinesis) = addresses();
    let mut command = Command::new(program);
    command.args([dynamodb, kinesis, &config.prefix, mode, how]).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The commits that a process says are acknowledged.
fn acknowledged(said: &[u8]) -> Vec<(String, String, u64)> {
    let text = String::from_utf8_lossy(said);
    let line = |line: &str| {
        let mut words = line.split(' ');
        let (stream, id) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some((stream, id, words.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Everything in the ledger, its versions checked.
async fn ledger(store: &KinesisStore) -> HashMap<CommitId, Vec<(StreamName, Version)>> {
    let mut stored: HashMap<CommitId, Vec<_>> = HashMap::new();
    for number in 0..STREAMS {
        let stream = StreamName::new("process", &number.to_string()).unwrap();
        let mut version = Version::EMPTY;
        for commit in store.read_all(&stream, Read::all()).await.unwrap() {
            assert_eq!(commit.first, version.next(), "a hole or an overlap in {stream}");
            version = commit.last();
            stored.entry(commit.id).or_default().push((stream.clone(), commit.first));
        }
    }
    stored
}

/// Waits until every commit of the ledger is on the feed. Gives the records.
async fn everything_is_on_the_feed(store: &KinesisStore, what: &str) -> Vec<FeedRecord> {
    let deadline = Instant::now() + PATIENCE;
    let feed = store.feed();
    let (mut next, mut records, mut seen) = (HashMap::new(), Vec::new(), HashSet::new());
    loop {
        // To the tip first, and only then a look at the whole ledger.
        loop {
            let mut quiet = true;
            for partition in feed.partitions().await.unwrap() {
                let batch = feed.read_after(&partition.id, next.get(&partition.id), 1_000).await.unwrap();
                quiet &= batch.records.is_empty();
                seen.extend(batch.records.iter().map(|r| (r.commit.stream.clone(), r.commit.first)));
                records.extend(batch.records);
                next.extend(batch.next.map(|position| (partition.id, position)));
            }
            if quiet {
                break;
            }
        }
        let stored = ledger(store).await;
        let missing = stored.values().flatten().filter(|place| !seen.contains(*place)).count();
        if missing == 0 {
            return records;
        }
        assert!(Instant::now() < deadline, "{what}: {missing} commits did not reach the feed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What was acknowledged is in the ledger, where it was said to be, once.
async fn is_stored(store: &KinesisStore, acknowledged: &[(String, String, u64)], what: &str) {
    let stored = ledger(store).await;
    for (stream, id, first) in acknowledged {
        let places = stored.iter().find(|(commit, _)| commit.to_string() == *id).map(|(_, places)| places);
        let here = |place: &&(StreamName, Version)| place.0.as_str() == stream;
        let here: Vec<_> = places.into_iter().flatten().filter(here).map(|(_, first)| first.0).collect();
        assert_eq!(here, [*first], "{what}: commit {id} of {stream}");
    }
}

/// A store that takes over soon, as another process would.
fn survivor(config: &Config) -> KinesisStore {
    let mut config = config.clone();
    config.takeover_after = Duration::from_secs(3);
    KinesisStore::open(&clients(), &config)
}

/// The writers in the control table, each with the passes that were made over what it left.
async fn writers_on_the_books(config: &Config) -> Vec<(String, u32)> {
    let query = clients().dynamodb.query().table_name(format!("{}-control", config.prefix));
    let query = query
        .key_condition_expression("g = :g")
        .expression_attribute_values(":g", AttributeValue::S("#writers".to_owned()));
    let writer = |item: &HashMap<String, AttributeValue>| {
        let passes = item.get("p").map_or(0, |passes| passes.as_n().unwrap().parse().unwrap());
        (item["k"].as_s().unwrap().clone(), passes)
    };
    query.send().await.unwrap().items().iter().map(writer).collect()
}

async fn put(store: &KinesisStore) -> Version {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    let stream = StreamName::new("process", "0").unwrap();
    store.append(Append::new(stream, Expected::Any, vec![event])).await.unwrap().commit.first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_process_dies_every_commit_in_the_ledger_reaches_the_feed() {
    let mut deaths = JoinSet::new();
    for place in [
        "PutItem:-control:0:before",
        "PutItem:-control:0:after",
        "PutItem:-ledger:0:before",
        "PutItem:-ledger:0:after",
        "PutItem:-ledger:300:before",
        "PutItem:-ledger:300:after",
        "PutRecords:-feed:0:before",
        "PutRecords:-feed:0:after",
        "PutRecords:-feed:200:before",
        "PutRecords:-feed:200:after",
        "UpdateItem:-control:1:before",
        "UpdateItem:-control:1:after",
    ] {
        deaths.spawn(async move {
            let config = fresh().await;
            let mut process = writer(&config, "crash", place);
            let died = tokio::task::spawn_blocking(move || process.output().unwrap()).await.unwrap();
            assert!(!died.status.success(), "{place}: it did not come to that request");
            let survivor = survivor(&config);
            is_stored(&survivor, &acknowledged(&died.stdout), place).await;
            let records = everything_is_on_the_feed(&survivor, place).await;
            let again = records.iter().filter(|record| record.redelivered).count();
            println!("{place}: {} records, {again} of them by the survivor", records.len());
        });
        if deaths.len() >= 3 {
            deaths.join_next().await.unwrap().unwrap();
        }
    }
    deaths.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_in_four_processes_lose_nothing_in_a_storm() {
    let config = fresh().await;
    let mut processes: Vec<_> =
        (0..4).map(|_| writer(&config, "storm", &STORM.as_secs().to_string()).spawn().unwrap()).collect();
    let outputs: Vec<_> = processes
        .iter_mut()
        .map(|process| {
            let mut out = process.stdout.take().unwrap();
            std::thread::spawn(move || {
                let mut said = Vec::new();
                std::io::Read::read_to_end(&mut out, &mut said).unwrap();
                said
            })
        })
        .collect();
    // One of them does not see the end.
    tokio::time::sleep(STORM / 2).await;
    processes[0].kill().unwrap();
    let mut ends = Vec::new();
    for mut process in processes {
        ends.push(tokio::task::spawn_blocking(move || process.wait().unwrap().success()).await.unwrap());
    }
    assert_eq!(ends, [false, true, true, true]);
    let said: Vec<_> = outputs.into_iter().flat_map(|output| acknowledged(&output.join().unwrap())).collect();
    let survivor = survivor(&config);
    is_stored(&survivor, &said, "storm").await;
    let records = everything_is_on_the_feed(&survivor, "storm").await;
    println!("{} commits acknowledged, {} records on the feed", said.len(), records.len());
    assert!(said.len() > 1_000, "{} commits are no storm", said.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_closed_leaves_nothing_on_the_books() {
    let config = fresh().await;
    let store = KinesisStore::open(&clients(), &config);
    assert_eq!(writers_on_the_books(&config).await, [], "the first commit makes a writer");
    for _ in 0..50 {
        put(&store).await;
    }
    assert_eq!(writers_on_the_books(&config).await.len(), 1);
    assert!(store.close().await);
    assert_eq!(writers_on_the_books(&config).await, []);
    let error = store
        .append(Append::new(
            StreamName::new("process", "0").unwrap(),
            Expected::Any,
            vec![EventData { name: "Noted".into(), schema: 1, payload: "{}".into() }],
        ))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("stopping"), "{error}");
    let reader = KinesisStore::open(&clients(), &config);
    let records = everything_is_on_the_feed(&reader, "closed").await;
    assert_eq!(records.len(), 50, "each commit once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_slept_and_was_taken_for_dead_starts_anew() {
    let config = fresh().await;
    let sleeper = writer(&config, "crash", "DeleteTable:never:0:before").spawn().unwrap();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &sleeper.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    let survivor = survivor(&config);
    let deadline = Instant::now() + PATIENCE;
    while ledger(&survivor).await.len() < 20 {
        assert!(Instant::now() < deadline, "it does not write");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let awake = writers_on_the_books(&config).await;
    assert!(awake.len() == 1 && awake[0].1 == 0, "it lives: {awake:?}");
    signal("-STOP");
    // Its record is claimed by the survivor, and what it left is published.
    while writers_on_the_books(&config).await[0].1 == 0 {
        assert!(Instant::now() < deadline, "nobody takes over");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    everything_is_on_the_feed(&survivor, "asleep").await;
    let before = ledger(&survivor).await.len();
    signal("-CONT");
    // It goes on as another writer.
    while writers_on_the_books(&config).await.len() < 2 {
        assert!(Instant::now() < deadline, "it goes on under its old name");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = tokio::task::spawn_blocking(move || sleeper.wait_with_output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "it ends well");
    let said = acknowledged(&ended.stdout);
    assert!(said.len() > before, "it went on");
    is_stored(&survivor, &said, "asleep").await;
    everything_is_on_the_feed(&survivor, "awake").await;
}
