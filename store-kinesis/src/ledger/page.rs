//! One page of a stream. Commits are found by their first version, so the one that holds the version asked for may start
//! before it: it is looked up when the page does not begin at the end of a commit.

use std::sync::Arc;

use headwater::store::{Consistency, Direction, Page, Read};
use headwater::{Commit, StreamName, Version};

use super::error::Fault;
use super::limits;
use super::requests::Range;
use super::store::Ledger;

impl Ledger {
    /// Reads one page. A replica that seems to have a hole is not believed: the page is read again, consistently.
    pub(crate) async fn page(&self, stream: &StreamName, read: &Read) -> Result<Page, Fault> {
        let page = match self.try_page(stream, read).await {
            Err(Fault::Corrupt { .. }) if read.consistency == Consistency::Eventual => {
                let strong = read.clone().consistency(Consistency::Strong);
                self.try_page(stream, &strong).await?
            }
            page => page?,
        };
        if let Some(commit) = page.commits.iter().max_by_key(|commit| commit.first) {
            self.heads.note(stream, commit.last());
        }
        Ok(page)
    }

    async fn try_page(&self, stream: &StreamName, read: &Read) -> Result<Page, Fault> {
        let mut limit = read.limit.clamp(1, self.page_commits);
        let newest = read.direction == Direction::Backward && read.until == Version(u64::MAX);
        if newest && read.stop_at_snapshot.is_some() {
            limit = limit.min(limits::SNAPSHOT_PAGE_COMMITS);
        }
        let (mut commits, cut) = self.range(stream, read, limit).await?;
        let more = match read.direction {
            Direction::Forward => cut | self.prepend_holder(stream, read, limit, &mut commits).await?,
            Direction::Backward => self.append_holder(stream, read, limit, cut, &mut commits).await?,
        };
        follow_each_other(stream, read.direction, &commits)?;
        let mut page = Page { commits: commits.into_iter().map(Arc::new).collect(), more };
        if let (Direction::Backward, Some(schema)) = (read.direction, read.stop_at_snapshot) {
            let usable = |commit: &Arc<Commit>| commit.snapshot.as_ref().is_some_and(|s| s.schema == schema);
            if let Some(place) = page.commits.iter().position(usable) {
                page.commits.truncate(place + 1);
                page.more = false;
            }
        }
        Ok(page)
    }

    /// The commits that start in the range, and whether there may be more of them.
    async fn range(
        &self,
        stream: &StreamName,
        read: &Read,
        limit: usize,
    ) -> Result<(Vec<Commit>, bool), Fault> {
        if read.after >= read.until {
            return Ok((Vec::new(), false));
        }
        let range = Range {
            from: read.after.next(),
            until: read.until,
            backward: read.direction == Direction::Backward,
            consistency: read.consistency,
            limit: i32::try_from(limit).unwrap_or(i32::MAX),
        };
        self.table.commits(stream, range).await
    }

    /// Oldest first: puts the commit that holds the version after `after` before those that start later. Says whether
    /// another had to give way.
    async fn prepend_holder(
        &self,
        stream: &StreamName,
        read: &Read,
        limit: usize,
        commits: &mut Vec<Commit>,
    ) -> Result<bool, Fault> {
        let first = commits.first().map(|commit| commit.first);
        let Some(holder) = self.holder(stream, read, first).await? else { return Ok(false) };
        commits.insert(0, holder);
        let over = commits.len() > limit;
        commits.truncate(limit);
        Ok(over)
    }

    /// Newest first: puts that commit after those that start later, when they have come to their end. Says whether
    /// there is more.
    async fn append_holder(
        &self,
        stream: &StreamName,
        read: &Read,
        limit: usize,
        cut: bool,
        commits: &mut Vec<Commit>,
    ) -> Result<bool, Fault> {
        let lowest = commits.last().map(|commit| commit.first);
        if lowest == Some(read.after.next()) {
            return Ok(false);
        }
        if cut || commits.len() >= limit {
            return Ok(true);
        }
        commits.extend(self.holder(stream, read, lowest).await?);
        Ok(false)
    }

    /// The commit that starts at or before `after` and ends behind it. `lowest` is the first version of the next one.
    ///
    /// # Cost
    /// Nothing when a commit is known to end at `after`, else one Query of one commit.
    async fn holder(
        &self,
        stream: &StreamName,
        read: &Read,
        lowest: Option<Version>,
    ) -> Result<Option<Commit>, Fault> {
        let next = read.after.0.checked_add(1).map(Version);
        if lowest.is_some() && lowest == next {
            return Ok(None);
        }
        let hole = || Fault::Corrupt {
            stream: stream.clone(),
            version: next.unwrap_or(read.after),
            reason: format!("the next commit starts at version {}", lowest.unwrap_or_default()),
        };
        let until = read.after.min(read.until);
        let mut found = Vec::new();
        if !until.is_empty() && !self.heads.is_end(stream, read.after) {
            let range = Range { consistency: read.consistency, ..Range::newest(until, 1) };
            found = self.table.commits(stream, range).await?.0;
        }
        match (found.pop().filter(|commit| commit.last() > read.after), lowest) {
            (None, Some(_)) => Err(hole()),
            (holder, _) => Ok(holder),
        }
    }
}

/// Checks that the commits of a page have neither hole nor overlap between them (L1).
fn follow_each_other(stream: &StreamName, direction: Direction, commits: &[Commit]) -> Result<(), Fault> {
    for (one, other) in commits.iter().zip(commits.iter().skip(1)) {
        let (older, newer) = match direction {
            Direction::Forward => (one, other),
            Direction::Backward => (other, one),
        };
        if newer.first != older.last().next() {
            return Err(Fault::Corrupt {
                stream: stream.clone(),
                version: older.last().next(),
                reason: format!("the next commit starts at version {}", newer.first),
            });
        }
    }
    Ok(())
}
