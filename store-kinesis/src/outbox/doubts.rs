//! Commits whose answer was lost: it is not known whether they were written, so they are looked for.

use std::sync::{Arc, Mutex, MutexGuard};

use headwater::Commit;
use tokio::time::Instant;

use super::limits::LOOKS;
use super::ticket::Open;
use crate::ledger::Table;

/// The doubts of a process. There are never more than the publisher has room for: each keeps its room.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    waiting: Mutex<Vec<Doubt>>,
}

/// A commit that may have been written.
#[derive(Debug)]
pub(super) struct Doubt {
    open: Open,
    commit: Arc<Commit>,
    since: Instant,
    looks: usize,
}

/// What a look at the ledger found.
enum Found {
    Written(Arc<Commit>),
    NotWritten,
    NothingYet,
    /// The ledger could not be asked: that is no look.
    NoAnswer,
}

impl Doubt {
    pub(super) fn new(open: Open, commit: Arc<Commit>) -> Self {
        Self { open, commit, since: Instant::now(), looks: 0 }
    }

    fn is_due(&self) -> bool {
        LOOKS.get(self.looks).is_none_or(|wait| self.since.elapsed() >= *wait)
    }
}

impl Doubts {
    pub(super) fn add(&self, doubt: Doubt) {
        self.waiting().push(doubt);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Looks for those that are due.
    ///
    /// # Cancel safety
    /// A doubt that is being looked for when the future is dropped stays open behind the mark of its writer, and is
    /// published by whoever takes that over.
    pub(super) async fn look(&self, table: &Table) {
        let due: Vec<Doubt> = self.waiting().extract_if(.., |doubt| doubt.is_due()).collect();
        for mut doubt in due {
            match find(table, &doubt.commit).await {
                Found::Written(commit) => doubt.open.publish(commit),
                Found::NotWritten => doubt.open.finish(),
                Found::NothingYet if doubt.looks + 1 >= LOOKS.len() => doubt.open.finish(),
                Found::NothingYet => {
                    doubt.looks += 1;
                    self.add(doubt);
                }
                Found::NoAnswer => self.add(doubt),
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }
}

async fn find(table: &Table, commit: &Commit) -> Found {
    match table.commit_at(&commit.stream, commit.first).await {
        Ok(Some(found)) if found.id == commit.id => Found::Written(Arc::new(found)),
        Ok(Some(_)) => Found::NotWritten,
        Ok(None) => Found::NothingYet,
        Err(fault) => {
            tracing::debug!(stream = %commit.stream, ?fault, "a commit in doubt could not be looked for");
            Found::NoAnswer
        }
    }
}
