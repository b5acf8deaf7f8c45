//! Checks of limits: what is over one is refused with its name, and nothing has changed.

use super::tools::{append, fill, name, put, same, version, whole};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, Exists, NoStream};
use crate::store::{Append, Capabilities, Check, EventStore, StoreError, Transaction};
use crate::{EventData, Snapshot, StreamName, Version};

pub(super) async fn a_commit_over_a_limit_changes_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("limited");
    fill(&*store, &stream, &[1]).await;
    for (what, append) in wrong_appends(&stream, &store.capabilities()) {
        let alone = store.append(append.clone()).await.map(|_| ());
        invalid(what, alone);
        let other = name("beside");
        let appends = vec![self::append(&other, Any, 1), append];
        invalid(what, store.append_all(Transaction { appends, checks: vec![] }).await.map(|_| ()));
        assert_eq!(version(&*store, &stream).await, Version(1), "{what}: nothing may change");
        assert_eq!(version(&*store, &other).await, Version::EMPTY, "{what}: nothing may change");
    }
}

pub(super) async fn a_transaction_over_a_limit_changes_nothing(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let capabilities = store.capabilities();
    let (one, two) = (name("one"), name("two"));
    let check = |stream: &StreamName| Check { stream: stream.clone(), expected: Any };
    let numbered = |number: usize| name(&format!("many-{number}"));
    let streams = capabilities.transaction_streams;
    let large = capabilities.commit_bytes - 1_024;
    let commits = capabilities.transaction_bytes / large + 1;
    let transactions = [
        ("an empty transaction", vec![], vec![check(&one)]),
        ("a stream written twice", vec![append(&one, Any, 1), append(&one, Any, 1)], vec![]),
        ("a stream written and checked", vec![append(&two, Any, 1), append(&one, Any, 1)], vec![check(&one)]),
        ("too many streams", (0..=streams).map(|number| append(&numbered(number), Any, 1)).collect(), vec![]),
        ("too many checks", vec![append(&one, Any, 1)], (0..streams).map(|n| check(&numbered(n))).collect()),
        ("too many bytes", (0..commits).map(|number| sized(&numbered(number), large)).collect(), vec![]),
    ];
    for (what, appends, checks) in transactions {
        invalid(what, store.append_all(Transaction { appends, checks }).await.map(|_| ()));
        for stream in [one.clone(), two.clone(), numbered(0), numbered(1)] {
            assert_eq!(version(&*store, &stream).await, Version::EMPTY, "{what}: {stream} may not change");
        }
    }
}

pub(super) async fn a_commit_at_the_limit_is_kept(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let capabilities = store.capabilities();
    let (many, large) = (name("most-events"), name("most-bytes"));
    let append = Append { events: vec![small(); capabilities.commit_events], ..append(&many, NoStream, 1) };
    let written = put(&*store, append).await;
    same(&whole(&*store, &many).await, &[written], "a commit of the most events");
    let written = put(&*store, sized(&large, capabilities.commit_bytes)).await;
    same(&whole(&*store, &large).await, &[written], "a commit of the most bytes");
}

/// Appends to a stream of version 1, each with something wrong.
fn wrong_appends(stream: &StreamName, capabilities: &Capabilities) -> Vec<(&'static str, Append)> {
    let one = |expected| append(stream, expected, 1);
    let snapshot = Some(Box::new(Snapshot { schema: 1, state: "{}".into(), keys: vec![] }));
    let large = Snapshot { schema: 1, state: vec![b' '; capabilities.commit_bytes].into(), keys: vec![] };
    vec![
        ("no events", append(stream, Any, 0)),
        ("too many events", Append { events: vec![small(); capabilities.commit_events + 1], ..one(Any) }),
        ("too many bytes", sized(stream, capabilities.commit_bytes + 1)),
        ("a snapshot too large", Append { snapshot: Some(Box::new(large)), ..one(Exact(Version(1))) }),
        ("a snapshot at any version", Append { snapshot: snapshot.clone(), ..one(Any) }),
        ("a snapshot at an existing stream", Append { snapshot, ..one(Exists) }),
    ]
}

fn small() -> EventData {
    EventData { name: "S".into(), schema: 1, payload: "{}".into() }
}

/// An append of exactly this many bytes, as limits count them.
fn sized(stream: &StreamName, bytes: usize) -> Append {
    let mut append = append(stream, Any, 1);
    let mut event = small();
    let text = bytes - stream.as_str().len() - event.name.len() - 2;
    event.payload = format!("\"{}\"", "x".repeat(text)).into();
    append.events = vec![event];
    assert_eq!(append.size_bytes(), bytes, "the check counts as the limit does");
    append
}

fn invalid(what: &str, outcome: Result<(), StoreError>) {
    match outcome {
        Err(StoreError::Invalid(_)) => {}
        Err(error) => panic!("{what} must be refused as invalid, but: {error}"),
        Ok(()) => panic!("{what} must be refused, but it was stored"),
    }
}
