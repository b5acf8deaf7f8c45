//! Lost answers, throttling, keys left unread, transactions in the way: absorbed within bounds, or a typed error.

use headwater_aws::testing::Mishap::{self, Answer, LostAnswer};
use headwater_projections::rows::{List, Query, RowError, Written};
use headwater_projections::{RowStore, RowWrite, Transaction};

use super::backend::{Backend, generation, one, parked, prepared, row, stream, version, wanted};

/// Tries of a request by the SDK.
const TRIES: usize = 5;
/// Tries of a write that transactions are in the way of.
const CONFLICT_TRIES: usize = 8;

const CANCELLED: Mishap = Answer(
    400,
    "TransactionCanceledException",
    "\"Message\":\"cancelled\",\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"TransactionConflict\"}]",
);
const NEVER: Mishap = Answer(400, "ValidationException", "\"message\":\"not like this\"");
const FIELDS: &str = r#"{"n":1,"half":0.50,"one":1.0,"big":123456789012345678901234567890,"m":{"b":1,"c":2,"a":{"y":0,"x":[]}}}"#;

async fn write(backend: &Backend, transaction: &Transaction) -> Result<Written, RowError> {
    backend.rows.write(&generation(), transaction).await
}

fn both(before: u64) -> Transaction {
    Transaction { rows: vec![row("a", before, FIELDS)], versions: vec![version("1", before, before + 1)] }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_recognised_as_done() {
    let backend = prepared(&["n"]).await;
    for before in 0..2 {
        backend.wire.will([LostAnswer, LostAnswer]);
        assert_eq!(write(&backend, &one(row("a", before, FIELDS))).await.unwrap(), Written::Done);
        assert_eq!(backend.wire.bill().0, ["PutItem"; 3]);
        let versions = vec![version("1", before, before + 1)];
        backend.wire.will([LostAnswer]);
        let alone = Transaction { rows: Vec::new(), versions };
        assert_eq!(write(&backend, &alone).await.unwrap(), Written::Done);
        assert_eq!(backend.wire.bill().0, ["UpdateItem"; 2]);
    }
    backend.wire.will([LostAnswer]);
    let together = Transaction { rows: vec![row("b", 0, FIELDS)], versions: vec![version("2", 0, 1)] };
    assert_eq!(write(&backend, &together).await.unwrap(), Written::Done);
    assert_eq!(backend.wire.bill().0, ["TransactWriteItems"; 2]);
    let gone = RowWrite { fields: None, ..row("b", 1, "") };
    backend.wire.will([LostAnswer]);
    assert_eq!(write(&backend, &one(gone)).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn what_another_owner_wrote_is_lost_also_after_a_lost_answer() {
    let backend = prepared(&[]).await;
    assert_eq!(write(&backend, &one(row("a", 0, FIELDS))).await.unwrap(), Written::Done);
    for other in
        [row("a", 0, "{}"), RowWrite { revision: headwater_projections::Revision(2), ..row("a", 0, FIELDS) }]
    {
        // The first try fails at the service, so it may have been carried out.
        backend.wire.will([Mishap::FAILED]);
        assert_eq!(write(&backend, &one(other)).await.unwrap(), Written::Lost);
    }
    let alone = |expect, to| Transaction { rows: Vec::new(), versions: vec![version("1", expect, to)] };
    assert_eq!(write(&backend, &alone(0, 5)).await.unwrap(), Written::Done);
    backend.wire.will([Mishap::FAILED]);
    assert_eq!(write(&backend, &alone(0, 4)).await.unwrap(), Written::Lost);
}

#[tokio::test]
async fn when_every_answer_is_lost_the_write_may_have_happened() {
    let backend = prepared(&[]).await;
    for transaction in [one(row("a", 0, FIELDS)), both(1)] {
        backend.wire.will([LostAnswer; TRIES]);
        let error = write(&backend, &transaction).await.unwrap_err();
        assert!(matches!(error, RowError::Unavailable { .. }) && error.retry_helps(), "{error}");
    }
    // Who loads finds it, and who writes again loses or, of a row alone, cannot tell.
    let loaded = backend.rows.load(&generation(), &wanted(&["a"], &["1"])).await.unwrap();
    assert_eq!(loaded.rows.first().map(|row| row.revision.0), Some(1), "the version was not 1");
    backend.wire.will([
        LostAnswer,
        Mishap::THROTTLED,
        Mishap::THROTTLED,
        Mishap::THROTTLED,
        Mishap::THROTTLED,
    ]);
    let error = write(&backend, &one(row("b", 0, FIELDS))).await.unwrap_err();
    assert!(
        matches!(error, RowError::Unavailable { .. }),
        "throttled after a lost answer is no promise: {error}"
    );
}

#[tokio::test]
async fn throttling_is_absorbed_or_says_that_nothing_was_written() {
    let backend = prepared(&["n"]).await;
    backend.wire.will([Mishap::THROTTLED; TRIES - 1]);
    assert_eq!(write(&backend, &one(row("a", 0, FIELDS))).await.unwrap(), Written::Done);
    let rows = &backend.rows;
    backend.wire.will([Mishap::THROTTLED; TRIES]);
    let error = write(&backend, &one(row("a", 1, FIELDS))).await.unwrap_err();
    assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
    backend.wire.will([Mishap::THROTTLED; TRIES]);
    let error = rows.load(&generation(), &wanted(&["a"], &[])).await.unwrap_err();
    assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
    backend.wire.will([Mishap::THROTTLED; TRIES]);
    let error = rows.park(&generation(), &parked("1", 2, 2)).await.unwrap_err();
    assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
    // The partitions of a page are asked at once, so every request of it is throttled to the end.
    backend.wire.will([Mishap::THROTTLED; 16 * TRIES]);
    let error = rows.list(&generation(), &List { after: None, limit: 1 }).await.unwrap_err();
    assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
}

#[tokio::test]
async fn keys_left_unread_are_read_within_bounds() {
    let backend = prepared(&[]).await;
    for key in ["a", "b"] {
        assert_eq!(write(&backend, &one(row(key, 0, FIELDS))).await.unwrap(), Written::Done);
    }
    let loaded = backend.rows.load(&generation(), &wanted(&["a", "b"], &[])).await.unwrap();
    let _ = backend.wire.bill();
    let unread = unread(&backend, &["a", "b"]).await;
    backend.wire.will([unread; 3]);
    let patient = backend.rows.load(&generation(), &wanted(&["a", "b"], &[])).await.unwrap();
    assert_eq!(patient.rows.len(), 2);
    assert_eq!(sorted(patient.rows), sorted(loaded.rows));
    assert_eq!(backend.wire.bill().0, ["BatchGetItem"; 4]);
    backend.wire.will([unread; 8]);
    let error = backend.rows.load(&generation(), &wanted(&["a", "b"], &[])).await.unwrap_err();
    assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
    assert_eq!(backend.wire.bill().0, ["BatchGetItem"; 8], "no more than its limit");
}

fn sorted(
    mut rows: Vec<headwater_projections::rows::StoredRow>,
) -> Vec<headwater_projections::rows::StoredRow> {
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    rows
}

/// An answer that leaves all of these rows unread.
async fn unread(backend: &Backend, keys: &[&str]) -> Mishap {
    let items = backend.client.scan().table_name(backend.table()).send().await.unwrap();
    let text = |item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>,
                name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
    };
    let items = items.items().iter().filter(|item| keys.contains(&text(item, "#k").as_str()));
    let keys = items.map(|item| {
        format!("{{\"#p\":{{\"S\":\"{}\"}},\"#k\":{{\"S\":\"{}\"}}}}", text(item, "#p"), text(item, "#k"))
    });
    let keys: Vec<String> = keys.collect();
    let (table, keys) = (backend.table(), keys.join(","));
    let rest = format!(
        "\"Responses\":{{}},\"UnprocessedKeys\":{{\"{table}\":{{\"ConsistentRead\":true,\"Keys\":[{keys}]}}}}"
    );
    let _ = backend.wire.bill();
    Answer(200, "Success", rest.leak())
}

#[tokio::test]
async fn rows_that_are_more_than_an_answer_holds_are_all_loaded() {
    let backend = prepared(&[]).await;
    let keys: Vec<String> = (0..60).map(|n| format!("{n:02}")).collect();
    let text = format!("{{\"text\":\"{}\"}}", "x".repeat(380_000));
    for key in &keys {
        assert_eq!(write(&backend, &one(row(key, 0, &text))).await.unwrap(), Written::Done);
    }
    let _ = backend.wire.bill();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let loaded = backend.rows.load(&generation(), &wanted(&keys, &[])).await.unwrap();
    assert_eq!(loaded.rows.len(), 60);
    assert!(backend.wire.bill().0.len() > 1, "22 MB are more than one answer");
    // A page ends before it is full when its rows are large.
    let page = backend.rows.list(&generation(), &List { after: None, limit: 60 }).await.unwrap();
    assert!((2..60).contains(&page.rows.len()) && page.next.is_some(), "{} rows", page.rows.len());
}

#[tokio::test]
async fn transactions_in_the_way_are_waited_for_within_bounds() {
    let backend = prepared(&[]).await;
    backend.wire.will([Mishap::IN_THE_WAY, Mishap::IN_THE_WAY]);
    assert_eq!(write(&backend, &one(row("a", 0, FIELDS))).await.unwrap(), Written::Done);
    backend.wire.will([CANCELLED, CANCELLED]);
    let together = Transaction { rows: vec![row("b", 0, FIELDS)], versions: vec![version("1", 0, 1)] };
    assert_eq!(write(&backend, &together).await.unwrap(), Written::Done);
    backend.wire.will([Mishap::IN_THE_WAY; 2]);
    backend.rows.park(&generation(), &parked("1", 2, 2)).await.unwrap();
    let _ = backend.wire.bill();
    let mishaps = [Mishap::IN_THE_WAY, CANCELLED];
    let alone = Transaction { rows: Vec::new(), versions: vec![version("1", 1, 2)] };
    for (mishap, transaction) in [(0, one(row("a", 1, FIELDS))), (0, alone), (1, both(1))] {
        backend.wire.will([mishaps[mishap]; CONFLICT_TRIES]);
        let error = write(&backend, &transaction).await.unwrap_err();
        assert!(matches!(error, RowError::Overloaded { .. }), "{error}");
        assert_eq!(backend.wire.bill().0.len(), CONFLICT_TRIES);
    }
}

#[tokio::test]
async fn a_request_that_is_never_accepted_is_not_worth_another_try() {
    let backend = prepared(&["n"]).await;
    let rows = &backend.rows;
    backend.wire.will([NEVER]);
    let error = write(&backend, &one(row("a", 0, FIELDS))).await.unwrap_err();
    assert!(matches!(&error, RowError::Unfit { .. }) && !error.retry_helps(), "{error}");
    let reasons = "\"CancellationReasons\":[{\"Code\":\"ValidationError\",\"Message\":\"too deep\"},{\"Code\":\"None\"}]";
    backend.wire.will([Answer(400, "TransactionCanceledException", reasons)]);
    let error = write(&backend, &both(0)).await.unwrap_err();
    assert!(matches!(&error, RowError::Unfit { .. }) && error.to_string().contains("too deep"), "{error}");
    backend.wire.will([NEVER; 16]);
    let error = rows.query(&generation(), &Query::new("n")).await.unwrap_err();
    assert!(matches!(&error, RowError::Invalid { .. }), "{error}");
}

#[tokio::test]
async fn parking_and_unparking_stand_lost_answers() {
    let backend = prepared(&[]).await;
    let record = parked("1", 2, 2);
    backend.wire.will([LostAnswer]);
    backend.rows.park(&generation(), &record).await.unwrap();
    backend.wire.will([LostAnswer]);
    let unparked = backend.rows.unpark(&generation(), &stream("1"), record.first_failing).await.unwrap();
    assert_eq!(unparked, Written::Done);
    backend.wire.will([Mishap::FAILED]);
    let other = backend.rows.unpark(&generation(), &stream("2"), record.first_failing).await.unwrap();
    assert_eq!(other, Written::Lost);
    backend.wire.will([LostAnswer; TRIES]);
    let error = backend.rows.park(&generation(), &record).await.unwrap_err();
    assert!(matches!(error, RowError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn many_owners_that_park_a_stream_at_once_leave_the_highest() {
    let backend = prepared(&[]).await;
    let records: Vec<_> = (0..8).map(|n| parked("1", 2, 10 + (n * 3) % 8)).collect();
    let generation = generation();
    let parking = records.iter().map(|record| backend.rows.park(&generation, record));
    for parked in futures::future::join_all(parking).await {
        parked.unwrap();
    }
    let loaded = backend.rows.load(&generation, &wanted(&[], &["1"])).await.unwrap();
    assert_eq!(loaded.parked, [parked("1", 2, 17)]);
}

#[tokio::test]
async fn what_of_a_batch_was_not_added_is_told_one_by_one() {
    let backend = prepared(&[]).await;
    let all: Vec<Transaction> = ["a", "b", "c", "d", "e"].map(|key| one(row(key, 0, FIELDS))).to_vec();
    let responses = concat!(
        r#""Responses":[{"TableName":"t"},{"Error":{"Code":"ThrottlingError","Message":"slow"}},"#,
        r#"{"Error":{"Code":"ValidationError","Message":"never"}},{"Error":{"Code":"InternalServerError"}}]"#
    );
    backend.wire.will([Answer(200, "Success", responses)]);
    let answers = backend.rows.add(&generation(), &all).await;
    let kinds = matches!(
        answers.as_slice(),
        [
            Ok(Written::Done),
            Err(RowError::Overloaded { .. }),
            Err(RowError::Unfit { .. }),
            Err(RowError::Unavailable { .. }),
            Err(RowError::Unavailable { .. })
        ]
    );
    assert!(kinds, "{answers:?}");
}

#[tokio::test]
async fn a_batch_whose_answer_was_lost_finds_its_own_rows() {
    let backend = prepared(&[]).await;
    let all: Vec<Transaction> = ["a", "b"].map(|key| one(row(key, 0, FIELDS))).to_vec();
    backend.wire.will([LostAnswer]);
    let answers = backend.rows.add(&generation(), &all).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Written::Lost))), "{answers:?}");
    assert_eq!(backend.wire.bill().0, ["BatchExecuteStatement"; 2]);
    assert_eq!(backend.rows.load(&generation(), &wanted(&["a", "b"], &[])).await.unwrap().rows.len(), 2);
    let more: Vec<Transaction> = ["c", "d"].map(|key| one(row(key, 0, FIELDS))).to_vec();
    for (mishap, overloaded) in [(Mishap::THROTTLED, true), (LostAnswer, false)] {
        backend.wire.will([mishap; TRIES]);
        for answer in backend.rows.add(&generation(), &more).await {
            let error = answer.unwrap_err();
            assert!(
                error.retry_helps() && matches!(error, RowError::Overloaded { .. }) == overloaded,
                "{error}"
            );
        }
    }
}
