//! Events that cannot be applied: the stream is parked, nothing is skipped, others flow on.

use std::sync::Arc;

use headwater::{Recorded, Version};
use headwater_projections::rows::{LoadedRows, StoredRow};
use headwater_projections::{
    Batch, CauseKind, Definition, Expect, Keys, MAX_ROW_BYTES, Memory, MemoryRows, Parked, Project, Revision,
    RowStore, Step, step,
};
use serde::{Deserialize, Serialize};

use crate::harness::{Ledger, Owner, fresh, generation, live};
use crate::model::{Account, AccountEvent, Balance, Total, account, commit, deposited, event, stored};

fn poisoned() -> Vec<Arc<headwater::Commit>> {
    vec![
        event("1", 1, &deposited(1, "mon")),
        event("1", 2, &AccountEvent::Poison {}),
        event("2", 1, &deposited(5, "mon")),
        event("1", 3, &deposited(1, "mon")),
        event("2", 2, &deposited(5, "mon")),
        event("1", 4, &deposited(1, "mon")),
    ]
}

#[test]
fn a_panic_parks_its_stream_and_others_flow_on() {
    let mut memory = Memory::<Balance>::new();
    let writes = fresh(&mut memory, &poisoned());
    assert_eq!((writes.applied, writes.duplicates), (3, 0));
    let [Parked { stream, first_failing, highest, cause, attempts: 1 }] = &writes.parked[..] else {
        panic!("one stream is parked: {:?}", writes.parked)
    };
    assert_eq!((stream, *first_failing, *highest), (&account("1"), Version(2), Version(4)));
    assert_eq!((cause.kind, cause.message.as_str()), (CauseKind::Panic, "poison"));
    assert_eq!(memory.row("1").map(|row| row.balance), Some(1), "what came before is applied");
    assert_eq!(memory.row("2").map(|row| row.balance), Some(10));
}

#[test]
fn a_panic_in_one_of_several_rows_changes_none_of_them() {
    let mut memory = Memory::<Total>::new();
    let writes = fresh(&mut memory, &poisoned());
    assert_eq!(writes.applied, 3);
    assert_eq!(memory.row("all").map(|row| (row.total, row.count)), Some((11, 3)));
    assert_eq!(memory.version(&account("1")), Some(Version(1)));
}

#[test]
fn later_events_of_a_parked_stream_only_raise_the_highest_version() {
    let mut memory = Memory::<Balance>::new();
    let _ = fresh(&mut memory, &poisoned());
    let far = event("1", 90, &deposited(1, "mon"));
    let writes = fresh(&mut memory, &[Arc::clone(&far)]);
    assert_eq!(writes.parked[0].highest, Version(90), "and no gap is asked for");
    assert!(writes.transactions.is_empty() && writes.applied == 0);
    let writes = fresh(&mut memory, &[far]);
    assert!(writes.parked.is_empty(), "nothing new, nothing to write");
}

#[test]
fn events_that_do_not_decode_park_with_stream_version_and_type() {
    for (name, payload) in [("Renamed", "{}"), ("Deposited", "{\"amount\":\"many\"}")] {
        let mut memory = Memory::<Balance>::new();
        let writes = fresh(&mut memory, &[commit(&account("1"), 1, vec![stored(name, payload)])]);
        let cause = &writes.parked[0].cause;
        assert_eq!(cause.kind, CauseKind::Undecodable);
        for part in ["account/1", "event 1", name] {
            assert!(cause.message.contains(part), "{part} is missing in {}", cause.message);
        }
    }
}

#[test]
fn a_hole_in_the_ledger_parks_the_stream_in_front_of_it() {
    let definition = Definition::<Balance>::new().unwrap();
    let mut memory = Memory::new();
    let _ = fresh(&mut memory, &[event("1", 1, &deposited(1, "mon"))]);
    let mut batch = Batch::from(vec![event("1", 5, &deposited(1, "mon"))]);
    batch.holes.insert(account("1"), "it ends at version 1".to_owned());
    let Step::Writes(writes) = step(&definition, &mut memory, &batch) else { panic!("nothing is needed") };
    let parked = &writes.parked[0];
    assert_eq!((parked.first_failing, parked.highest), (Version(2), Version(5)));
    assert_eq!(parked.cause.kind, CauseKind::Missing);
}

#[test]
fn a_stored_row_that_does_not_fit_parks_its_stream() {
    let definition = Definition::<Balance>::new().unwrap();
    let mut memory = Memory::<Balance>::new();
    for commits in [poisoned(), vec![event("1", 1, &AccountEvent::Noted {})]] {
        memory.clear();
        let batch = Batch::from(commits);
        let Step::Needs(wanted, _) = step(&definition, &mut memory, &batch) else {
            panic!("nothing is known")
        };
        let row = StoredRow { key: "1".into(), revision: Revision(0), fields: Some("{\"odd\":1}".into()) };
        memory.learn(&wanted, LoadedRows { rows: vec![row], ..LoadedRows::default() });
        let Step::Writes(writes) = step(&definition, &mut memory, &batch) else { panic!("all is known") };
        assert_eq!(writes.parked[0].cause.kind, CauseKind::Row);
        assert!(writes.parked[0].cause.message.contains("raise the version"));
    }
}

