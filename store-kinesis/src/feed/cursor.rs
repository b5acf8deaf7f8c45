//! Iterators that are kept between two reads, so that reading on costs one request.

use std::collections::VecDeque;
use std::time::Duration;

use headwater::store::Position;
use tokio::time::Instant;

use super::limits;

/// An iterator that stands behind a position, and what the last answer there said.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    /// The iterator.
    pub(super) iterator: String,
    /// The position whose record must come first, because the iterator was opened there and not behind it.
    pub(super) anchor: Option<Position>,
    /// Answers without records in which the anchor should have been.
    pub(super) missed: u32,
    /// When the iterator was handed out; it lives for five minutes.
    pub(super) since: Instant,
    /// Whether there is known to be more behind it.
    pub(super) more: bool,
    /// Answers without records, one after the other.
    pub(super) quiet: u32,
    /// How far the last answer was behind the tip of the shard.
    pub(super) behind: Option<Duration>,
}

impl Cursor {
    /// An iterator that nothing was read from.
    pub(super) fn opened(iterator: String, anchor: Option<Position>) -> Self {
        Self { iterator, anchor, missed: 0, since: Instant::now(), more: true, quiet: 0, behind: None }
    }

    /// When the next look is due; at once when there is more.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.more).then(|| self.since + pause(self.quiet))
    }
}

/// How long a shard is left alone after so many answers without records.
fn pause(quiet: u32) -> Duration {
    let doubled =
        limits::SHORTEST_PAUSE.checked_mul(1_u32.checked_shl(quiet.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.unwrap_or(limits::LONGEST_PAUSE).min(limits::LONGEST_PAUSE)
}

/// The cursors of a shard, the one used last first.
#[derive(Debug, Default)]
pub(super) struct Cursors(VecDeque<(Option<Position>, Cursor)>);

impl Cursors {
    /// The cursor behind a position, unless it is too old to be used.
    pub(super) fn get(&self, position: Option<&Position>) -> Option<&Cursor> {
        let (_, cursor) = self.0.iter().find(|(at, _)| at.as_ref() == position)?;
        (cursor.since.elapsed() < limits::ITERATOR_LIFE).then_some(cursor)
    }

    /// Keeps a cursor in place of the one at the same position, or of the one used least lately.
    pub(super) fn put(&mut self, position: Option<Position>, cursor: Cursor) {
        self.forget(position.as_ref());
        self.0.truncate(limits::ITERATORS.saturating_sub(1));
        self.0.push_front((position, cursor));
    }

    /// Notes that there is more behind a position: another reader that stands there need not wait.
    pub(super) fn passed(&mut self, position: Option<&Position>) {
        if let Some((_, cursor)) = self.0.iter_mut().find(|(at, _)| at.as_ref() == position) {
            cursor.more = true;
        }
    }

    /// Keeps nothing for a position.
    pub(super) fn forget(&mut self, position: Option<&Position>) {
        self.0.retain(|(at, _)| at.as_ref() != position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: usize) -> Option<Position> {
        Some(Position(sequence.to_string().into()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_cursors_is_bounded_and_the_newest_stay() {
        let mut cursors = Cursors::default();
        for sequence in 0..limits::ITERATORS * 3 {
            cursors.put(at(sequence), Cursor::opened(sequence.to_string(), None));
        }
        assert_eq!(cursors.0.len(), limits::ITERATORS);
        let newest = limits::ITERATORS * 3 - 1;
        assert!(cursors.get(at(newest).as_ref()).is_some());
        assert!(cursors.get(at(0).as_ref()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cursor_is_not_used_when_its_iterator_may_have_expired() {
        let mut cursors = Cursors::default();
        cursors.put(None, Cursor::opened("a".to_owned(), None));
        tokio::time::sleep(limits::ITERATOR_LIFE - Duration::from_secs(1)).await;
        assert!(cursors.get(None).is_some());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(cursors.get(None).is_none());
    }

    #[test]
    fn the_pause_grows_while_a_shard_is_quiet_and_has_an_end() {
        let pauses: Vec<_> = [0, 1, 2, 3, 4, 40, u32::MAX].into_iter().map(pause).collect();
        assert_eq!(pauses.first(), Some(&limits::SHORTEST_PAUSE));
        assert!(pauses.is_sorted(), "{pauses:?}");
        assert_eq!(pauses.last(), Some(&limits::LONGEST_PAUSE));
    }
}
