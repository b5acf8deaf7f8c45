//! Checks of several streams written together.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::tools::{append, fill, join, name, newest, version, whole};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, Exists, NoStream};
use crate::store::{Appended, Check, Conflict, EventStore, StoreError, Transaction};
use crate::{StreamName, Version};

pub(super) async fn a_transaction_writes_every_stream(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let streams: Vec<_> = (0..10).map(|number| name(&format!("together-{number}"))).collect();
    for round in 0..3 {
        let appends = streams.iter().map(|stream| append(stream, Exact(Version(round * 2)), 2)).collect();
        let appended = commit(&*store, Transaction { appends, checks: vec![] }).await;
        for (stream, appended) in streams.iter().zip(&appended) {
            assert!(!appended.own_retry, "a first try is no retry");
            assert_eq!(&appended.commit.stream, stream, "answers come in the order of the appends");
            assert_eq!(appended.commit.first, Version(round * 2 + 1));
            assert_eq!(
                whole(&*store, stream).await.last(),
                Some(&appended.commit),
                "what was answered is stored"
            );
        }
        assert_eq!(appended.len(), streams.len(), "there is an answer for every append");
    }
}

pub(super) async fn a_transaction_in_conflict_writes_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let streams = ["first", "second", "third"].map(name);
    for stream in &streams {
        fill(&*store, stream, &[2]).await;
    }
    for wrong in 0..streams.len() {
        let expected = |index: usize| if index < wrong { Exact(Version(2)) } else { NoStream };
        let appends = streams.iter().enumerate().map(|(index, stream)| append(stream, expected(index), 1));
        let conflict = refused(&*store, Transaction { appends: appends.collect(), checks: vec![] }).await;
        assert_eq!(
            Some(&conflict.stream),
            streams.get(wrong),
            "it names the first stream that is in the way"
        );
        assert_eq!((conflict.expected, conflict.actual), (NoStream, Version(2)));
        for stream in &streams {
            assert_eq!(
                version(&*store, stream).await,
                Version(2),
                "{stream} must not change: all or nothing"
            );
        }
    }
}

pub(super) async fn a_stream_that_is_only_checked_can_refuse_a_transaction(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let (written, checked, absent) = (name("written"), name("checked"), name("absent"));
    fill(&*store, &checked, &[3]).await;
    let cases = [
        (&checked, NoStream, false),
        (&checked, Exact(Version(2)), false),
        (&checked, Exact(Version(4)), false),
        (&absent, Exists, false),
        (&absent, Exact(Version(1)), false),
        (&checked, Exact(Version(3)), true),
        (&checked, Exists, true),
        (&absent, NoStream, true),
        (&absent, Exact(Version::EMPTY), true),
        (&absent, Any, true),
    ];
    for (stream, expected, allowed) in cases {
        let before = version(&*store, &written).await;
        let checks = vec![Check { stream: stream.clone(), expected }];
        let transaction = Transaction { appends: vec![append(&written, Any, 1)], checks };
        if allowed {
            commit(&*store, transaction).await;
        } else {
            let conflict = refused(&*store, transaction).await;
            assert_eq!(&conflict.stream, stream, "the conflict names the stream that is only checked");
            assert_eq!(conflict.expected, expected);
        }
        let after = before.plus(u64::from(allowed));
        assert_eq!(version(&*store, &written).await, after, "after a check of {stream} for {expected}");
    }
    assert_eq!(version(&*store, &checked).await, Version(3), "a check writes nothing");
    assert_eq!(version(&*store, &absent).await, Version::EMPTY, "a check makes no stream");
}

/// Each of two transactions writes what the other wants untouched: at most one may succeed.
pub(super) async fn checks_hold_against_a_race(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    for round in 0..backend.scale().rounds * 2 {
        let streams = ["left", "right"].map(|side| name(&format!("{side}-{round}")));
        let mut tasks = JoinSet::new();
        for (written, checked) in [(0, 1), (1, 0)] {
            let side = |index: usize| streams.get(index).cloned().expect("there are two sides");
            let checks = vec![Check { stream: side(checked), expected: NoStream }];
            let transaction = Transaction { appends: vec![append(&side(written), NoStream, 1)], checks };
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                match attempt(&*store, transaction).await {
                    Ok(_) => true,
                    Err(StoreError::Conflict(_)) => false,
                    Err(error) => panic!("a transaction that loses gets a conflict, but: {error}"),
                }
            });
        }
        let winners = join(tasks).await.into_iter().filter(|won| *won).count();
        assert!(winners <= 1, "both transactions were stored, although each checks the other's stream");
    }
}

