//! Checks of command keys: the same command sent twice is carried out once.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::executor::{carry_out, carry_out_with, counter, load};
use super::tools::{join, same, whole};
use super::{Backend, Pages};
use crate::execute::{ExecuteError, Executor, Options};
use crate::testing::counter::{Counter, CounterCommand};
use crate::{CommandKey, Version};

pub(super) async fn the_same_key_twice_changes_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let id = counter("twice");
    let command = CounterCommand::Add { amount: 3 };
    let executor = Executor::new(Arc::clone(&store));
    carry_out(&executor, &id, CounterCommand::Add { amount: 1 }).await;
    // The first try moves the version the caller expects: a repeat must be answered nevertheless.
    let options = with_key("pay-1").at(Version(1));
    let first = carry_out_with(&executor, &id, command.clone(), &options).await;
    assert!(!first.replayed, "a first try is no repeat");
    for other_commands in [0, 3] {
        for _ in 0..other_commands {
            carry_out(&executor, &id, CounterCommand::Count { times: 2 }).await;
        }
        for executor in [executor.clone(), Executor::new(Arc::clone(&store))] {
            let before = whole(&*store, id.stream()).await;
            let again = carry_out_with(&executor, &id, command.clone(), &options).await;
            assert!(again.replayed, "a repeat is answered as one");
            assert_eq!(
                (again.version, again.events),
                (first.version, first.events.clone()),
                "the first outcome"
            );
            same(&whole(&*store, id.stream()).await, &before, "a repeat changes nothing");
        }
    }
}

pub(super) async fn the_same_key_for_another_command_is_refused(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let id = counter("reused");
    let executor = Executor::new(Arc::clone(&store));
    let options = with_key("pay-1");
    carry_out_with(&executor, &id, CounterCommand::Add { amount: 3 }, &options).await;
    let others = [
        CounterCommand::Add { amount: 4 },
        CounterCommand::Subtract { amount: 3 },
        CounterCommand::Count { times: 3 },
    ];
    for other in others {
        for executor in [executor.clone(), Executor::new(Arc::clone(&store))] {
            match executor.execute_with(&id, other.clone(), &options).await {
                Err(ExecuteError::KeyReused { first, .. }) => assert_eq!(first, Version(1)),
                outcome => panic!("{other:?} under a used key must be refused, but: {outcome:?}"),
            }
            assert_eq!(load(&*store, &id).await.version, Version(1), "a key that was used changes nothing");
        }
    }
    // Keys belong to their stream.
    let other = counter("elsewhere");
    let elsewhere = carry_out_with(&executor, &other, CounterCommand::Count { times: 3 }, &options).await;
    assert!(!elsewhere.replayed, "the same key on another stream is another key");
}

pub(super) async fn keys_are_remembered_across_snapshots(backend: &dyn Backend) {
    let store = backend.open(Pages::Tiny).await.store;
    let id = counter("remembered");
    let executor = Executor::new(Arc::clone(&store));
    let command = |number: u64| CounterCommand::Count { times: number % 3 + 1 };
    let mut versions = Vec::new();
    for number in 0..40 {
        let done = carry_out_with(&executor, &id, command(number), &with_key(&format!("key-{number}"))).await;
        versions.push(done.version);
    }
    let commits = whole(&*store, id.stream()).await;
    let snapshots = commits.iter().filter(|commit| commit.snapshot.is_some()).count();
    assert!(snapshots > 1, "the stream is long enough for several snapshots");
    for (number, version) in (0..).zip(versions) {
        let executor = Executor::new(Arc::clone(&store));
        let again =
            carry_out_with(&executor, &id, command(number), &with_key(&format!("key-{number}"))).await;
        assert!(again.replayed, "key {number} is remembered behind {snapshots} snapshots");
        assert_eq!(again.version, version, "the first outcome of key {number}");
    }
    assert_eq!(whole(&*store, id.stream()).await.len(), commits.len(), "repeats change nothing");
}

pub(super) async fn a_key_that_races_with_itself_is_carried_out_once(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    for round in 0..scale.rounds {
        let id = counter(&format!("race-{round}"));
        let mut tasks = JoinSet::new();
        for _ in 0..scale.writers {
            let (id, executor) = (id.clone(), Executor::new(Arc::clone(&store)));
            tasks.spawn(async move {
                let options = with_key("once");
                carry_out_with(&executor, &id, CounterCommand::Add { amount: 5 }, &options).await.replayed
            });
        }
        let first_tries = join(tasks).await.into_iter().filter(|replayed| !replayed).count();
        assert_eq!(first_tries, 1, "one of the requests is carried out, the others are answered as repeats");
        assert_eq!(load(&*store, &id).await.state, Counter { value: 5, changes: 1 });
    }
}

fn with_key(key: &str) -> Options {
    Options::new().key(CommandKey::new(key).expect("the keys of the checks are valid"))
}
