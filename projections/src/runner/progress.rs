//! How far the reader of one partition has come: written by the reader, read by whoever saves or shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater::Timestamp;
use headwater::store::Position;
use tokio::time::Instant;

use super::limits::HEAD_FRESH;
use super::pace::Pace;
use super::projections::{Paces, Place};
use super::status::{PartitionState, PartitionStatus};
use crate::group::{Checkpoint, Lease};

/// What is known of a partition that is being read.
#[derive(Debug, Default)]
pub(super) struct Progress {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    checkpoints: BTreeMap<Arc<str>, Checkpoint>,
    paces: Paces,
    losses: u64,
    /// Where the projections that are furthest read.
    lead: Option<Position>,
    late: bool,
    /// When the feed last had nothing more.
    at_head: Option<Instant>,
    /// When the feed last answered.
    answered: Option<Instant>,
    /// When the newest commit that is done was made.
    newest: Option<Timestamp>,
    in_hand: usize,
    catching_up: bool,
    gone: bool,
    trouble: Option<String>,
}

impl Progress {
    /// Progress from where a lease says.
    pub(super) fn from(lease: &Lease) -> Self {
        let (checkpoints, losses) = (lease.checkpoints.clone(), lease.losses);
        Self { state: Mutex::new(State { checkpoints, losses, ..State::default() }) }
    }

    /// The checkpoints to be saved, and how often positions were lost.
    pub(super) fn checkpoints(&self) -> (BTreeMap<Arc<str>, Checkpoint>, u64) {
        let state = self.locked();
        (state.checkpoints.clone(), state.losses)
    }

    /// A generation has dealt with a batch, and is so far behind now.
    pub(super) fn paced(&self, generation: &Arc<str>, pace: Pace) {
        self.locked().paces.insert(Arc::clone(generation), pace);
    }

    /// Where a generation is, and how far behind.
    pub(super) fn place(&self, generation: &str) -> Place {
        let state = self.locked();
        let (checkpoint, pace) =
            (state.checkpoints.get(generation).cloned(), state.paces.get(generation).copied());
        Place { checkpoint, pace, owner: None }
    }

    /// The feed has answered with this many records.
    pub(super) fn answered(&self, records: usize, at_head: bool) {
        let mut state = self.locked();
        let now = Instant::now();
        state.answered = Some(now);
        (state.gone, state.trouble) = (false, None);
        state.in_hand += records;
        if at_head {
            state.at_head = Some(now);
            state.catching_up = false;
        }
    }

    /// As many records have been dealt with, up to one made at this time.
    pub(super) fn dealt_with(&self, records: usize, newest: Option<Timestamp>) {
        let mut state = self.locked();
        state.in_hand = state.in_hand.saturating_sub(records);
        state.newest = state.newest.max(newest);
    }

    /// A generation has done everything up to a checkpoint (L7).
    pub(super) fn done(&self, generation: &Arc<str>, checkpoint: Checkpoint) {
        self.locked().checkpoints.insert(Arc::clone(generation), checkpoint);
    }

    pub(super) fn lead(&self) -> Option<Position> {
        self.locked().lead.clone()
    }

    /// Where those that are furthest read, and whether others are behind them.
    pub(super) fn set_lead(&self, position: Option<Position>, late: bool) {
        let mut state = self.locked();
        (state.lead, state.late) = (position, late);
    }

    /// The feed does not know the checkpoint of these generations any more. Whoever comes next begins at the oldest
    /// record as well, and does not find the same loss again.
    pub(super) fn position_lost(&self, generations: &BTreeSet<Arc<str>>) {
        let mut state = self.locked();
        state.losses += 1;
        state.checkpoints.retain(|generation, _| !generations.contains(generation));
        (state.catching_up, state.at_head, state.lead) = (true, None, None);
    }

    /// The partition cannot be read for now; `gone` if the feed does not know it at all.
    pub(super) fn unreadable(&self, reason: String, gone: bool) {
        let mut state = self.locked();
        (state.trouble, state.gone) = (Some(reason), gone);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.locked().gone
    }

    /// What is to be shown.
    pub(super) fn show(&self) -> PartitionStatus {
        let state = self.locked();
        let age = |at: Option<Instant>| at.map(|at| at.elapsed());
        let since_head = age(state.at_head);
        let wall = state.newest.map(|newest| {
            Duration::try_from(Timestamp::now().duration_since(newest)).unwrap_or(Duration::ZERO)
        });
        // Both are too much rather than too little: what was made before the head was seen is done, and so is what was
        // made before the newest that is done. The second leans on wall clocks and is for people only.
        let behind = [since_head, wall].into_iter().flatten().min();
        let silent = age(state.answered).is_none_or(|age| age > HEAD_FRESH);
        let (now, behind) = match &state.trouble {
            Some(reason) => (PartitionState::Unreadable { reason: reason.clone() }, since_head),
            None if state.catching_up => (PartitionState::CatchingUp, behind),
            None if state.in_hand > 0 => (PartitionState::Reading, behind),
            None if state.answered.is_none() => (PartitionState::Starting, None),
            None if silent => {
                let reason = "the feed has not answered lately".to_owned();
                (PartitionState::Unreadable { reason }, since_head)
            }
            None if since_head.is_some_and(|age| age <= HEAD_FRESH) => (PartitionState::CaughtUp, since_head),
            None => (PartitionState::Reading, behind),
        };
        PartitionStatus { state: now, behind, late: state.late, in_hand: state.in_hand, losses: state.losses }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
