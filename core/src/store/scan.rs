//! What is asked of a store when the whole ledger is read, and what it answers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Consistency, Invalid, limits};
use crate::Commit;

/// A page of the whole ledger: one of the segments it is read in, from a place on.
///
/// Segments can be read at the same time, by as many processes. How streams are spread over them depends on their number,
/// so a cursor belongs to a segment of that number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// The segment, from 0.
    pub segment: u32,
    /// In how many segments the ledger is read, 1 to [`limits::SCAN_SEGMENTS`].
    pub segments: u32,
    /// Where the page starts; at the beginning of the segment when there is none.
    pub after: Option<ScanCursor>,
    /// How fresh it must be.
    pub consistency: Consistency,
    /// Most commits of the page; the store may give fewer.
    pub limit: usize,
}

/// A place in a segment. Opaque to all but the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScanCursor(pub Arc<str>);

/// A page of commits of any streams.
#[derive(Debug, Clone, Default)]
pub struct ScanPage {
    /// The commits. Those of one stream are in version order.
    pub commits: Vec<Arc<Commit>>,
    /// Where the next page starts; none when the segment was read to its end. A page may be empty although more follows.
    pub next: Option<ScanCursor>,
}

impl Scan {
    /// The whole ledger in one segment, strongly consistent.
    #[must_use]
    pub fn all() -> Self {
        Self::segment(0, 1)
    }

    /// One of several segments, strongly consistent.
    #[must_use]
    pub fn segment(segment: u32, segments: u32) -> Self {
        let (consistency, limit) = (Consistency::Strong, limits::PAGE_COMMITS);
        Self { segment, segments, after: None, consistency, limit }
    }

    /// The same from a place on.
    #[must_use]
    pub fn after(self, cursor: ScanCursor) -> Self {
        Self { after: Some(cursor), ..self }
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

    /// Checks that there is such a segment, before anything is sent.
    ///
    /// # Errors
    /// [`Invalid::Segment`].
    pub fn check(&self) -> Result<(), Invalid> {
        if (1..=limits::SCAN_SEGMENTS).contains(&self.segments) && self.segment < self.segments {
            return Ok(());
        }
        Err(Invalid::Segment { segment: self.segment, segments: self.segments })
    }
}

impl fmt::Display for ScanCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
