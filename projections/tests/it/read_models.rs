//! Read models seen from outside: rows by index, and parked streams by what they have in common.

use std::sync::Arc;

use headwater::{EventFeed, EventStore, Version};
use headwater_projections::rows::{Direction, Generation, Query, Range, Written};
use headwater_projections::{
    Cause, CauseKind, Expect, MemoryRows, Parked, ReadError, ReadModels, Revision, RowStore, RowWrite,
    Runner, Transaction,
};
use headwater_store_memory::MemoryStore;

use crate::model::{Balance, Total, account};

/// Read models over rows that the tests write by hand.
fn read_models() -> (ReadModels, Arc<MemoryRows>) {
    let (runner, rows) = runner();
    (runner.read_models(), rows)
}

fn runner() -> (Runner, Arc<MemoryRows>) {
    let (store, rows) = (Arc::new(MemoryStore::new()), Arc::new(MemoryRows::new()));
    let runner = Runner::new(
        Arc::clone(&store) as Arc<dyn EventStore>,
        Arc::clone(&store) as Arc<dyn EventFeed>,
        Arc::clone(&rows) as Arc<dyn RowStore>,
    );
    (runner.projection::<Balance>().unwrap().projection::<Total>().unwrap(), rows)
}

#[tokio::test]
async fn rows_are_found_by_an_index_that_the_projection_declares() {
    let (models, rows) = read_models();
    assert_eq!(models.indexes("totals").unwrap(), ["total"]);
    let totals = Generation::new("totals", 1);
    rows.prepare(&totals, models.indexes("totals").unwrap()).await.unwrap();
    for (day, total) in [("mon", 30), ("tue", -5), ("wed", 7)] {
        let row = RowWrite {
            key: day.to_owned(),
            fields: Some(format!("{{\"total\":{total},\"count\":1}}").into()),
            revision: Revision(1),
            expect: Expect::Absent,
        };
        let written =
            rows.write(&totals, &Transaction { rows: vec![row], versions: Vec::new() }).await.unwrap();
        assert_eq!(written, Written::Done);
    }
    let query = Query::new("total").range(Range::from(0)).direction(Direction::Descending);
    let page = models.query("totals", &query).await.unwrap();
    assert_eq!(page.rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["mon", "wed"]);
}

#[tokio::test]
async fn what_cannot_be_queried_is_named_with_what_can() {
    let (models, _) = read_models();
    let error = models.query("totals", &Query::new("count")).await.unwrap_err();
    assert!(matches!(error, ReadError::UnknownIndex { .. }));
    let text = error.to_string();
    assert!(text.contains("no index \"count\", known are: total; declare the field"), "{text}");
    let text = models.query("balances", &Query::new("count")).await.unwrap_err().to_string();
    assert!(text.contains("known are: none"), "{text}");
    let error = models.query("balance", &Query::new("total")).await.unwrap_err();
    assert!(matches!(error, ReadError::UnknownProjection { .. }), "{error}");
}

#[tokio::test]
async fn parked_streams_are_grouped_by_what_went_wrong() {
    let (runner, rows) = runner();
    let control = runner.control();
    let balances = Generation::new("balances", 1);
    let park = async |id: String, highest, kind, message: String| {
        let cause = Cause { kind, message };
        let first_failing = Version(3);
        let record =
            Parked { stream: account(&id), first_failing, highest: Version(highest), cause, attempts: 1 };
        rows.park(&balances, &record).await.unwrap();
    };
    assert!(control.parked_groups("balances").await.unwrap().groups.is_empty());
    // More streams than a page holds.
    for n in 0..1_200 {
        park(format!("a{n:04}"), 4, CauseKind::Panic, format!("amount {n} of account/a{n:04} is odd")).await;
    }
    for n in 0..3 {
        park(format!("b{n}"), 3, CauseKind::Undecodable, format!("missing field `amount` at column {n}"))
            .await;
    }
    let parked = control.parked_groups("balances").await.unwrap();
    assert!(parked.complete);
    let seen: Vec<_> = parked
        .groups
        .iter()
        .map(|group| (group.streams, group.events, group.example.stream.id(), group.example.cause.kind))
        .collect();
    assert_eq!(seen, [(1_200, 2_400, "a0000", CauseKind::Panic), (3, 3, "b0", CauseKind::Undecodable)]);
    for group in &parked.groups {
        assert_eq!(group.fingerprint, group.example.fingerprint("balances"));
        assert_ne!(group.fingerprint, group.example.fingerprint("totals"));
    }
}
