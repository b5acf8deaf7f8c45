//! A ledger out of the archive: every stream exactly as it was, in a ledger that has nothing else.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{StreamExt, TryStreamExt};
use headwater::store::{Append, Scan, ScanPage, StoreError};
use headwater::{Commit, EventStore, Expected, StreamName, Version};
use headwater_projections::Backoff;

use crate::limits::{APPEND_TRIES, APPENDS_AT_ONCE};
use crate::replay::{Heads, Sink, replay};
use crate::{Archive, Link, RestoreError};

/// What a restore has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Restored {
    /// Streams there are now.
    pub streams: u64,
    /// Commits that this run wrote.
    pub commits: u64,
    /// Their events.
    pub events: u64,
    /// Commits that an earlier run had written.
    pub before: u64,
}

/// Writes every commit of the archive into an empty ledger: versions, ids, keys, times and metadata as they were.
/// Snapshots are not in the archive; they come again by themselves. `progress` is told now and then.
///
/// The commits go to the feed of the new ledger as all commits do, so rows are built from them, too.
///
/// With `resume`, a ledger that an earlier run has begun is taken as well. A ledger with anything else in it is noticed,
/// now or by [`compare`](crate::compare), and never overwritten: every write is conditional.
///
/// # Errors
/// [`RestoreError`]. Before anything is written: a ledger that is not empty, a chain that is not whole.
///
/// # Cancel safety
/// When the future is dropped, what was written stays, and `resume` goes on behind it.
///
/// # Cost
/// One append for each commit, and one scan of the ledger before. Memory for the name of each stream, and for one file.
pub async fn restore(
    archive: &Archive,
    ledger: &Arc<dyn EventStore>,
    resume: bool,
    progress: &mut (dyn FnMut(Restored) + Send),
) -> Result<Restored, RestoreError> {
    let files = archive.files().await?;
    let links: Vec<_> =
        files.links.iter().filter(|link| !matches!(link, Link::Lost { .. })).cloned().collect();
    if !links.is_empty() {
        return Err(RestoreError::Chain { links });
    }
    let mut heads = Heads::new();
    let before = look(ledger, resume, &mut heads).await?;
    let mut sink = Appending { ledger, restored: Restored { before, ..Restored::default() }, progress };
    replay(archive, &files, &mut heads, &mut sink).await?;
    Ok(Restored { streams: heads.len() as u64, ..sink.restored })
}

/// What the ledger has already: nothing, unless a restore is resumed.
async fn look(ledger: &Arc<dyn EventStore>, resume: bool, heads: &mut Heads) -> Result<u64, RestoreError> {
    let mut commits = 0;
    let mut next = Some(Scan::all());
    while let Some(scan) = next {
        let page = page(ledger, &scan).await?;
        for commit in page.commits {
            if !resume {
                return Err(RestoreError::NotEmpty { stream: commit.stream.clone() });
            }
            commits += 1;
            heads.insert(commit.stream.clone(), commit.last());
        }
        next = page.next.map(|cursor| Scan::all().after(cursor));
    }
    Ok(commits)
}

struct Appending<'a> {
    ledger: &'a Arc<dyn EventStore>,
    restored: Restored,
    progress: &'a mut (dyn FnMut(Restored) + Send),
}

#[async_trait]
impl Sink for Appending<'_> {
    async fn take(&mut self, commits: Vec<Commit>) -> Result<(), RestoreError> {
        let (count, events) =
            (commits.len(), commits.iter().map(|commit| commit.events.len()).sum::<usize>());
        let mut streams: BTreeMap<StreamName, Vec<Commit>> = BTreeMap::new();
        for commit in commits {
            streams.entry(commit.stream.clone()).or_default().push(commit);
        }
        let ledger = self.ledger;
        let appending = streams.into_values().map(|commits| append(Arc::clone(ledger), commits));
        let appending = futures::stream::iter(appending);
        appending.buffer_unordered(APPENDS_AT_ONCE).try_collect::<()>().await?;
        self.restored.commits += count as u64;
        self.restored.events += events as u64;
        (self.progress)(self.restored);
        Ok(())
    }
}

/// Appends the commits of one stream, one after the other.
async fn append(ledger: Arc<dyn EventStore>, commits: Vec<Commit>) -> Result<(), RestoreError> {
    for commit in commits {
        let append = Append {
            expected: match commit.first.0 {
                0 | 1 => Expected::NoStream,
                first => Expected::Exact(Version(first - 1)),
            },
            stream: commit.stream,
            id: commit.id,
            recorded_at: commit.recorded_at,
            metadata: commit.metadata,
            command: commit.command,
            events: commit.events,
            snapshot: None,
        };
        // The id makes a repeat of an append whose answer was lost find itself.
        let try_once = || {
            let (ledger, append) = (Arc::clone(&ledger), append.clone());
            async move { ledger.append(append).await }
        };
        match patiently(try_once).await {
            Ok(_) => {}
            Err(StoreError::Conflict(conflict)) => return Err(RestoreError::Other { conflict }),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A page of the ledger.
pub(crate) async fn page(ledger: &Arc<dyn EventStore>, scan: &Scan) -> Result<ScanPage, StoreError> {
    patiently(|| {
        let (ledger, scan) = (Arc::clone(ledger), scan.clone());
        async move { ledger.scan(scan).await }
    })
    .await
}

/// Tries again as long as that may help, within a bound.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut backoff = Backoff::default();
    for _ in 1..APPEND_TRIES {
        match call().await {
            Err(error) if error.retry_helps() => backoff.pause().await,
            done => return done,
        }
    }
    call().await
}
