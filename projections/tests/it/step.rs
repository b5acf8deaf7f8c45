//! The step, one rule a test.

use std::sync::Arc;

use headwater::{Recorded, Version};
use headwater_projections::rows::{LoadedRows, StoredRow};
use headwater_projections::{
    Batch, Definition, DefinitionError, Expect, Keys, MAX_TRANSACTION_ITEMS, Memory, Project, Projection,
    Revision, RowWrite, Source, Step, VersionWrite, step,
};
use serde::{Deserialize, Serialize};

use crate::harness::fresh;
use crate::model::{Account, AccountEvent, Balance, Total, account, commit, deposited, event, stored};

fn ten(id: &str, version: u64) -> Arc<headwater::Commit> {
    event(id, version, &deposited(10, "mon"))
}

fn only_row(writes: &headwater_projections::Writes) -> &RowWrite {
    assert_eq!(writes.transactions.len(), 1, "one write of one row: {writes:?}");
    &writes.transactions[0].rows[0]
}

#[test]
fn a_first_event_asks_for_its_row_and_stream_and_changes_nothing() {
    let definition = Definition::<Balance>::new().unwrap();
    let mut memory = Memory::new();
    let Step::Needs(wanted, gaps) = step(&definition, &mut memory, &vec![ten("1", 1)].into()) else {
        panic!("nothing is known yet");
    };
    assert!(gaps.is_empty() && memory.is_empty());
    assert_eq!(wanted.rows.into_iter().collect::<Vec<_>>(), ["1"]);
    assert_eq!(wanted.streams.into_iter().collect::<Vec<_>>(), [account("1")]);
}

#[test]
fn many_events_of_a_row_are_one_write() {
    let mut memory = Memory::<Balance>::new();
    let commits: Vec<_> = (1..=50).map(|version| ten("1", version)).collect();
    let writes = fresh(&mut memory, &commits);
    let row = only_row(&writes);
    assert_eq!((row.expect, row.revision), (Expect::Absent, Revision(50)));
    assert_eq!((writes.applied, writes.duplicates), (50, 0));
    assert_eq!(memory.row("1").map(|row| (row.balance, row.events)), Some((500, 50)));
    let writes = fresh(&mut memory, &[ten("1", 51)]);
    assert_eq!(only_row(&writes).expect, Expect::Revision(Revision(50)));
}

#[test]
fn repeats_are_dropped_and_write_nothing() {
    let mut memory = Memory::<Balance>::new();
    let _ = fresh(&mut memory, &[ten("1", 1), ten("1", 2)]);
    let writes = fresh(&mut memory, &[ten("1", 2), ten("1", 1)]);
    assert_eq!((writes.applied, writes.duplicates), (0, 2));
    assert!(writes.transactions.is_empty() && writes.advanced.is_empty());
}

#[test]
fn a_commit_that_was_applied_in_part_goes_on_where_it_stopped() {
    let mut memory = Memory::<Balance>::new();
    let _ = fresh(&mut memory, &[ten("1", 1), ten("1", 2)]);
    let event = ten("1", 1).events[0].clone();
    let whole = commit(&account("1"), 1, vec![event.clone(), event.clone(), event]);
    let writes = fresh(&mut memory, &[whole]);
    assert_eq!((writes.applied, writes.duplicates), (1, 2));
    assert_eq!(memory.row("1").map(|row| row.balance), Some(30));
}

#[test]
fn gaps_are_named_with_their_place_and_leave_memory_as_it_was() {
    let definition = Definition::<Balance>::new().unwrap();
    let mut memory = Memory::<Balance>::new();
    let _ = fresh(&mut memory, &[ten("1", 1), ten("2", 1)]);
    let batch = Batch::from(vec![ten("1", 2), ten("1", 5), ten("2", 3), ten("1", 6), ten("1", 9)]);
    let Step::Needs(wanted, gaps) = step(&definition, &mut memory, &batch) else { panic!("there are gaps") };
    assert!(wanted.is_empty());
    let gaps: Vec<_> =
        gaps.iter().map(|gap| (gap.stream.id(), gap.after.0, gap.until.0, gap.before)).collect();
    assert_eq!(gaps, [("1", 2, 4, 1), ("2", 1, 2, 2), ("1", 6, 8, 4)]);
    assert_eq!(memory.version(&account("1")), Some(Version(1)));
}

