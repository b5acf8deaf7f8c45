//! Checks of retries: the same commit id again answers with the first outcome and doubles nothing.

use std::slice::from_ref;

use super::tools::{append, attempt, fill, name, same, whole};
use super::transactions::{attempt as attempt_all, commit, refused};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, Exists, NoStream};
use crate::Version;
use crate::store::{Append, Check, EventStore, Transaction};

pub(super) async fn an_append_sent_again_is_recognised(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    for append in every_form(&*store).await {
        again(&*store, append, 0).await;
    }
}

pub(super) async fn an_append_sent_again_late_is_recognised(backend: &dyn Backend) {
    let store = backend.open(Pages::Tiny).await.store;
    for append in every_form(&*store).await {
        again(&*store, append, 7).await;
    }
}

pub(super) async fn a_transaction_sent_again_is_recognised(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let (new, old, checked) = (name("retried-new"), name("retried-old"), name("retried-check"));
    fill(&*store, &old, &[2]).await;
    let transaction = Transaction {
        appends: vec![append(&new, NoStream, 2), append(&old, Exact(Version(2)), 1)],
        checks: vec![Check { stream: checked.clone(), expected: NoStream }],
    };
    let first = commit(&*store, transaction.clone()).await;
    for later in [false, true] {
        if later {
            // Everything the transaction names has moved on, the checked stream too.
            for stream in [&new, &old, &checked] {
                fill(&*store, stream, &[1, 2]).await;
            }
        }
        let lengths = [whole(&*store, &new).await.len(), whole(&*store, &old).await.len()];
        let second = match attempt_all(&*store, transaction.clone()).await {
            Ok(second) => second,
            Err(error) => {
                panic!("a transaction sent again must succeed (later commits: {later}), but: {error}")
            }
        };
        assert_eq!(first.len(), second.len(), "there is an answer for every append");
        for (first, second) in first.iter().zip(&second) {
            assert!(second.own_retry, "the answer to a transaction sent again says that it is a retry");
            same(from_ref(&second.commit), from_ref(&first.commit), "it is answered with the first outcome");
        }
        let after = [whole(&*store, &new).await.len(), whole(&*store, &old).await.len()];
        assert_eq!(lengths, after, "a transaction sent again doubles nothing");
    }
    // Another transaction on the same streams is not a retry.
    let other = Transaction { appends: vec![append(&new, NoStream, 2)], checks: vec![] };
    assert_eq!(refused(&*store, other).await.stream, new);
}

/// An append of every form of expectation, each to a stream where it is allowed.
async fn every_form(store: &dyn EventStore) -> Vec<Append> {
    let [fresh, zero, any, any_old, exists, exact] =
        ["no-stream", "exact-zero", "any", "any-old", "exists", "exact"].map(name);
    for stream in [&any_old, &exists, &exact] {
        fill(store, stream, &[1, 2]).await;
    }
    vec![
        append(&fresh, NoStream, 2),
        append(&zero, Exact(Version::EMPTY), 2),
        append(&any, Any, 2),
        append(&any_old, Any, 2),
        append(&exists, Exists, 2),
        append(&exact, Exact(Version(3)), 2),
    ]
}

/// Sends an append, then `between` others, then the same again.
async fn again(store: &dyn EventStore, append: Append, between: usize) {
    let (stream, expected) = (append.stream.clone(), append.expected);
    let first = attempt(store, append.clone()).await.expect("a first try that fits must succeed");
    assert!(!first.own_retry, "a first try is no retry");
    fill(store, &stream, &vec![1; between]).await;
    let before = whole(store, &stream).await;
    let second = match attempt(store, append).await {
        Ok(second) => second,
        Err(error) => panic!("an append that expects {expected}, sent again, must succeed, but: {error}"),
    };
    assert!(second.own_retry, "the answer to an append sent again says so (it expects {expected})");
    same(
        from_ref(&second.commit),
        from_ref(&first.commit),
        format_args!("the first outcome, expecting {expected}"),
    );
    same(&whole(store, &stream).await, &before, format_args!("an append sent again, expecting {expected}"));
}
