//! What commands cost: the exact sequence of store calls, counted by a store that writes them down.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use headwater::execute::Fold;
use headwater::key::Fingerprint;
use headwater::store::{
    Append, Appended, Capabilities, Consistency, EventStore, Page, Read, Scan, ScanPage, StoreError,
    Transaction,
};
use headwater::testing::Stale;
use headwater::testing::counter::{Counter, CounterCommand};
use headwater::{Batch, CommandKey, ExecuteError, Executor, Expected, Id, Options, StreamName, Version};
use headwater_store_memory::MemoryStore;

/// Writes down every call and passes it on.
#[derive(Debug, Default)]
struct Recording {
    store: MemoryStore,
    calls: Mutex<Vec<&'static str>>,
    transaction_bytes: Option<usize>,
    /// Whether later pages of an eventual read come from a replica that is further behind.
    pages_differ: bool,
}

impl Recording {
    fn note(&self, call: &'static str) {
        self.calls.lock().unwrap().push(call);
    }

    /// The calls since the last time.
    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

#[async_trait]
impl EventStore for Recording {
    fn capabilities(&self) -> Capabilities {
        // As a remote store has it, so that confirmations are needed.
        let mut capabilities = self.store.capabilities();
        capabilities.stale_reads = true;
        capabilities.transaction_bytes = self.transaction_bytes.unwrap_or(capabilities.transaction_bytes);
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.note("append");
        self.store.append(append).await
    }

