//! Where a commit goes: the rule that makes holes impossible, and how an own earlier try is found.
//!
//! The condition of a write, "no item at (stream, v+1)", prevents that a commit is overwritten. It prevents holes and
//! overlaps only if a commit ends at v. So `Exact(v)` is written without another request only when this process has read
//! or written a commit that ends at v ([`Heads`](super::heads::Heads)); otherwise the head is read first. Before the
//! first commit nothing has to end, so `NoStream` never needs to read.
//!
//! An earlier try of an exact append lies at v+1 and nowhere else, and the failed condition hands it over. An earlier
//! try of `Any` or `Exists` may lie anywhere, so what was written since the commit's id was made is searched, newest
//! first, by the times in commit ids. The search ends at a commit whose id is older by
//! [`SEARCH_BEFORE`](super::limits::SEARCH_BEFORE). It costs one Query of one item on a stream that rests, and reads as
//! many commits as were written in that time, within bounds, on one that does not: exact versions are cheaper.

use std::sync::Arc;

use headwater::store::{Append, Conflict};
use headwater::{Commit, CommitId, Expected, StreamName, Version};

use super::error::Fault;
use super::limits;
use super::requests::Range;
use super::store::Ledger;

/// Where a commit goes.
#[derive(Debug)]
pub(crate) enum Place {
    /// A commit ends before this version, or none has to: it may be written there if nothing is there.
    At(Version),
    /// An own earlier try has stored it.
    Stored(Arc<Commit>),
    /// The stream is not as expected.
    Refused(Box<Conflict>),
}

/// The one version an append may follow, if there is only one.
pub(crate) fn exact(expected: Expected) -> Option<Version> {
    match expected {
        Expected::Exact(version) => Some(version),
        Expected::NoStream => Some(Version::EMPTY),
        Expected::Any | Expected::Exists => None,
    }
}

impl Ledger {
    /// Where an append goes.
    pub(crate) async fn place(&self, append: &Append) -> Result<Place, Fault> {
        match exact(append.expected) {
            Some(known) => self.place_exact(append, known).await,
            None => self.search(append).await,
        }
    }

    async fn place_exact(&self, append: &Append, known: Version) -> Result<Place, Fault> {
        let stream = &append.stream;
        if self.heads.is_end(stream, known) {
            return Ok(Place::At(known.next()));
        }
        let head = self.head(stream).await?;
        if head == known {
            return Ok(Place::At(known.next()));
        }
        let winner = match known < head {
            true => self.table.commit_at(stream, known.next()).await?.map(Arc::new),
            false => None,
        };
        Ok(match winner {
            Some(winner) if winner.id == append.id => Place::Stored(winner),
            winner => Place::Refused(self.conflict(stream, append.expected, head, winner)),
        })
    }

    /// Where an append without an exact version goes after it met another commit. What lies between that and the head
    /// is looked at as well: an earlier try may have arrived late.
    ///
    /// # Cost
    /// Nothing when no later commit is known, else 1 Query.
    pub(crate) async fn place_after(&self, append: &Append, end: Version) -> Result<Place, Fault> {
        let stream = &append.stream;
        if self.heads.highest(stream) <= end {
            return Ok(Place::At(end.next()));
        }
        let range = Range {
            from: end.next(),
            backward: false,
            ..Range::newest(Version(u64::MAX), limits::SEARCH_PAGE_COMMITS)
        };
        let (marks, _) = self.table.marks(stream, range).await?;
        if let Some(mark) = marks.iter().find(|mark| mark.id == append.id) {
            return self.earlier(stream, mark.first).await;
        }
        Ok(Place::At(marks.last().map_or(end, |mark| mark.last).next()))
    }

    /// The commit of an own earlier try.
    async fn earlier(&self, stream: &StreamName, first: Version) -> Result<Place, Fault> {
        let commit = self.table.commit_at(stream, first).await?;
        let gone = || Fault::Corrupt {
            stream: stream.clone(),
            version: first,
            reason: "its item was there and is gone: nothing may be removed from a ledger".to_owned(),
        };
        Ok(Place::Stored(Arc::new(commit.ok_or_else(gone)?)))
    }

    /// Looks for an own earlier try from the head back.
    async fn search(&self, append: &Append) -> Result<Place, Fault> {
        let stream = &append.stream;
        let mut head = Version::EMPTY;
        let mut until = Version(u64::MAX);
        for page in 0..limits::SEARCH_PAGES {
            let limit = if page == 0 { 1 } else { limits::SEARCH_PAGE_COMMITS };
            let (marks, more) = self.table.marks(stream, Range::newest(until, limit)).await?;
            for mark in &marks {
                head = head.max(mark.last);
                if mark.id == append.id {
                    return self.earlier(stream, mark.first).await;
                }
            }
            let oldest = marks.last().filter(|mark| more && !long_before(mark.id, append.id));
            match oldest {
                Some(mark) if mark.first > Version(1) => until = Version(mark.first.0 - 1),
                _ => break,
            }
        }
        if !append.expected.allows(head) {
            return Ok(Place::Refused(self.conflict(stream, append.expected, head, None)));
        }
        self.heads.note(stream, head);
        Ok(Place::At(head.next()))
    }

    /// The version of a stream, strongly consistent.
    pub(crate) async fn head(&self, stream: &StreamName) -> Result<Version, Fault> {
        let head = self.table.head(stream).await?.map_or(Version::EMPTY, |mark| mark.last);
        self.heads.note(stream, head);
        Ok(head)
    }

    /// A conflict. Its `actual` is the head as far as this process knows: at least the end of the winner.
    pub(crate) fn conflict(
        &self,
        stream: &StreamName,
        expected: Expected,
        actual: Version,
        winner: Option<Arc<Commit>>,
    ) -> Box<Conflict> {
        let actual = winner.as_ref().map_or(actual, |winner| actual.max(winner.last()));
        self.heads.note(stream, actual);
        let actual = actual.max(self.heads.highest(stream));
        Box::new(Conflict { stream: stream.clone(), expected, actual, winner })
    }
}

/// Whether a commit id was made so long before another that the other cannot lie below it.
fn long_before(id: CommitId, than: CommitId) -> bool {
    let seconds = |id: CommitId| Some(id.0.get_timestamp()?.to_unix().0);
    match (seconds(id), seconds(than)) {
        (Some(id), Some(than)) => id.saturating_add(limits::SEARCH_BEFORE.as_secs()) < than,
        // Without a time in either the search goes on to its bound.
        _ => false,
    }
}
