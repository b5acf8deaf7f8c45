//! Checks of commands carried out on the store: snapshots, races, reads from an older moment.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::tools::{join, whole};
use super::{Backend, Pages};
use crate::execute::{ExecuteError, Executed, Executor, Fold, Options};
use crate::store::{Consistency, EventStore, EventStoreExt};
use crate::testing::counter::{Counter, CounterCommand, CounterEvent, CounterRefusal};
use crate::testing::{Stale, Tampered, Tampering};
use crate::{Expected, Id, Version};

pub(super) async fn state_from_snapshot_and_tail_equals_a_full_replay(backend: &dyn Backend) {
    let store = backend.open(Pages::Tiny).await.store;
    for times in [1, 2, 3, 7, 10, 13, 25] {
        let id = counter(&format!("batches-of-{times}"));
        let mut snapshots = 0;
        for step in 1..=12 {
            // An executor of its own has nothing cached and loads what is stored.
            let done =
                carry_out(&Executor::new(Arc::clone(&store)), &id, CounterCommand::Count { times }).await;
            snapshots += u64::from(done.commit.is_some_and(|commit| commit.snapshot.is_some()));
            let loaded = load(&*store, &id).await;
            let replayed = Fold::<Counter>::at(&*store, id.stream(), Version(u64::MAX)).await;
            let replayed = replayed.expect("a stream must be readable");
            let expected = Counter { value: times * step, changes: times * step };
            assert_eq!(replayed.state, expected, "a full replay after {step} commits of {times}");
            assert_eq!(
                (loaded.state, loaded.version),
                (expected, replayed.version),
                "the same from a snapshot"
            );
        }
        assert!(snapshots > 0, "some of the commits of {times} events carry a snapshot");
    }
}

pub(super) async fn deleted_and_undecodable_snapshots_change_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    for tampering in [Tampering::Deleted, Tampering::NotJson, Tampering::OtherShape] {
        let id = counter(&format!("tampered-{tampering:?}"));
        let honest = Executor::new(Arc::clone(&store));
        for _ in 0..7 {
            carry_out(&honest, &id, CounterCommand::Count { times: 4 }).await;
        }
        let loaded = store.load(id.stream(), Some(1), Consistency::Strong).await;
        assert!(loaded.is_ok_and(|loaded| loaded.snapshot.is_some()), "there is a snapshot to tamper with");
        let tampered: Arc<dyn EventStore> = Arc::new(Tampered::new(Arc::clone(&store), tampering));
        for step in 1..=7 {
            assert_eq!(load(&*tampered, &id).await.state, load(&*store, &id).await.state, "{tampering:?}");
            let executor = Executor::new(Arc::clone(&tampered));
            let done = carry_out(&executor, &id, CounterCommand::Add { amount: 2 }).await;
            assert_eq!(done.version, Version(28 + step), "a command on {tampering:?} snapshots");
        }
        let expected = Counter { value: 28 + 14, changes: 28 + 7 };
        assert_eq!(load(&*store, &id).await.state, expected, "commands on {tampering:?} snapshots are right");
    }
}

pub(super) async fn commands_at_once_are_all_counted(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    for shared in [true, false] {
        let id = counter(&format!("at-once-{shared}"));
        let together = Executor::new(Arc::clone(&store));
        let mut tasks = JoinSet::new();
        for _ in 0..scale.writers {
            let id = id.clone();
            let executor = if shared { together.clone() } else { Executor::new(Arc::clone(&store)) };
            tasks.spawn(async move {
                for _ in 0..scale.rounds {
                    carry_out(&executor, &id, CounterCommand::Add { amount: 1 }).await;
                }
            });
        }
        join(tasks).await;
        let expected = scale.writers * scale.rounds;
        let state = load(&*store, &id).await.state;
        assert_eq!(state, Counter { value: expected, changes: expected }, "one executor for all: {shared}");
        assert_eq!(whole(&*store, id.stream()).await.len() as u64, expected);
    }
}