    async fn append_all(&self, transaction: Transaction) -> Result<Vec<Appended>, StoreError> {
        self.note("append_all");
        self.store.append_all(transaction).await
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        self.note(match read.consistency {
            Consistency::Eventual => "read eventually",
            Consistency::Strong => "read strongly",
        });
        let behind =
            self.pages_differ && read.consistency == Consistency::Eventual && read.until < Version(u64::MAX);
        let mut page = self.store.read(stream, read).await?;
        if behind && page.commits.len() > 1 {
            page.commits.remove(0);
        }
        Ok(page)
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.note("scan");
        self.store.scan(scan).await
    }
}

fn two_executors() -> (Arc<Recording>, Executor, Executor) {
    let store = Arc::new(Recording::default());
    (store.clone(), Executor::new(store.clone()), Executor::new(store))
}

fn counter(id: &str) -> Id<Counter> {
    Id::new(id).unwrap()
}

fn add(amount: u64) -> CounterCommand {
    CounterCommand::Add { amount }
}

#[tokio::test]
async fn a_command_costs_one_append_when_cached_and_one_read_more_when_not() {
    let (store, executor, _) = two_executors();
    executor.execute(&counter("a"), add(1)).await.unwrap();
    assert_eq!(store.calls(), ["read eventually", "append"]);
    for _ in 0..30 {
        executor.execute(&counter("a"), add(1)).await.unwrap();
        assert_eq!(store.calls(), ["append"], "snapshots and keys cost no request");
    }
}

#[tokio::test]
async fn a_long_stream_costs_no_more_than_a_short_one() {
    let (store, executor, other) = two_executors();
    for _ in 0..500 {
        executor.execute(&counter("a"), add(1)).await.unwrap();
    }
    store.calls();
    let executed = other.execute(&counter("a"), add(1)).await.unwrap();
    assert_eq!((executed.version, store.calls()), (Version(501), vec!["read eventually", "append"]));
}

#[tokio::test]
async fn a_conflict_costs_one_append_more_because_the_winner_comes_with_it() {
    let (store, executor, other) = two_executors();
    executor.execute(&counter("a"), add(1)).await.unwrap();
    other.execute(&counter("a"), add(1)).await.unwrap();
    store.calls();
    executor.execute(&counter("a"), add(1)).await.unwrap();
    assert_eq!(store.calls(), ["append", "append"]);
    // Two winners: the second one has to be read.
    executor.execute(&counter("a"), add(1)).await.unwrap();
    store.calls();
    other.execute(&counter("a"), add(1)).await.unwrap();
    assert_eq!(store.calls(), ["append", "read strongly", "append"]);
    assert_eq!(other.state(&counter("a")).await.unwrap().state.value, 5);
}

#[tokio::test]
async fn a_refusal_and_an_empty_decision_are_confirmed_by_one_read() {
    let (store, executor, other) = two_executors();
    executor.execute(&counter("a"), add(1)).await.unwrap();
    store.calls();
    executor.execute(&counter("a"), CounterCommand::Subtract { amount: 2 }).await.unwrap_err();
    assert_eq!(store.calls(), ["read strongly"]);
    executor.execute(&counter("a"), add(0)).await.unwrap();
    assert_eq!(store.calls(), ["read strongly"]);
    // What was refused on old state is allowed on the head.
    other.execute(&counter("a"), add(1)).await.unwrap();
    store.calls();
    executor.execute(&counter("a"), CounterCommand::Subtract { amount: 2 }).await.unwrap();
    assert_eq!(store.calls(), ["read strongly", "append"]);
}

#[tokio::test]
async fn a_repeat_costs_one_read_of_what_it_did() {
    let (store, executor, _) = two_executors();
    let keyed = Options::new().key(CommandKey::new("k").unwrap());
    executor.execute_with(&counter("a"), add(1), &keyed).await.unwrap();
    store.calls();
    assert!(executor.execute_with(&counter("a"), add(1), &keyed).await.unwrap().replayed);
    assert_eq!(store.calls(), ["read strongly"]);
}

#[tokio::test]
async fn a_repeat_is_found_before_anything_is_decided_however_old_the_state_is() {
    let store = Arc::new(Recording::default());
    let stale = Arc::new(Stale::new(store.clone()));
    let (writer, behind) = (Executor::new(store.clone()), Executor::new(stale.clone()));
    let keyed = |key: &str| Options::new().key(CommandKey::new(key).unwrap());
    for id in ["cached", "not cached"] {
        writer.execute(&counter(id), add(1)).await.unwrap();
    }
    behind.execute(&counter("cached"), add(1)).await.unwrap();
    stale.freeze(counter("not cached").stream()).await.unwrap();
    for id in ["cached", "not cached"] {
        let carried_out = writer.execute_with(&counter(id), add(1), &keyed("k")).await.unwrap();
        store.calls();
        let found = behind.repeated(&counter(id), &add(1), &keyed("k")).await.unwrap();
        let found = found.map(|found| (found.version, found.replayed));
        assert_eq!(found, Some((carried_out.version, true)), "{id}");
        let calls = store.calls();
        let (opened, confirmed) = calls.split_at(usize::from(id == "not cached"));
        assert_eq!((opened, confirmed), (&["read eventually"][..opened.len()], &["read strongly"; 2][..]));

        let other = behind.repeated(&counter(id), &add(2), &keyed("k")).await.unwrap_err();
        assert!(matches!(other, ExecuteError::KeyReused { .. }), "{other}");
        assert_eq!(store.calls(), [""; 0], "what is known of a key stays true");
        assert!(behind.repeated(&counter(id), &add(1), &keyed("new")).await.unwrap().is_none());
        assert_eq!(store.calls(), ["read strongly"], "that there is nothing is confirmed");
        assert!(behind.repeated(&counter(id), &add(1), &Options::new()).await.unwrap().is_none());
        assert_eq!(store.calls(), [""; 0]);
    }
}

#[tokio::test]
async fn a_batch_costs_one_transaction_when_cached() {
    let (store, executor, _) = two_executors();
    let batch = || Batch::new().command(&counter("a"), add(1)).command(&counter("b"), add(1));
    executor.execute_all(batch(), &Options::new()).await.unwrap();
    assert_eq!(store.calls(), ["read eventually", "read eventually", "append_all"]);
    executor.execute_all(batch(), &Options::new()).await.unwrap();
    assert_eq!(store.calls(), ["append_all"]);
}

#[tokio::test]
async fn a_batch_is_carried_out_whole_or_not_at_all_and_once_under_its_key() {
    let (store, executor, other) = two_executors();
    let keyed = Options::new().key(CommandKey::new("k").unwrap());
    let move_one = || {
        Batch::new()
            .command(&counter("a"), CounterCommand::Subtract { amount: 1 })
            .command(&counter("b"), add(1))
    };
    let refused = executor.execute_all(move_one(), &keyed).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Refused { refusal, .. } if refusal.code == "below-zero"));
    assert_eq!(executor.state(&counter("b")).await.unwrap().version, Version::EMPTY);

    other.execute(&counter("a"), add(1)).await.unwrap();
    let moved = executor.execute_all(move_one(), &keyed).await.unwrap();
    assert_eq!(moved.streams.iter().map(|(_, version)| version.0).collect::<Vec<_>>(), [2, 1]);
    for executor in [&executor, &other, &Executor::new(store.clone())] {
        assert!(executor.execute_all(move_one(), &keyed).await.unwrap().replayed);
    }
    let other_content = Batch::new().command(&counter("a"), add(1));
    let reused = executor.execute_all(other_content, &keyed).await.unwrap_err();
    assert!(matches!(reused, ExecuteError::KeyReused { .. }));
    let fold: Fold<Counter> = executor.state(&counter("b")).await.unwrap();
    assert_eq!((fold.version, fold.state.value), (Version(1), 1));
}

#[tokio::test]
async fn a_batch_honours_streams_that_are_only_checked() {
    let (_, executor, _) = two_executors();
    let batch = |expected| Batch::new().command(&counter("a"), add(1)).check(&counter("limit"), expected);
    let failed = executor.execute_all(batch(Expected::Exists), &Options::new()).await.unwrap_err();
    assert!(matches!(failed, ExecuteError::Precondition { stream, .. } if stream.id() == "limit"));
    executor.execute_all(batch(Expected::NoStream), &Options::new()).await.unwrap();
    let twice = Batch::new().command(&counter("a"), add(1)).command(&counter("a"), add(1));
    let refused = executor.execute_all(twice, &Options::new()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "stream counter/a stands twice in one transaction: put its events into one commit"
    );
}

