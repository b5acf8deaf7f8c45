//! Which records of writers have not moved for long enough. Time is the observer's own monotonic clock, and it begins when
//! the observer first saw the counter: clocks of processes are never compared.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::book::Record;
use super::limits::LONGEST_WAIT;

/// What one process has seen of the others.
#[derive(Debug)]
pub(super) struct Watch {
    takeover_after: Duration,
    seen: HashMap<String, (u64, Instant)>,
}

impl Watch {
    pub(super) fn new(takeover_after: Duration) -> Self {
        Self { takeover_after, seen: HashMap::new() }
    }

    /// Takes a look: the records over which a pass is due.
    pub(super) fn due(&mut self, records: Vec<Record>, own: Option<&str>, now: Instant) -> Vec<Record> {
        let before = std::mem::take(&mut self.seen);
        let mut due = Vec::new();
        for record in records.into_iter().filter(|record| Some(record.writer.as_str()) != own) {
            let known = before.get(&record.writer).filter(|(counter, _)| *counter == record.counter);
            let since = known.map_or(now, |(_, since)| *since);
            self.seen.insert(record.writer.clone(), (record.counter, since));
            // Never at first sight, however short the wait: that may be a writer of this process just registered.
            if known.is_some() && now.duration_since(since) >= self.wait(record.passes) {
                due.push(record);
            }
        }
        due
    }

    /// How long a record must not move before the pass after so many.
    fn wait(&self, passes: u32) -> Duration {
        match passes {
            0 => self.takeover_after,
            passes => Duration::from_secs(2_u64.saturating_pow(passes)).min(LONGEST_WAIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::{PASSES, TAKEOVER_AFTER};
    use super::*;

    fn record(counter: u64, passes: u32) -> Record {
        Record { writer: "other".to_owned(), counter, marks: vec![], passes }
    }

    fn is_due(watch: &mut Watch, record: &Record, now: Instant) -> bool {
        !watch.due(vec![record.clone()], Some("own"), now).is_empty()
    }

    #[test]
    fn only_a_record_that_stands_still_is_due() {
        let (mut watch, start) = (Watch::new(TAKEOVER_AFTER), Instant::now());
        let second = |number| start + Duration::from_secs(number);
        assert!(!is_due(&mut watch, &record(1, 0), second(0)));
        assert!(!is_due(&mut watch, &record(1, 0), second(9)));
        assert!(!is_due(&mut watch, &record(2, 0), second(12)), "it has moved");
        assert!(!is_due(&mut watch, &record(2, 0), second(21)));
        assert!(is_due(&mut watch, &record(2, 0), second(22)));
        assert!(!is_due(&mut watch, &record(3, 1), second(22)), "another process has claimed the pass");
        assert!(is_due(&mut watch, &record(3, 1), second(24)));
    }

    #[test]
    fn an_own_record_is_never_due_and_what_was_gone_is_seen_anew() {
        let (mut watch, start) = (Watch::new(Duration::ZERO), Instant::now());
        let own = Record { writer: "own".to_owned(), ..record(1, 0) };
        assert!(watch.due(vec![own], Some("own"), start).is_empty());
        assert!(!is_due(&mut watch, &record(1, 0), start), "it is seen for the first time");
        assert!(is_due(&mut watch, &record(1, 0), start), "nothing to wait for");
        let mut watch = Watch::new(TAKEOVER_AFTER);
        assert!(!is_due(&mut watch, &record(1, 0), start));
        assert!(watch.due(vec![], None, start + TAKEOVER_AFTER).is_empty());
        assert!(!is_due(&mut watch, &record(1, 0), start + TAKEOVER_AFTER));
    }

    #[test]
    fn all_passes_together_take_more_than_an_hour() {
        let watch = Watch::new(TAKEOVER_AFTER);
        let all: Duration = (0..PASSES).map(|passes| watch.wait(passes)).sum();
        assert!(all > Duration::from_secs(3_600), "{all:?}");
    }
}