#[test]
fn a_stream_never_seen_before_starts_at_version_one() {
    let definition = Definition::<Total>::new().unwrap();
    let mut memory = Memory::<Total>::new();
    let batch = Batch::from(vec![ten("1", 3)]);
    let Step::Needs(wanted, _) = step(&definition, &mut memory, &batch) else { panic!("nothing is known") };
    memory.learn(&wanted, LoadedRows::default());
    let Step::Needs(_, gaps) = step(&definition, &mut memory, &batch) else { panic!("there is a gap") };
    assert_eq!((gaps[0].after, gaps[0].until), (Version::EMPTY, Version(2)));
}

#[test]
fn ignored_events_move_the_version_of_a_row_fed_by_one_stream() {
    let mut memory = Memory::<Balance>::new();
    let writes = fresh(&mut memory, &[event("1", 1, &AccountEvent::Noted {})]);
    let row = only_row(&writes);
    assert_eq!((row.revision, &row.fields), (Revision(1), &None), "a row without data yet");
    assert!(memory.row("1").is_none());
    let _ = fresh(&mut memory, &[ten("1", 2)]);
    let writes = fresh(&mut memory, &[event("1", 3, &AccountEvent::Noted {})]);
    let row = only_row(&writes);
    assert_eq!((row.revision, row.expect), (Revision(3), Expect::Revision(Revision(2))));
    assert!(row.fields.is_some(), "the data stay");
    assert_eq!(memory.row("1").map(|row| row.events), Some(1));
}

#[test]
fn ignored_events_move_the_version_of_a_stream_that_feeds_shared_rows() {
    let mut memory = Memory::<Total>::new();
    let noted = |version| event("1", version, &AccountEvent::Noted {});
    let writes = fresh(&mut memory, &[noted(1), noted(2)]);
    let expected = VersionWrite { stream: account("1"), version: Version(2), expect: Version::EMPTY };
    assert_eq!(writes.transactions.len(), 1);
    assert_eq!(writes.transactions[0].versions, [expected]);
    assert!(writes.transactions[0].rows.is_empty());
    assert_eq!(writes.advanced, [(account("1"), Version(2))]);
}

#[test]
fn other_categories_are_passed_over() {
    let mut memory = Memory::<Balance>::new();
    let other = headwater::StreamName::parse("door/1").unwrap();
    let writes = fresh(&mut memory, &[commit(&other, 7, vec![stored("Opened", "{}")])]);
    assert_eq!(writes, headwater_projections::Writes::default());
}

#[test]
fn a_deleted_row_keeps_its_version_and_starts_anew() {
    let mut memory = Memory::<Balance>::new();
    let writes = fresh(&mut memory, &[ten("1", 1), event("1", 2, &AccountEvent::Closed {})]);
    let row = only_row(&writes);
    assert_eq!((row.revision, &row.fields), (Revision(2), &None));
    let writes = fresh(&mut memory, &[ten("1", 3)]);
    assert_eq!(only_row(&writes).expect, Expect::Revision(Revision(2)));
    assert_eq!(memory.row("1").map(|row| (row.balance, row.events)), Some((10, 1)));
}

#[test]
fn shared_rows_and_versions_of_a_batch_are_one_transaction() {
    let mut memory = Memory::<Total>::new();
    let commits = [ten("1", 1), event("2", 1, &deposited(5, "tue")), ten("1", 2)];
    let writes = fresh(&mut memory, &commits);
    assert_eq!(writes.transactions.len(), 1);
    let transaction = &writes.transactions[0];
    let rows: Vec<_> = transaction.rows.iter().map(|row| (row.key.as_str(), row.expect)).collect();
    assert_eq!(rows, [("all", Expect::Absent), ("mon", Expect::Absent), ("tue", Expect::Absent)]);
    let versions: Vec<_> =
        transaction.versions.iter().map(|v| (v.stream.id(), v.expect.0, v.version.0)).collect();
    assert_eq!(versions, [("1", 0, 2), ("2", 0, 1)]);
    assert_eq!(memory.row("all").map(|row| (row.total, row.count)), Some((25, 3)));
    let writes = fresh(&mut memory, &[ten("3", 1)]);
    let all = &writes.transactions[0].rows[0];
    assert_eq!((all.expect, all.revision), (Expect::Revision(Revision(1)), Revision(2)));
}

#[test]
fn a_transaction_over_the_limit_is_split_at_a_prefix_of_the_feed() {
    let mut memory = Memory::<Total>::new();
    let commits: Vec<_> = (0..500).map(|n| ten(&format!("{n:03}"), 1)).collect();
    let writes = fresh(&mut memory, &commits);
    assert!(writes.transactions.len() > 1);
    let mut all = 0;
    for (index, transaction) in writes.transactions.iter().enumerate() {
        assert!(transaction.rows.len() + transaction.versions.len() <= MAX_TRANSACTION_ITEMS);
        let row = transaction.rows.iter().find(|row| row.key == "all").unwrap();
        assert_eq!(row.revision, Revision(index as u64 + 1));
        all += transaction.versions.len() as u64;
        let fields: Total = serde_json::from_slice(row.fields.as_deref().unwrap()).unwrap();
        assert_eq!(fields.count, all, "the row holds exactly the streams written with it");
    }
    assert_eq!(all, 500);
}

