//! What is asked of a store when a stream is read, and what it answers.

use std::sync::Arc;

use crate::{Commit, Snapshot, Version};

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consistency {
    /// It may miss the newest commits: cheaper, and safe where a lost condition is noticed later.
    #[default]
    Eventual,
    /// It sees every commit acknowledged before the read began.
    Strong,
}

/// From which end a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Backward,
}

/// A page of commits of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// Commits whose last version is above this. `Version::EMPTY` reads from the beginning.
    pub after: Version,
    /// Commits whose first version is not above this.
    pub until: Version,
    /// The order of the page.
    pub direction: Direction,
    /// How fresh it must be.
    pub consistency: Consistency,
    /// Most commits of the page; the store may give fewer.
    pub limit: usize,
    /// Backward only: end after the first commit that carries a snapshot of this version.
    pub stop_at_snapshot: Option<u32>,
}

impl Read {
    /// The whole stream, oldest first, strongly consistent.
    #[must_use]
    pub fn all() -> Self {
        Self {
            after: Version::EMPTY,
            until: Version(u64::MAX),
            direction: Direction::Forward,
            consistency: Consistency::Strong,
            limit: super::limits::PAGE_COMMITS,
            stop_at_snapshot: None,
        }
    }

    /// What came after a version, oldest first, strongly consistent.
    #[must_use]
    pub fn after(version: Version) -> Self {
        Self { after: version, ..Self::all() }
    }

    /// The whole stream, newest first, strongly consistent.
    #[must_use]
    pub fn backward() -> Self {
        Self { direction: Direction::Backward, ..Self::all() }
    }

    /// The same, up to and with the commit that holds this version.
    #[must_use]
    pub fn until(self, version: Version) -> Self {
        Self { until: version, ..self }
    }

    /// The same with a limit of commits a page.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The same with another consistency.
    #[must_use]
    pub fn consistency(self, consistency: Consistency) -> Self {
        Self { consistency, ..self }
    }

    /// The same, ending at a snapshot of this version.
    #[must_use]
    pub fn stop_at_snapshot(self, schema: u32) -> Self {
        Self { stop_at_snapshot: Some(schema), ..self }
    }

    /// Where the page after `page` starts, or nothing when it was the last.
    #[must_use]
    pub fn following(&self, page: &Page) -> Option<Self> {
        let last = page.commits.last().filter(|_| page.more)?;
        let mut next = self.clone();
        match self.direction {
            Direction::Forward => next.after = last.last(),
            Direction::Backward => next.until = Version(last.first.0.saturating_sub(1)),
        }
        Some(next)
    }
}

/// A page of commits.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The commits, in the order asked for.
    pub commits: Vec<Arc<Commit>>,
    /// Whether the range asked for may hold more; if so, the page is not empty.
    pub more: bool,
}

/// A stream as it is folded: the newest usable snapshot and everything after it.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The version the snapshot stands for and the snapshot, if there is a usable one.
    pub snapshot: Option<(Version, Snapshot)>,
    /// The commits after it, oldest first; all commits when there is none.
    pub tail: Vec<Arc<Commit>>,
}

impl Loaded {
    /// The version of the stream as far as the read saw it.
    #[must_use]
    pub fn version(&self) -> Version {
        let snapshot = self.snapshot.as_ref().map_or(Version::EMPTY, |(version, _)| *version);
        self.tail.last().map_or(snapshot, |commit| commit.last())
    }
}
