//! Properties: whatever the feed does, rows equal a plain fold.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::{Commit, Event};
use headwater_projections::rows::Written;
use headwater_projections::{MemoryRows, Projection, RowStore};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::{Ledger, Owner, live};
use crate::model::{AccountEvent, Balance, Total, account, commit, deposited, plain_balances, plain_totals};

fn any_event() -> impl Strategy<Value = AccountEvent> {
    let day = prop_oneof![Just("mon"), Just("tue"), Just("wed")];
    prop_oneof![
        6 => (1..100_i64, day).prop_map(|(amount, day)| deposited(amount, day)),
        2 => Just(AccountEvent::Noted {}),
        1 => Just(AccountEvent::Closed {}),
    ]
}

/// Streams, each a list of commits of 1 to 3 events.
fn any_streams() -> impl Strategy<Value = Vec<Vec<Vec<AccountEvent>>>> {
    vec(vec(vec(any_event(), 1..4), 1..8), 1..5)
}

/// What the feed does: for each record an index into all commits, so that records are missing, repeated and in any
/// order, and for each record whether a batch ends there and memory is dropped.
fn any_feed() -> impl Strategy<Value = Vec<(prop::sample::Index, bool, bool)>> {
    vec((any::<prop::sample::Index>(), prop::bool::weighted(0.3), prop::bool::weighted(0.05)), 0..60)
}

type Streams = BTreeMap<String, Vec<AccountEvent>>;

fn build(streams: &[Vec<Vec<AccountEvent>>]) -> (Ledger, Streams) {
    let (mut ledger, mut plain) = (Ledger::new(), Streams::new());
    for (id, commits) in streams.iter().enumerate() {
        let stream = account(&id.to_string());
        let mut version = 1;
        for events in commits {
            let data = events.iter().map(|event| event.encode().unwrap()).collect();
            ledger.entry(stream.to_string()).or_default().push(commit(&stream, version, data));
            plain.entry(stream.id().to_owned()).or_default().extend(events.iter().cloned());
            version += events.len() as u64;
        }
    }
    (ledger, plain)
}

/// The records of the feed, and at the end the last commit of each stream: the hint that brings everything in.
fn records(ledger: &Ledger, feed: &[(prop::sample::Index, bool, bool)]) -> Vec<(Arc<Commit>, bool, bool)> {
    let all: Vec<_> = ledger.values().flatten().cloned().collect();
    let chosen =
        feed.iter().map(|(index, end, clear)| (Arc::clone(index.get::<Arc<Commit>>(&all)), *end, *clear));
    let last = ledger.values().filter_map(|commits| Some((Arc::clone(commits.last()?), false, false)));
    chosen.chain(last).collect()
}

fn batches(records: Vec<(Arc<Commit>, bool, bool)>) -> Vec<(Vec<Arc<Commit>>, bool)> {
    let mut batches = vec![(Vec::new(), false)];
    for (commit, end, clear) in records {
        let open = batches.last_mut().unwrap();
        open.0.push(commit);
        open.1 |= clear;
        if end {
            batches.push((Vec::new(), false));
        }
    }
    batches
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn carried<P: Projection>(
    ledger: &Ledger,
    batches: &[(Vec<Arc<Commit>>, bool)],
) -> BTreeMap<String, P> {
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let mut owner = Owner::<P>::new(Arc::clone(&rows), ledger.clone());
    for (commits, clear) in batches {
        let writes = owner.carry(commits).await;
        assert!(writes.parked.is_empty());
        if *clear {
            owner.memory.clear();
        }
    }
    let events: usize = ledger.values().flatten().map(|commit| commit.events.len()).sum();
    assert_eq!(owner.applied, events as u64, "each event is applied once");
    live(rows.as_ref()).await
}

/// Two owners of the same rows; `turns` says who decides next, and whether the other gets in between before the write.
async fn fought_over<P: Projection>(
    ledger: &Ledger,
    batches: &[(Vec<Arc<Commit>>, bool)],
    turns: &[bool],
) -> (BTreeMap<String, P>, u64) {
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let mut one = Owner::<P>::new(Arc::clone(&rows), ledger.clone());
    let mut two = Owner::<P>::new(Arc::clone(&rows), ledger.clone());
    let mut lost = 0;
    for ((commits, _), turn) in batches.iter().zip(turns.iter().cycle()) {
        let decided = one.decide(commits).await;
        if *turn {
            two.carry(commits).await;
        }
        if one.write(&decided).await == Written::Lost {
            lost += 1;
            one.carry(commits).await;
        }
    }
    for (commits, _) in batches {
        two.carry(commits).await;
    }
    (live(rows.as_ref()).await, lost)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_split_repetition_order_and_loss_gives_the_rows_of_a_plain_fold(
        streams in any_streams(), feed in any_feed(),
    ) {
        let (ledger, plain) = build(&streams);
        let batches = batches(records(&ledger, &feed));
        let got = block_on(carried::<Balance>(&ledger, &batches));
        let got: BTreeMap<_, _> = got.into_iter().map(|(key, row)| (key, (row.balance, row.events))).collect();
        prop_assert_eq!(got, plain_balances(&plain));
        let got = block_on(carried::<Total>(&ledger, &batches));
        let got: BTreeMap<_, _> = got.into_iter().map(|(key, row)| (key, (row.total, row.count))).collect();
        prop_assert_eq!(got, plain_totals(&plain));
    }

    #[test]
    fn two_live_owners_cost_time_and_not_truth(
        streams in any_streams(), feed in any_feed(), turns in vec(any::<bool>(), 1..10),
    ) {
        let (ledger, plain) = build(&streams);
        let batches = batches(records(&ledger, &feed));
        let (got, _) = block_on(fought_over::<Balance>(&ledger, &batches, &turns));
        let got: BTreeMap<_, _> = got.into_iter().map(|(key, row)| (key, (row.balance, row.events))).collect();
        prop_assert_eq!(got, plain_balances(&plain));
        let (got, _) = block_on(fought_over::<Total>(&ledger, &batches, &turns));
        let got: BTreeMap<_, _> = got.into_iter().map(|(key, row)| (key, (row.total, row.count))).collect();
        prop_assert_eq!(got, plain_totals(&plain));
    }
}

#[tokio::test]
async fn an_owner_that_was_overtaken_loses_its_write_and_decides_again() {
    let (ledger, plain) = build(&[vec![vec![deposited(1, "mon")], vec![deposited(2, "mon")]]]);
    let all = vec![(ledger.values().flatten().cloned().collect::<Vec<_>>(), false)];
    let (rows, lost) = fought_over::<Balance>(&ledger, &all, &[true]).await;
    assert_eq!((rows["0"].balance, lost), (plain_balances(&plain)["0"].0, 1));
    let (rows, lost) = fought_over::<Total>(&ledger, &all, &[true]).await;
    assert_eq!((rows["all"].total, lost), (3, 1));
}
