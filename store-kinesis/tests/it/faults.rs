//! Lost answers, throttling, failures: each ends in a typed error or is absorbed, and nothing is written twice.

use std::error::Error;
use std::time::{Duration, Instant};

use headwater::store::{Append, ErrorKind, Read, StoreError, Transaction};
use headwater::{EventData, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_aws::testing::Mishap::{self, Answer, LostAnswer, Nothing, Silence};
use headwater_store_kinesis::KinesisStore;

use crate::rig::quick;
use crate::stores::{clients, tapped, wired};

const CANCELLED: Mishap = Answer(
    400,
    "TransactionCanceledException",
    "\"Message\":\"cancelled\",\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"TransactionConflict\"}]",
);
/// Tries of a command.
const TRIES: usize = 5;

fn stream(id: &str) -> StreamName {
    StreamName::new("fault", id).unwrap()
}

fn append(id: &str, expected: Expected) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    Append::new(stream(id), expected, vec![event])
}

async fn kind(ledger: &KinesisStore, append: &Append) -> ErrorKind {
    ledger.append(append.clone()).await.unwrap_err().kind()
}

/// What an error says, with what is below it.
fn whole_text(error: &StoreError) -> String {
    format!("{error}: {}", error.source().unwrap())
}

#[tokio::test]
async fn a_lost_answer_is_recognised_by_the_next_try_of_the_sdk() {
    let (wire, ledger, _) = tapped().await;
    let cases = [
        (Expected::NoStream, vec![LostAnswer], vec!["PutItem", "PutItem"]),
        (Expected::Exact(Version(1)), vec![LostAnswer, LostAnswer], vec!["PutItem"; 3]),
        (Expected::Any, vec![Nothing, Nothing, LostAnswer], vec!["Query", "Query", "PutItem", "PutItem"]),
        (
            Expected::Exists,
            vec![LostAnswer, Nothing, Nothing, LostAnswer],
            vec!["Query", "Query", "Query", "PutItem", "PutItem"],
        ),
    ];
    for (version, (expected, mishaps, requests)) in (1..).map(Version).zip(cases) {
        let put = append("a", expected);
        wire.will(mishaps);
        let appended = ledger.append(put.clone()).await.unwrap();
        assert!(appended.own_retry, "{expected}");
        assert_eq!((appended.commit.id, appended.commit.first), (put.id, version), "{expected}");
        assert_eq!(wire.bill().0, requests, "{expected}");
        assert_eq!(ledger.version(&stream("a")).await.unwrap(), version, "it is stored once");
        let _ = wire.bill();
    }
}

#[tokio::test]
async fn when_every_answer_is_lost_the_outcome_is_unknown_and_a_repeat_is_safe() {
    let (wire, ledger, _) = tapped().await;
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    for expected in [Expected::Exact(Version(1)), Expected::Exact(Version(2))] {
        let put = append("a", expected);
        wire.will([LostAnswer; TRIES]);
        assert_eq!(kind(&ledger, &put).await, ErrorKind::OutcomeUnknown);
        assert!(ledger.append(put).await.unwrap().own_retry);
    }
    assert_eq!(ledger.version(&stream("a")).await.unwrap(), Version(3));
}