#[tokio::test]
async fn a_command_without_effect_takes_part_in_its_batch() {
    let (store, executor, other) = two_executors();
    executor.execute(&counter("a"), add(1)).await.unwrap();
    other.execute(&counter("a"), add(1)).await.unwrap();
    executor.execute(&counter("b"), add(1)).await.unwrap();
    store.calls();
    // Nothing was decided for `a` at version 1, but it is at version 2: the batch must be decided again.
    let batch = Batch::new().command(&counter("a"), add(0)).command(&counter("b"), add(1));
    let executed = executor.execute_all(batch, &Options::new()).await.unwrap();
    assert_eq!(executed.streams.iter().map(|(_, version)| version.0).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(store.calls(), ["append_all", "read strongly", "append_all"]);
}

#[tokio::test]
async fn a_repeated_batch_answers_with_the_versions_it_made() {
    let (store, executor, other) = two_executors();
    let keyed = Options::new().key(CommandKey::new("k").unwrap());
    let batch = || Batch::new().command(&counter("a"), add(1)).command(&counter("b"), add(1));
    executor.execute(&counter("a"), add(1)).await.unwrap();
    other.execute_all(batch(), &keyed).await.unwrap();
    other.execute(&counter("b"), add(1)).await.unwrap();
    // One executor knows `a` from before the batch, the others from after it.
    for executor in [&executor, &other, &Executor::new(store.clone())] {
        let again = executor.execute_all(batch(), &keyed).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.streams.iter().map(|(_, version)| version.0).collect::<Vec<_>>(), [2, 1]);
    }
}

#[tokio::test]
async fn a_repeat_of_a_batch_is_told_by_the_digest_that_comes_along() {
    let (_, executor, _) = two_executors();
    let sent = |text: &str| {
        let key = CommandKey::new("k").unwrap();
        Options::new().key(key).fingerprint(Fingerprint::of(&[text.as_bytes()]))
    };
    // The client sent the same both times; what was filled in is another number.
    let filled_in = |amount| Batch::new().command(&counter("a"), add(amount)).command(&counter("b"), add(1));
    assert!(!executor.execute_all(filled_in(1), &sent("add")).await.unwrap().replayed);
    assert!(executor.execute_all(filled_in(2), &sent("add")).await.unwrap().replayed);
    let other = executor.execute_all(filled_in(1), &sent("something else")).await.unwrap_err();
    assert!(matches!(other, ExecuteError::KeyReused { .. }), "{other}");
}

#[tokio::test]
async fn a_batch_without_effect_still_honours_streams_that_are_only_checked() {
    let (_, executor, _) = two_executors();
    let batch = Batch::new().command(&counter("a"), add(0)).check(&counter("b"), Expected::Exact(Version(7)));
    let failed = executor.execute_all(batch, &Options::new()).await.unwrap_err();
    assert!(matches!(failed, ExecuteError::Precondition { actual: Version::EMPTY, .. }), "{failed}");
}

#[tokio::test]
async fn snapshots_never_make_a_transaction_too_large() {
    let batch = || Batch::new().command(&counter("a"), add(1)).command(&counter("b"), add(1));
    for (transaction_bytes, snapshots) in [(None, 2), (Some(100), 1), (Some(50), 0)] {
        let store = Arc::new(Recording { transaction_bytes, ..Recording::default() });
        let executor = Executor::new(store);
        for _ in 0..9 {
            executor.execute_all(batch(), &Options::new()).await.unwrap();
        }
        // With the tenth event a snapshot is due in both streams.
        let tenth = executor.execute_all(batch(), &Options::new()).await.unwrap();
        let carried = tenth.commits.iter().filter(|commit| commit.snapshot.is_some()).count();
        assert_eq!(carried, snapshots, "with {transaction_bytes:?} bytes");
    }
}

#[tokio::test]
async fn pages_of_different_age_are_read_again_and_never_called_corrupt() {
    let store = Recording { store: MemoryStore::with_page(3), pages_differ: true, ..Recording::default() };
    let store = Arc::new(store);
    let writer = Executor::new(store.clone());
    for _ in 0..8 {
        writer.execute(&counter("a"), add(1)).await.unwrap();
    }
    store.calls();
    let executed = Executor::new(store.clone()).execute(&counter("a"), add(1)).await.unwrap();
    assert_eq!(executed.version, Version(9));
    let calls = store.calls();
    assert!(calls.contains(&"read eventually") && calls.contains(&"read strongly"), "{calls:?}");
}
