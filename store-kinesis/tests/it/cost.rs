//! The cost contract: the exact sequence of requests of each operation to the table of the ledger, and their capacity
//! units. A commit takes one unit for its item and one for its entry in the index of the outbox.

use std::sync::Arc;

use headwater::store::{Append, Check, Consistency, EventStoreExt, Read, Scan, Transaction};
use headwater::testing::counter::{Counter, CounterCommand};
use headwater::{EventData, EventStore, Executor, Expected, Id, Snapshot, StreamName, Version};
use headwater_aws::testing::Wire;
use headwater_store_kinesis::KinesisStore;

use crate::stores::{tapped, wired};

fn counter(id: &str) -> Id<Counter> {
    Id::new(id).unwrap()
}

fn stream(id: &str) -> StreamName {
    StreamName::new("cost", id).unwrap()
}

fn append(id: &str, expected: Expected) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{\"text\":\"small\"}".into() };
    Append::new(stream(id), expected, vec![event])
}

#[track_caller]
fn costs(wire: &Wire, requests: &[&str], units: f64) {
    let (sent, used) = wire.bill();
    assert_eq!(sent, requests);
    assert!((used - units).abs() < 0.01, "{sent:?} used {used} units, not {units}");
}

#[tokio::test]
async fn a_command_costs_one_put_when_cached_and_one_query_more_when_not() {
    let (wire, ledger, config) = tapped().await;
    let executor = Executor::new(Arc::new(ledger));
    executor.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
    costs(&wire, &["Query", "PutItem"], 0.5 + 2.0);
    for _ in 0..30 {
        executor.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
        costs(&wire, &["PutItem"], 2.0);
    }
    let elsewhere = Executor::new(Arc::new(KinesisStore::open(&wired(&wire), &config)));
    elsewhere.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
    let (sent, _) = wire.bill();
    assert_eq!(sent, ["Query", "PutItem"], "what was read is known to be the end of a commit");
}

#[tokio::test]
async fn a_lost_race_costs_one_put_more_because_the_winner_comes_with_it() {
    let (wire, ledger, config) = tapped().await;
    let executor = Executor::new(Arc::new(ledger));
    let other = Executor::new(Arc::new(KinesisStore::open(&wired(&wire), &config)));
    executor.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
    other.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
    let _ = wire.bill();
    let executed = executor.execute(&counter("a"), CounterCommand::Add { amount: 1 }).await.unwrap();
    assert_eq!(executed.version, Version(3));
    costs(&wire, &["PutItem", "PutItem"], 2.0);
}

#[tokio::test]
async fn a_refusal_after_a_lost_race_is_confirmed_against_the_head() {
    let (wire, ledger, config) = tapped().await;
    let executor = Executor::new(Arc::new(ledger));
    let other = Executor::new(Arc::new(KinesisStore::open(&wired(&wire), &config)));
    executor.execute(&counter("a"), CounterCommand::Add { amount: 5 }).await.unwrap();
    for command in [CounterCommand::Subtract { amount: 5 }, CounterCommand::Add { amount: 9 }] {
        other.execute(&counter("a"), command).await.unwrap();
    }
    let _ = wire.bill();
    // The winner alone leaves 0, the head leaves 9.
    let executed = executor.execute(&counter("a"), CounterCommand::Subtract { amount: 4 }).await;
    assert_eq!(executed.unwrap().version, Version(4));
    costs(&wire, &["PutItem", "Query", "PutItem"], 1.0 + 2.0);
}

#[tokio::test]
async fn ten_thousand_events_with_snapshots_every_hundred_load_with_one_query() {
    let (wire, ledger, config) = tapped().await;
    for version in 0..10_000 {
        let mut append = append("long", Expected::Exact(Version(version)));
        if (version + 1) % 100 == 1 {
            append.snapshot = Some(Box::new(Snapshot { schema: 1, state: "{}".into(), keys: vec![] }));
        }
        ledger.append(append).await.unwrap();
    }
    let (sent, units) = wire.bill();
    assert_eq!(sent.len(), 10_000, "one request a commit, whatever the length of the stream");
    assert!((units - 20_000.0).abs() < 0.01);
    let elsewhere = KinesisStore::open(&wired(&wire), &config);
    let loaded = elsewhere.load(&stream("long"), Some(1), Consistency::Eventual).await.unwrap();
    assert_eq!((loaded.version(), loaded.tail.len()), (Version(10_000), 99));
    let (sent, units) = wire.bill();
    assert_eq!(sent, ["Query"]);
    assert!(units <= 2.0, "100 small commits are at most 16 KB, at half a unit for 4 KB: {units}");
}

#[tokio::test]
async fn an_append_reads_only_what_it_does_not_know() {
    let (wire, ledger, config) = tapped().await;
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    costs(&wire, &["PutItem"], 2.0);
    ledger.append(append("a", Expected::Exact(Version(1)))).await.unwrap();
    costs(&wire, &["PutItem"], 2.0);
    ledger.append(append("b", Expected::Any)).await.unwrap();
    costs(&wire, &["Query", "PutItem"], 1.0 + 2.0);
    let elsewhere = KinesisStore::open(&wired(&wire), &config);
    elsewhere.append(append("a", Expected::Exact(Version(2)))).await.unwrap();
    costs(&wire, &["Query", "PutItem"], 1.0 + 2.0);
    // Known ends stay known: a late writer loses at once, and at no extra read.
    ledger.append(append("a", Expected::Exact(Version(1)))).await.unwrap_err();
    costs(&wire, &["PutItem"], 0.0);
    assert!(ledger.read(&stream("a"), Read::after(Version(2))).await.unwrap().commits.len() == 1);
    costs(&wire, &["Query"], 1.0);
    assert!(ledger.read(&stream("a"), Read::after(Version(3))).await.unwrap().commits.is_empty());
    costs(&wire, &["Query"], 1.0);
}

#[tokio::test]
async fn a_transaction_costs_one_request_two_units_a_stream_and_one_for_each_index_entry() {
    let (wire, ledger, _) = tapped().await;
    let check = |id, expected| Check { stream: stream(id), expected };
    ledger.append(append("checked", Expected::NoStream)).await.unwrap();
    let _ = wire.bill();
    let transaction = Transaction {
        appends: vec![append("a", Expected::NoStream), append("b", Expected::NoStream)],
        checks: vec![check("checked", Expected::Exact(Version(1))), check("absent", Expected::NoStream)],
    };
    ledger.append_all(transaction).await.unwrap();
    let (sent, units) = wire.bill();
    assert_eq!(sent, ["TransactWriteItems"]);
    assert!(
        (units - 10.0).abs() < 0.01,
        "two units for each commit and each check, one for each entry: {units}"
    );
}

#[tokio::test]
async fn a_scan_costs_one_request_a_page_and_half_of_the_units_when_it_may_be_stale() {
    let (wire, ledger, _) = tapped().await;
    for id in 0..100 {
        ledger.append(append(&format!("s{id}"), Expected::NoStream)).await.unwrap();
    }
    let _ = wire.bill();
    // 100 commits of about 110 bytes are three blocks of 4 KB.
    for (consistency, units) in [(Consistency::Strong, 3.0), (Consistency::Eventual, 1.5)] {
        let page = ledger.scan(Scan::all().consistency(consistency)).await.unwrap();
        assert_eq!((page.commits.len(), page.next), (100, None));
        costs(&wire, &["Scan"], units);
    }
}