#[test]
fn an_event_that_was_split_applies_all_parts_under_one_version() {
    let commits = [commit(&account("1"), 1, vec![stored("Split", "{}"), stored("Dropped", "{}")])];
    let mut memory = Memory::<Balance>::new();
    let writes = fresh(&mut memory, &commits);
    assert_eq!((only_row(&writes).revision, writes.applied), (Revision(2), 2));
    assert_eq!(memory.row("1").map(|row| row.balance), Some(3));
    let mut memory = Memory::<Total>::new();
    let _ = fresh(&mut memory, &commits);
    let total = |key| memory.row(key).map(|row| (row.total, row.count));
    assert_eq!((total("mon"), total("tue"), total("all")), (Some((1, 1)), Some((2, 1)), Some((3, 2))));
}

#[test]
fn trimmed_memory_knows_what_the_last_batch_used() {
    let mut memory = Memory::<Balance>::new();
    let _ = fresh(&mut memory, &[ten("1", 1)]);
    let _ = fresh(&mut memory, &[ten("2", 1)]);
    memory.trim(4);
    assert_eq!(memory.len(), 4);
    memory.trim(3);
    assert_eq!((memory.version(&account("1")), memory.version(&account("2"))), (None, Some(Version(1))));
}

#[test]
fn what_a_store_answers_is_what_the_next_event_builds_on() {
    let definition = Definition::<Balance>::new().unwrap();
    let mut memory = Memory::<Balance>::new();
    let batch = Batch::from(vec![ten("1", 5)]);
    let Step::Needs(wanted, _) = step(&definition, &mut memory, &batch) else { panic!("nothing is known") };
    let fields = r#"{"balance":7,"events":4,"closed":false}"#.into();
    let row = StoredRow { key: "1".to_owned(), revision: Revision(4), fields: Some(fields) };
    memory.learn(&wanted, LoadedRows { rows: vec![row], ..LoadedRows::default() });
    let Step::Writes(writes) = step(&definition, &mut memory, &batch) else { panic!("everything is known") };
    assert_eq!(only_row(&writes).expect, Expect::Revision(Revision(4)));
    assert_eq!(memory.row("1").map(|row| (row.balance, row.events)), Some((17, 5)));
}

/// A projection whose definition is as the constants say.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Odd<const VERSION: u32, const SOURCES: usize, const SHARED: bool>;

impl<const V: u32, const N: usize, const S: bool> Projection for Odd<V, N, S> {
    const NAME: &'static str = "odd";
    const VERSION: u32 = V;
    const SHARED: bool = S;
    const INDEXES: &'static [&'static str] = &[];
    fn sources() -> Vec<Source<Self>> {
        (0..N).map(|_| Source::of::<Account>()).collect()
    }
}

impl<const V: u32, const N: usize, const S: bool> Project<Account> for Odd<V, N, S> {
    fn keys(_: &Recorded<'_, AccountEvent>) -> Keys {
        Keys::one("")
    }
    fn apply(&mut self, _: &Recorded<'_, AccountEvent>) {}
}

#[test]
fn definitions_are_checked_before_anything_runs() {
    let error = |result: Result<(), DefinitionError>| result.unwrap_err().to_string();
    let check = error(Definition::<Odd<0, 1, false>>::new().map(drop));
    assert_eq!(check, "projection odd has version 0: versions start at 1");
    let check = error(Definition::<Odd<1, 0, false>>::new().map(drop));
    assert!(check.contains("reads no aggregate"), "{check}");
    let check = error(Definition::<Odd<1, 2, true>>::new().map(drop));
    assert!(check.contains("reads category account twice"), "{check}");
}

#[test]
fn keys_that_are_not_allowed_park_the_stream_and_say_what_to_do() {
    let mut memory = Memory::<Odd<1, 1, false>>::new();
    let writes = fresh(&mut memory, &[ten("1", 1)]);
    let message = writes.parked[0].cause.to_string();
    assert!(message.contains("projection odd") && message.contains("add `shared`"), "{message}");
    let mut memory = Memory::<Odd<1, 1, true>>::new();
    let writes = fresh(&mut memory, &[ten("1", 1)]);
    let message = writes.parked[0].cause.to_string();
    assert!(message.contains("a key of 0 bytes"), "{message}");
}
