//! Versions known to be the end of a commit, because this process has read or written that commit.
//!
//! Once true, that stays true: streams only grow. What is remembered is therefore never wrong, only not the newest. (A
//! table that is replaced by an older backup needs processes that start afresh.)

use std::fmt;

use headwater::{StreamName, Version};
use quick_cache::sync::Cache;

/// How many ends of commits are remembered of a stream: enough for the commands that race on it in this process.
const ENDS: usize = 8;

/// Ends of commits by stream, bounded by number of streams.
pub(crate) struct Heads {
    streams: Cache<StreamName, [u64; ENDS]>,
}

impl Heads {
    pub(crate) fn new(streams: usize) -> Self {
        Self { streams: Cache::new(streams) }
    }

    /// Whether a commit is known to end at this version. No commit has to end before the first one.
    pub(crate) fn is_end(&self, stream: &StreamName, version: Version) -> bool {
        version.is_empty() || self.streams.get(stream).is_some_and(|ends| ends.contains(&version.0))
    }

    /// The highest version a commit is known to end at.
    pub(crate) fn highest(&self, stream: &StreamName) -> Version {
        let ends = self.streams.get(stream).unwrap_or_default();
        Version(ends.into_iter().max().unwrap_or_default())
    }

    /// Remembers the end of a commit in place of the lowest one. Of two tasks that do so at once one may be forgotten:
    /// that costs a request and nothing else.
    pub(crate) fn note(&self, stream: &StreamName, end: Version) {
        let mut ends = self.streams.get(stream).unwrap_or_default();
        if ends.contains(&end.0) {
            return;
        }
        if let Some(lowest) = ends.iter_mut().min_by_key(|known| **known)
            && *lowest < end.0
        {
            *lowest = end.0;
            self.streams.insert(stream.clone(), ends);
        }
    }
}

impl fmt::Debug for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heads").field("streams", &self.streams.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_ends_are_remembered_and_nothing_else_is_an_end() {
        let heads = Heads::new(4);
        let stream = StreamName::parse("check/a").unwrap();
        assert!(heads.is_end(&stream, Version::EMPTY));
        for end in 1..=20 {
            heads.note(&stream, Version(end * 2));
        }
        assert!(heads.is_end(&stream, Version(40)) && heads.is_end(&stream, Version(26)));
        assert!(!heads.is_end(&stream, Version(24)) && !heads.is_end(&stream, Version(39)));
        heads.note(&stream, Version(2));
        assert_eq!(heads.highest(&stream), Version(40));
    }
}
