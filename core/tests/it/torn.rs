//! States that others tear while a command is on its way: by a panic in the middle of a commit.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use headwater::execute::limits;
use headwater::store::{
    Append, Appended, Capabilities, Direction, ErrorKind, Page, Read, Scan, ScanPage, StoreError, Transaction,
};
use headwater::{
    Aggregate, Batch, Command, Commit, Decider, Event, EventStore, ExecuteError, Executor, Id, Options,
    StreamName, Version,
};
use serde::{Deserialize, Serialize};

thread_local! {
    /// Whether events of a vase panic when they are applied.
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "vase")]
struct Vase {}

#[derive(Debug, Clone, Serialize, Deserialize, Event)]
enum VaseEvent {
    Touched {},
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
enum VaseCommand {
    Touch {},
    Leave {},
}

#[derive(Debug, Clone, Serialize, thiserror::Error)]
enum Never {}

impl Decider for Vase {
    type Event = VaseEvent;
    type Command = VaseCommand;
    type Refusal = Never;

    fn decide(&self, command: VaseCommand) -> Result<Vec<VaseEvent>, Never> {
        Ok(match command {
            VaseCommand::Touch {} => vec![VaseEvent::Touched {}],
            VaseCommand::Leave {} => vec![],
        })
    }

    fn apply(&mut self, _: &VaseEvent) {
        if PANICS.get() {
            // Without a message: this is no failure of the test.
            resume_unwind(Box::new("broken"));
        }
    }
}

/// A store in which others tear the state of the vase `a`.
#[derive(Default)]
struct Shelf {
    commits: Mutex<Vec<Arc<Commit>>>,
    /// Who does it whenever the vase `b` is read, and how often that was.
    while_b_is_read: Mutex<(Option<Executor>, u32)>,
    /// Who does it once, as soon as what was read of `a` is folded.
    after_a_is_read: Mutex<Option<Executor>>,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}

/// The payload of an event, torn when it is dropped: what was read is dropped when it is folded and nothing is locked.
struct TearsWhenDropped(Executor);

impl AsRef<[u8]> for TearsWhenDropped {
    fn as_ref(&self) -> &[u8] {
        b"{}"
    }
}

impl Drop for TearsWhenDropped {
    fn drop(&mut self) {
        tear(&self.0);
    }
}

#[async_trait]
impl EventStore for Shelf {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("shelf")
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let mut commits = self.commits.lock().unwrap();
        let head = commits.iter().rfind(|commit| commit.stream == append.stream);
        let head = head.map_or(Version::EMPTY, |commit| commit.last());
        if !append.expected.allows(head) {
            return Err(StoreError::conflict(append.stream, append.expected, head, None));
        }
        let commit = Arc::new(append.into_commit(head.next()));
        commits.push(commit.clone());
        Ok(Appended { commit, own_retry: false })
    }

    async fn append_all(&self, _: Transaction) -> Result<Vec<Appended>, StoreError> {
        unreachable!("nothing here is appended together")
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let all = self.commits.lock().unwrap().clone();
        let mut commits: Vec<_> =
            all.into_iter().filter(|commit| commit.stream == *stream && commit.first > read.after).collect();
        if read.direction == Direction::Backward {
            commits.reverse();
        }
        if stream.id() == "b" {
            let mut tearing = self.while_b_is_read.lock().unwrap();
            tearing.1 += 1;
            assert!(tearing.1 < 1_000, "read again and again");
            tearing.0.iter().for_each(tear);
        } else if let Some(last) = commits.last_mut()
            && let Some(executor) = self.after_a_is_read.lock().unwrap().take()
        {
            for event in &mut Arc::make_mut(last).events {
                event.payload = Bytes::from_owner(TearsWhenDropped(executor.clone()));
            }
        }
        Ok(Page { commits, more: false })
    }

    async fn scan(&self, _: Scan) -> Result<ScanPage, StoreError> {
        unreachable!("nothing here is scanned")
    }
}

fn vase(id: &str) -> Id<Vase> {
    Id::new(id).unwrap()
}

/// What comes of work that never has to wait.
fn done<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Touches `a` and tears its state, which all who share the executor share.
fn tear(executor: &Executor) {
    PANICS.set(true);
    let torn = catch_unwind(AssertUnwindSafe(|| done(executor.execute(&vase("a"), VaseCommand::Touch {}))));
    PANICS.set(false);
    assert!(torn.is_err(), "a state at its head takes over what was appended");
}

#[test]
fn a_state_that_others_tear_again_and_again_is_given_up_and_may_be_tried_later() {
    let shelf = Arc::new(Shelf::default());
    let executor = Executor::new(shelf.clone());
    done(executor.execute(&vase("a"), VaseCommand::Touch {})).unwrap();
    shelf.while_b_is_read.lock().unwrap().0 = Some(executor.clone());
    let leave =
        || Batch::new().command(&vase("a"), VaseCommand::Leave {}).command(&vase("b"), VaseCommand::Leave {});
    let given_up = done(executor.execute_all(leave(), &Options::new())).unwrap_err();
    assert!(given_up.retry_helps(), "{given_up}");
    assert!(matches!(&given_up, ExecuteError::Store(error) if error.kind() == ErrorKind::Unavailable));
    let (_, reads) = std::mem::take(&mut *shelf.while_b_is_read.lock().unwrap());
    assert_eq!(reads, limits::CONFIRMATIONS + 1, "once to load it, and as often as `a` was confirmed");
    let later = done(executor.execute_all(leave(), &Options::new())).unwrap();
    let versions: Vec<_> = later.streams.iter().map(|(_, version)| version.0).collect();
    assert_eq!(versions, [u64::from(reads) + 1, 0]);
}

#[test]
fn a_preview_is_decided_on_the_head_although_others_tear_the_state_meanwhile() {
    let shelf = Arc::new(Shelf::default());
    let (executor, other) = (Executor::new(shelf.clone()), Executor::new(shelf.clone()));
    done(executor.execute(&vase("a"), VaseCommand::Touch {})).unwrap();
    done(other.execute(&vase("a"), VaseCommand::Touch {})).unwrap();
    *shelf.after_a_is_read.lock().unwrap() = Some(executor.clone());
    let preview = done(executor.preview(&vase("a"), VaseCommand::Touch {}, &Options::new())).unwrap();
    assert!(shelf.after_a_is_read.lock().unwrap().is_none());
    assert_eq!(preview.version, Version(3), "two touches, and that of the one who tore it");
}