pub(super) async fn half_a_transaction_is_never_seen(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let rounds = backend.scale().rounds * 4;
    let pair = ["debit", "credit"].map(name);
    let mut tasks = JoinSet::new();
    for order in [[0, 1], [1, 0]] {
        let [earlier, later] = order.map(|index| pair.get(index).cloned().expect("there are two"));
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut seen = Version::EMPTY;
            while seen < Version(rounds) {
                seen = head(&*store, &earlier).await;
                let other = head(&*store, &later).await;
                assert!(
                    other >= seen,
                    "{earlier} was seen at {seen}, then {later} at {other}: half a transaction"
                );
                tokio::task::yield_now().await;
            }
        });
    }
    for round in 0..rounds {
        let appends = pair.iter().map(|stream| append(stream, Exact(Version(round)), 1)).collect();
        commit(&*store, Transaction { appends, checks: vec![] }).await;
    }
    join(tasks).await;
}

/// Transfers in both directions at once, with a stream that others write alone. Nothing may hang or be half done.
pub(super) async fn transactions_that_cross_keep_the_books(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let scale = backend.scale();
    let accounts: Vec<_> = (0..5).map(|number| name(&format!("book-{number}"))).collect();
    let mut tasks = JoinSet::new();
    for writer in 0..scale.writers {
        let (store, accounts) = (Arc::clone(&store), accounts.clone());
        tasks.spawn(async move {
            for round in 0..scale.rounds {
                let pick = |number: u64| accounts.iter().cycle().nth(usize::try_from(number).unwrap_or(0));
                let (from, to) = (writer, writer + 1 + round % 4);
                let (from, to) = if round % 2 == 0 { (from, to) } else { (to, from) };
                transfer(&*store, [pick(from), pick(to)].map(|stream| stream.expect("a cycle has no end")))
                    .await;
            }
        });
    }
    join(tasks).await;
    let mut commits = 0;
    for account in &accounts {
        commits += whole(&*store, account).await.len() as u64;
    }
    assert_eq!(commits, scale.writers * scale.rounds * 2, "every transfer is in both of its streams, once");
}

async fn transfer(store: &dyn EventStore, streams: [&StreamName; 2]) {
    loop {
        let mut appends = Vec::new();
        for stream in streams {
            let expected = Exact(head(store, stream).await);
            appends.push(append(stream, expected, 1));
        }
        match attempt(store, Transaction { appends, checks: vec![] }).await {
            Ok(_) => return,
            Err(StoreError::Conflict(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("a transaction that loses gets a conflict, but: {error}"),
        }
    }
}

async fn head(store: &dyn EventStore, stream: &StreamName) -> Version {
    newest(store, stream).await.map_or(Version::EMPTY, |commit| commit.last())
}

/// Sends a transaction, again while that helps.
pub(super) async fn attempt(
    store: &dyn EventStore,
    transaction: Transaction,
) -> Result<Vec<Appended>, StoreError> {
    let mut tries = 0;
    loop {
        match store.append_all(transaction.clone()).await {
            Err(error) if error.retry_helps() && tries < 10 => {
                tries += 1;
                tokio::time::sleep(std::time::Duration::from_millis(20) * tries).await;
            }
            outcome => return outcome,
        }
    }
}

/// A transaction that must succeed.
pub(super) async fn commit(store: &dyn EventStore, transaction: Transaction) -> Vec<Appended> {
    match attempt(store, transaction).await {
        Ok(appended) => appended,
        Err(error) => panic!("a transaction must succeed, but: {error}"),
    }
}

/// A transaction that must be refused with a conflict.
pub(super) async fn refused(store: &dyn EventStore, transaction: Transaction) -> Conflict {
    match attempt(store, transaction).await {
        Err(StoreError::Conflict(conflict)) => *conflict,
        Err(error) => panic!("a transaction must be a conflict, but: {error}"),
        Ok(_) => panic!("a transaction must be a conflict, but it was stored"),
    }
}
