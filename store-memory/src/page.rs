//! One page of a stream: which commits a read gets, and whether there are more.

use std::sync::Arc;

use headwater::Commit;
use headwater::store::{Direction, Page, Read};

/// The page of a stream that a read asks for: of `commits`, oldest first, at most `limit`.
pub(crate) fn page(commits: &[Arc<Commit>], read: &Read, limit: usize) -> Page {
    let start = commits.partition_point(|commit| commit.last() <= read.after);
    let end = commits.partition_point(|commit| commit.first <= read.until);
    let range = commits.get(start..end).unwrap_or_default();
    match read.direction {
        Direction::Forward => {
            let commits: Vec<_> = range.iter().take(limit).cloned().collect();
            Page { more: commits.len() < range.len(), commits }
        }
        Direction::Backward => backward(range, read.stop_at_snapshot, limit),
    }
}

/// The newest of `range`, newest first, up to and with the first that has a snapshot of version `stop_at`.
fn backward(range: &[Arc<Commit>], stop_at: Option<u32>, limit: usize) -> Page {
    let mut commits = Vec::new();
    for commit in range.iter().rev().take(limit) {
        commits.push(Arc::clone(commit));
        if stop_at.is_some() && commit.snapshot.as_ref().map(|snapshot| snapshot.schema) == stop_at {
            return Page { commits, more: false };
        }
    }
    Page { more: commits.len() < range.len(), commits }
}
