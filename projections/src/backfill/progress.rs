//! Progress of a backfill, to be shown by whoever runs it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::limits::{LAST_NOTE_BYTES, LAST_NOTES, NOTES};

/// What a backfill has done so far; written by it, read by anybody.
#[derive(Debug, Default)]
pub struct Progress {
    events: AtomicU64,
    parts: AtomicU64,
    all_parts: AtomicU64,
    all_events: AtomicU64,
    rows: AtomicU64,
    units: AtomicU64,
    refusals: AtomicU64,
    slots: AtomicU64,
    all_slots: AtomicU64,
    generation: AtomicU32,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    phase: Phase,
    /// When the pass under way began.
    pass: Option<Instant>,
    notes: VecDeque<String>,
    last: VecDeque<String>,
    all: u64,
}

/// What a backfill is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Looking at what there is.
    #[default]
    Surveying,
    /// Reading events and folding them.
    Folding,
    /// Reading streams from the ledger of which versions are missing in the history.
    Filling,
    /// Writing rows.
    Writing,
    /// Comparing rows with a fold of their own.
    Verifying,
    /// Waiting for slots that others do.
    Waiting,
    /// Waiting until the new generation is level with the live one.
    CatchingUp,
    /// Done.
    Done,
}

/// Progress at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// The generation that is built; 0 before that is known.
    pub generation: u32,
    /// Events read, repeats included; those of a pass that had to be done again count again.
    pub events: u64,
    /// Parts read in the pass under way.
    pub parts: u64,
    /// Parts of the pass under way.
    pub all_parts: u64,
    /// Events of the pass under way, if the source knows.
    pub all_events: u64,
    /// Rows written.
    pub rows: u64,
    /// Write units of the rows written, one for each KB begun.
    pub write_units: u64,
    /// Writes that were refused and tried again.
    pub refusals: u64,
    /// Slots done.
    pub slots: u64,
    /// Slots there are.
    pub all_slots: u64,
    /// Notes so far.
    pub notes: u64,
}

impl Snapshot {
    /// Events read a second, after so much time.
    #[must_use]
    pub fn rate(&self, worked: Duration) -> f64 {
        self.events as f64 / worked.as_secs_f64().max(0.001)
    }
}

impl Progress {
    /// How far it is.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            generation: self.generation.load(Ordering::Relaxed),
            events: get(&self.events),
            parts: get(&self.parts),
            all_parts: get(&self.all_parts),
            all_events: get(&self.all_events),
            rows: get(&self.rows),
            write_units: get(&self.units),
            refusals: get(&self.refusals),
            slots: get(&self.slots),
            all_slots: get(&self.all_slots),
            notes: self.told().all,
        }
    }

    /// What it is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.told().phase
    }

    /// How long the pass under way may still take, in seconds, once there is something to tell it by.
    #[must_use]
    pub fn seconds_left(&self) -> Option<f64> {
        let Snapshot { parts, all_parts, .. } = self.snapshot();
        let read_for = self.told().pass?.elapsed().as_secs_f64();
        (parts > 0 && parts < all_parts).then(|| read_for * (all_parts - parts) as f64 / parts as f64)
    }

    /// What has been noted since the last call: damage, refusals, streams that were parked.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        self.told().notes.drain(..).collect()
    }

    /// What has been noted last, cut where it is long.
    #[must_use]
    pub fn last_notes(&self) -> Vec<String> {
        self.told().last.iter().cloned().collect()
    }

    pub(super) fn building(&self, generation: u32) {
        self.generation.store(generation, Ordering::Relaxed);
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.told().phase = phase;
    }

    /// Notes something that whoever looks has to know.
    pub fn note(&self, note: String) {
        let mut told = self.told();
        told.all += 1;
        let end = note.floor_char_boundary(LAST_NOTE_BYTES);
        told.last.push_back(note.get(..end).unwrap_or_default().to_owned());
        if told.last.len() > LAST_NOTES {
            told.last.pop_front();
        }
        if told.notes.len() < NOTES {
            told.notes.push_back(note);
        }
    }

    pub(super) fn begin_pass(&self, parts: usize, events: u64) {
        self.told().pass = Some(Instant::now());
        self.parts.store(0, Ordering::Relaxed);
        self.all_parts.store(parts as u64, Ordering::Relaxed);
        self.all_events.store(events, Ordering::Relaxed);
    }

    pub(super) fn read_events(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn read_part(&self) {
        self.parts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self, rows: u64, units: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.units.fetch_add(units, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn slots(&self, done: usize, all: usize) {
        self.slots.store(done as u64, Ordering::Relaxed);
        self.all_slots.store(all as u64, Ordering::Relaxed);
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_told_by_the_pass_under_way_and_not_by_those_before_it() {
        let progress = Progress::default();
        assert_eq!(progress.seconds_left(), None);
        progress.begin_pass(8, 0);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        progress.begin_pass(8, 0);
        assert_eq!(progress.seconds_left(), None, "nothing is read yet");
        tokio::time::advance(Duration::from_secs(10)).await;
        progress.read_part();
        progress.read_part();
        assert_eq!(progress.seconds_left(), Some(30.0));
    }
}
