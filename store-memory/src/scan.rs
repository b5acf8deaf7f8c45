//! All streams: a segment is some of the shards, and each is read in the order its commits were written.

use std::fmt;
use std::sync::Arc;

use headwater::Commit;
use headwater::store::{Invalid, Scan, ScanCursor, ScanPage, StoreError};

use crate::MemoryStore;
use crate::shard::SHARDS;

/// A place in a segment: so many commits of a shard are read, and all of the shards before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    shard: usize,
    read: usize,
}

impl MemoryStore {
    /// One page; it ends with the shard it began in.
    pub(crate) fn scan_page(&self, scan: &Scan) -> Result<ScanPage, StoreError> {
        scan.check()?;
        let step = usize::try_from(scan.segments).unwrap_or(usize::MAX);
        let Place { shard, read } = Place::of(scan)?;
        let limit = self.page_limit(scan.limit);
        let Some(found) = self.shard(shard) else { return Ok(ScanPage::default()) };
        let state = found.read();
        let log = state.log();
        let commits: Vec<Arc<Commit>> = log.iter().skip(read).take(limit).cloned().collect();
        let read = read + commits.len();
        let next =
            if read < log.len() { Place { shard, read } } else { Place { shard: shard + step, read: 0 } };
        let next = (next.shard < SHARDS).then(|| ScanCursor(next.to_string().into()));
        Ok(ScanPage { commits, next })
    }
}

impl Place {
    /// Where a page begins.
    fn of(scan: &Scan) -> Result<Self, Invalid> {
        let (segment, segments) = (scan.segment as usize, scan.segments as usize);
        let Some(cursor) = &scan.after else { return Ok(Self { shard: segment, read: 0 }) };
        let place = cursor
            .0
            .split_once('.')
            .and_then(|(shard, read)| Some(Self { shard: shard.parse().ok()?, read: read.parse().ok()? }));
        let is_here = |place: &Self| place.shard < SHARDS && place.shard % segments == segment;
        place.filter(is_here).ok_or_else(|| Invalid::ScanCursor {
            cursor: cursor.to_string(),
            segment: scan.segment,
            segments: scan.segments,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.shard, self.read)
    }
}