/// A row whose reading panics.
#[derive(Debug, Default, Clone, Serialize, headwater::Projection)]
#[projection(name = "brittle", version = 1, from(Account))]
struct Brittle {}

impl<'de> Deserialize<'de> for Brittle {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("brittle")
    }
}

impl Project<Account> for Brittle {
    fn apply(&mut self, _: &Recorded<'_, AccountEvent>) {}
}

#[test]
fn a_row_whose_reading_panics_parks_its_stream_and_nothing_else() {
    let definition = Definition::<Brittle>::new().unwrap();
    let mut memory = Memory::<Brittle>::new();
    let batch = Batch::from(vec![event("1", 2, &deposited(1, "mon")), event("2", 1, &deposited(1, "mon"))]);
    let Step::Needs(wanted, _) = step(&definition, &mut memory, &batch) else { panic!("nothing is known") };
    let row = StoredRow { key: "1".into(), revision: Revision(1), fields: Some("{}".into()) };
    memory.learn(&wanted, LoadedRows { rows: vec![row], ..LoadedRows::default() });
    let Step::Writes(writes) = step(&definition, &mut memory, &batch) else { panic!("all is known") };
    assert_eq!((writes.applied, writes.parked.len()), (1, 1));
    assert_eq!((&writes.parked[0].stream, writes.parked[0].cause.kind), (&account("1"), CauseKind::Row));
    assert!(writes.parked[0].cause.message.contains("brittle"), "{}", writes.parked[0].cause.message);
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "history", version = 1, from(Account), shared)]
struct History {
    text: String,
}

impl Project<Account> for History {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        match event.event {
            AccountEvent::Deposited { amount, .. } if *amount == 0 => {
                Keys::many((0..200).map(|n| n.to_string()))
            }
            _ => Keys::Stream,
        }
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        if let AccountEvent::Deposited { amount, .. } = event.event {
            self.text.push_str(&"x".repeat(usize::try_from(*amount).unwrap_or(0)));
        }
    }
}

#[test]
fn a_row_over_the_limit_parks_at_the_event_that_is_to_blame() {
    let half = deposited(MAX_ROW_BYTES as i64 / 2, "mon");
    let mut commits: Vec<_> = (1..=3).map(|version| event("1", version, &half)).collect();
    commits.extend((1..=30).map(|n| event(&format!("o{n}"), 1, &half)));
    let mut memory = Memory::<History>::new();
    let writes = fresh(&mut memory, &commits);
    assert_eq!(writes.parked.len(), 1);
    assert_eq!((writes.parked[0].first_failing, writes.parked[0].highest), (Version(2), Version(3)));
    assert_eq!(writes.parked[0].cause.kind, CauseKind::TooLarge);
    assert_eq!(writes.applied, 31);
    assert!(writes.transactions.len() > 1, "31 half rows are more bytes than a transaction takes");
}

#[test]
fn an_event_with_more_rows_than_a_transaction_takes_parks() {
    let mut memory = Memory::<History>::new();
    let writes =
        fresh(&mut memory, &[event("1", 1, &deposited(0, "mon")), event("2", 1, &deposited(1, "mon"))]);
    assert_eq!((writes.applied, writes.parked[0].cause.kind), (1, CauseKind::TooLarge));
}

#[tokio::test]
async fn a_parked_stream_is_still_parked_for_a_new_owner() {
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let _ = Owner::<Balance>::new(Arc::clone(&rows), Ledger::new()).carry(&poisoned()).await;
    let mut owner = Owner::<Balance>::new(Arc::clone(&rows), Ledger::new());
    let writes = owner.carry(&[event("1", 7, &deposited(1, "mon"))]).await;
    assert_eq!((writes.parked[0].first_failing, writes.parked[0].highest), (Version(2), Version(7)));
    assert_eq!(live::<Balance>(rows.as_ref()).await["1"].balance, 1);
}

#[tokio::test]
async fn a_parked_record_that_another_owner_has_got_past_is_void() {
    let rows: Arc<dyn RowStore> = Arc::new(MemoryRows::new());
    let mut owner = Owner::<Balance>::new(Arc::clone(&rows), Ledger::new());
    let commits: Vec<_> = (1..=3).map(|version| event("1", version, &deposited(1, "mon"))).collect();
    let _ = owner.carry(&commits).await;
    let generation = generation::<Balance>();
    let mut parked = fresh(&mut Memory::<Balance>::new(), &poisoned()).parked;
    rows.park(&generation, &parked.remove(0)).await.unwrap();
    owner.memory.clear();
    let writes = owner.carry(&[event("1", 4, &deposited(1, "mon"))]).await;
    assert_eq!((writes.applied, writes.parked.len()), (1, 0));
    assert_eq!(writes.transactions[0].rows[0].expect, Expect::Revision(Revision(3)));
}