#[tokio::test]
async fn throttling_is_absorbed_or_says_that_a_stream_is_too_hot() {
    let (wire, ledger, _) = tapped().await;
    wire.will([Mishap::THROTTLED; TRIES - 1]);
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    wire.will([Mishap::THROTTLED; TRIES]);
    let error = ledger.append(append("a", Expected::Exact(Version(1)))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(error.to_string().contains("one key is too hot"), "{error}");
    wire.will([Mishap::THROTTLED; TRIES]);
    let error = ledger.read(&stream("a"), Read::all()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
}

#[tokio::test]
async fn throttling_after_a_lost_answer_does_not_mean_that_nothing_was_written() {
    let (wire, ledger, _) = tapped().await;
    let put = append("a", Expected::NoStream);
    wire.will([LostAnswer, Mishap::THROTTLED, Mishap::THROTTLED, Mishap::THROTTLED, Mishap::THROTTLED]);
    assert_eq!(kind(&ledger, &put).await, ErrorKind::OutcomeUnknown);
    assert!(ledger.append(put).await.unwrap().own_retry);
}

#[tokio::test]
async fn failures_of_the_service_leave_a_write_open_and_a_read_undone() {
    let (wire, ledger, _) = tapped().await;
    wire.will([Mishap::FAILED]);
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    wire.will([Mishap::FAILED; TRIES]);
    assert_eq!(kind(&ledger, &append("a", Expected::Exact(Version(1)))).await, ErrorKind::OutcomeUnknown);
    wire.will([Mishap::FAILED; TRIES]);
    let error = ledger.read(&stream("a"), Read::all()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(ledger.version(&stream("a")).await.unwrap(), Version(1));
}

#[tokio::test]
async fn transactions_in_the_way_are_waited_for_within_bounds() {
    let (wire, ledger, _) = tapped().await;
    wire.will([Mishap::IN_THE_WAY, Mishap::IN_THE_WAY]);
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    wire.will([Mishap::IN_THE_WAY; 8]);
    assert_eq!(kind(&ledger, &append("a", Expected::Exact(Version(1)))).await, ErrorKind::Overloaded);
    let together = || Transaction {
        appends: vec![append("b", Expected::NoStream), append("c", Expected::NoStream)],
        checks: vec![],
    };
    wire.will([CANCELLED; 8]);
    let error = ledger.append_all(together()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded, "{error}");
    wire.will([CANCELLED, CANCELLED]);
    assert_eq!(ledger.append_all(together()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_transaction_with_a_lost_answer_is_carried_out_once() {
    let (wire, ledger, _) = tapped().await;
    let transaction = Transaction {
        appends: vec![append("a", Expected::NoStream), append("b", Expected::NoStream)],
        checks: vec![],
    };
    wire.will([LostAnswer]);
    ledger.append_all(transaction.clone()).await.unwrap();
    wire.will([LostAnswer; TRIES]);
    let other = Transaction { appends: vec![append("a", Expected::Exact(Version(1)))], checks: vec![] };
    let error = ledger.append_all(other.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    for sent_again in [transaction, other] {
        assert!(ledger.append_all(sent_again).await.unwrap().iter().all(|appended| appended.own_retry));
    }
    assert_eq!(ledger.version(&stream("a")).await.unwrap(), Version(2));
}

#[tokio::test]
async fn a_transaction_given_up_after_a_lost_answer_may_have_been_carried_out() {
    let (wire, store, _) = tapped().await;
    let transaction = Transaction {
        appends: vec![append("a", Expected::NoStream), append("b", Expected::NoStream)],
        checks: vec![],
    };
    wire.will([LostAnswer]);
    wire.will([CANCELLED; 8]);
    let error = store.append_all(transaction.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    assert!(store.append_all(transaction).await.unwrap().iter().all(|appended| appended.own_retry));
}

#[tokio::test]
async fn wrong_credentials_and_a_missing_table_say_what_to_do() {
    let (wire, ledger, _) = tapped().await;
    let denied = Answer(400, "UnrecognizedClientException", "\"message\":\"the token is invalid\"");
    wire.will([denied]);
    let error = ledger.append(append("a", Expected::NoStream)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(whole_text(&error).contains("check keys, session, region and policy"), "{}", whole_text(&error));

    let nowhere = KinesisStore::open(&clients(), &quick("nowhere"));
    let error = nowhere.append(append("a", Expected::NoStream)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(whole_text(&error).contains("table nowhere-control does not exist"), "{}", whole_text(&error));
}

#[tokio::test]
async fn silence_is_waited_out_or_given_up_in_time() {
    let (wire, _, mut config) = tapped().await;
    config.commands.attempt_timeout = Duration::from_millis(250);
    config.commands.operation_timeout = Duration::from_millis(1_500);
    let ledger = KinesisStore::open(&wired(&wire), &config);
    wire.will([Silence]);
    ledger.append(append("a", Expected::NoStream)).await.unwrap();
    wire.will([Silence; TRIES]);
    let begun = Instant::now();
    assert_eq!(kind(&ledger, &append("a", Expected::Exact(Version(1)))).await, ErrorKind::OutcomeUnknown);
    assert!(begun.elapsed() < Duration::from_secs(5), "it is given up after 1.5 seconds");
}