pub(super) async fn a_refusal_on_a_stale_read_is_confirmed(backend: &dyn Backend) {
    let (stale, id) = behind(backend).await;
    // The truth is 11, a stale read says 1.
    let executor = Executor::new(Arc::clone(&stale));
    let outcome = executor.execute(&id, CounterCommand::Subtract { amount: 5 }).await;
    assert!(outcome.is_ok(), "11 is enough for 5, whatever a stale read says: {outcome:?}");
    let executor = Executor::new(Arc::clone(&stale));
    match executor.execute(&id, CounterCommand::Subtract { amount: 7 }).await {
        Err(ExecuteError::Refused { refusal: CounterRefusal::BelowZero { value }, version }) => {
            assert_eq!((value, version), (6, Version(4)), "a refusal is about the head");
        }
        other => panic!("7 from 6 must be refused, but: {other:?}"),
    }
    let executor = Executor::new(stale);
    let nothing = executor.execute(&id, CounterCommand::Add { amount: 0 }).await;
    let nothing = nothing.expect("a command without effect succeeds");
    assert_eq!(nothing.version, Version(4), "a command without effect answers with the head");
}

pub(super) async fn a_precondition_on_a_stale_read_is_not_false(backend: &dyn Backend) {
    let (stale, id) = behind(backend).await;
    // The truth is version 3, a stale read says 1.
    for (expected, allowed) in [
        (Expected::Exact(Version(1)), false),
        (Expected::Exact(Version(4)), false),
        (Expected::NoStream, false),
        (Expected::Exact(Version(3)), true),
    ] {
        let executor = Executor::new(Arc::clone(&stale));
        let options = Options::new().expected(expected);
        match executor.execute_with(&id, CounterCommand::Add { amount: 1 }, &options).await {
            Ok(done) => assert!(allowed && done.version == Version(4), "{expected} must not be accepted"),
            Err(ExecuteError::Precondition { actual, .. }) => {
                assert!(!allowed, "a false conflict: {expected} is the head, right after it was written");
                assert_eq!(actual, Version(3), "a failed precondition names the head");
            }
            Err(error) => panic!("{expected} must be allowed or a failed precondition, but: {error}"),
        }
    }
}

/// A counter at version 3 and value 11 that cheap reads see at version 1 and value 1.
async fn behind(backend: &dyn Backend) -> (Arc<dyn EventStore>, Id<Counter>) {
    let store = backend.open(Pages::Default).await.store;
    let id = counter("behind");
    let truth = Executor::new(Arc::clone(&store));
    carry_out(&truth, &id, CounterCommand::Add { amount: 1 }).await;
    let stale = Stale::new(store);
    stale.freeze(id.stream()).await.expect("a stream must be readable");
    for _ in 0..2 {
        carry_out(&truth, &id, CounterCommand::Add { amount: 5 }).await;
    }
    let seen = Fold::<Counter>::load(&stale, id.stream(), Consistency::Eventual).await;
    assert_eq!(
        seen.expect("a stream must be readable").version,
        Version(1),
        "cheap reads come from an older moment"
    );
    (Arc::new(stale), id)
}

pub(super) fn counter(id: &str) -> Id<Counter> {
    Id::new(id).expect("the ids of the checks are valid")
}

pub(super) async fn load(store: &dyn EventStore, id: &Id<Counter>) -> Fold<Counter> {
    let fold = Fold::load(store, id.stream(), Consistency::Strong).await;
    fold.expect("a stream of counter events can be folded")
}

/// Carries out a command that must succeed, again while that helps.
pub(super) async fn carry_out(
    executor: &Executor,
    id: &Id<Counter>,
    command: CounterCommand,
) -> Executed<CounterEvent> {
    carry_out_with(executor, id, command, &Options::new()).await
}

/// The same with options.
pub(super) async fn carry_out_with(
    executor: &Executor,
    id: &Id<Counter>,
    command: CounterCommand,
    options: &Options,
) -> Executed<CounterEvent> {
    loop {
        match executor.execute_with(id, command.clone(), options).await {
            Ok(executed) => return executed,
            Err(error) if error.retry_helps() => tokio::task::yield_now().await,
            Err(error) => panic!("{command:?} on {id} must succeed, but: {error}"),
        }
    }
}
