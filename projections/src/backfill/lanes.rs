//! Reading a whole history into a fold: some lanes at a time, each on a thread where nobody minds that decoding takes a
//! while. What is damaged is noted and filled in from the ledger.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater::{EventId, Metadata, StreamName};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::limits::READ_TRIES;
use super::pace::Pace;
use super::progress::Progress;
use super::{BackfillError, Damage, History, HistoryError, HistoryEvent, Lane, Survey};
use crate::parked::chain;
use crate::source::Stored;
use crate::{Cause, CauseKind};

/// Events after which the progress is brought up to date.
const COUNT_EVERY: u64 = 4_096;

/// What takes events in, from several threads at once.
pub(super) trait Fold: Send + Sync {
    /// Takes in an event.
    fn see(&self, event: &HistoryEvent<'_>, scratch: &mut Scratch) -> ControlFlow<()>;
}

/// What each thread has for itself: the metadata it read last. Most commits have none, or the same.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    metadata: Metadata,
}

impl Scratch {
    /// The event as a source decodes it.
    pub(super) fn stored<'a>(
        &'a mut self,
        event: &HistoryEvent<'a>,
        stream: &'a StreamName,
    ) -> Result<Stored<'a>, Cause> {
        let metadata = match self.metadata(event.metadata) {
            Ok(metadata) => metadata,
            Err(error) => {
                let message = format!("the metadata of version {} of {stream}: {error}", event.version);
                return Err(Cause::new(CauseKind::Undecodable, message));
            }
        };
        Ok(Stored {
            stream,
            version: event.version,
            id: EventId { commit: event.commit, index: event.index },
            recorded_at: event.recorded_at,
            metadata,
            name: event.name,
            schema: event.schema,
            payload: event.payload,
        })
    }

    fn metadata(&mut self, bytes: &[u8]) -> Result<&Metadata, serde_json::Error> {
        if self.bytes != bytes {
            self.metadata =
                if bytes.is_empty() { Metadata::default() } else { serde_json::from_slice(bytes)? };
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
        }
        Ok(&self.metadata)
    }
}

/// What reads.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) workers: usize,
    pub(super) progress: Arc<Progress>,
    pub(super) pace: Pace,
}

/// Tells the threads of a pass to end when nobody waits for them any more.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Reading {
    /// Reads everything of a survey; answers with what was damaged. What still cannot be read after some tries counts as
    /// damaged, unless nothing is left that could make it good.
    pub(super) async fn pass(
        &self,
        history: &Arc<dyn History>,
        survey: &Survey,
        fold: &Arc<dyn Fold>,
        last: bool,
    ) -> Result<Vec<Damage>, BackfillError> {
        let parts = || survey.lanes.iter().flat_map(|lane| &lane.parts);
        self.progress.begin_pass(parts().count(), parts().filter_map(|part| part.events).sum());
        let ended = Ended(Arc::default());
        let mut damage = survey.damage.clone();
        let (mut begun, mut done) = (BTreeSet::new(), BTreeSet::new());
        let mut tasks: JoinSet<(usize, Result<Vec<Damage>, BackfillError>)> = JoinSet::new();
        while done.len() < survey.lanes.len() {
            let ready = |(place, lane): &(usize, &Lane)| {
                // Lanes wait for smaller places only, so that none waits for itself.
                let waits = |after: &usize| after < place && !done.contains(after);
                !begun.contains(place) && !lane.after.iter().any(waits)
            };
            let room = self.workers.max(1).saturating_sub(tasks.len());
            let next: Vec<_> = survey.lanes.iter().enumerate().filter(ready).take(room).collect();
            for (place, lane) in next {
                begun.insert(place);
                let work = LaneWork {
                    history: Arc::clone(history),
                    lane: lane.clone(),
                    fold: Arc::clone(fold),
                    ended: Arc::clone(&ended.0),
                    reading: self.clone(),
                    last,
                };
                let handle = Handle::current();
                tasks.spawn_blocking(move || (place, handle.block_on(work.read())));
            }
            let Some(joined) = tasks.join_next().await else { break };
            let (place, found) = joined?;
            done.insert(place);
            damage.extend(found?);
        }
        Ok(damage)
    }
}

struct LaneWork {
    history: Arc<dyn History>,
    lane: Lane,
    fold: Arc<dyn Fold>,
    ended: Arc<AtomicBool>,
    reading: Reading,
    last: bool,
}

impl LaneWork {
    async fn read(self) -> Result<Vec<Damage>, BackfillError> {
        let mut damage = Vec::new();
        let mut scratch = Scratch::default();
        for part in &self.lane.parts {
            let (mut from, mut tries) = (None, 0);
            loop {
                let begun = Instant::now();
                let (mut events, mut stopped) = (0, false);
                let progress = &self.reading.progress;
                let mut visit = |event: HistoryEvent<'_>| {
                    events += 1;
                    if events == COUNT_EVERY {
                        progress.read_events(COUNT_EVERY);
                        events = 0;
                        if self.ended.load(Ordering::Relaxed) {
                            stopped = true;
                            return ControlFlow::Break(());
                        }
                    }
                    let flow = self.fold.see(&event, &mut scratch);
                    stopped |= flow.is_break();
                    flow
                };
                let read = self.history.read(part, from.as_ref(), &mut visit).await;
                progress.read_events(events);
                match read {
                    Ok(_) if stopped => return Ok(damage),
                    Ok(next) => (from, tries) = (next, 0),
                    Err(HistoryError::Damaged(found)) => {
                        progress.note(format!("{} is damaged: {found}", self.history.kind()));
                        damage.push(found);
                        from = None;
                    }
                    Err(error) => {
                        tries += 1;
                        if tries == READ_TRIES && self.last {
                            return Err(error.into());
                        }
                        if tries == READ_TRIES {
                            let reason = format!("it cannot be read: {}", chain(&error));
                            let found = Damage { part: Arc::clone(&part.name), partition: None, reason };
                            progress.note(format!("{} is damaged: {found}", self.history.kind()));
                            damage.push(found);
                            progress.read_part();
                            break;
                        }
                        progress.note(format!("{error}: trying again"));
                        tokio::time::sleep(Duration::from_millis(100 << tries.min(6))).await;
                        continue;
                    }
                }
                if from.is_none() {
                    progress.read_part();
                }
                let over = || self.ended.load(Ordering::Relaxed);
                self.reading.pace.rest(begun.elapsed(), over).await;
                if over() {
                    return Ok(damage);
                }
                if from.is_none() {
                    break;
                }
            }
        }
        Ok(damage)
    }
}
