//! The lane of a reactor: streams side by side, the events of each one after the other.
//!
//! The place in a stream is stored behind each event that something was done about, under a condition: two owners cost
//! time, and meet their commands under the same keys. Events that nothing is done about are stored with the next place.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use headwater::store::Read;
use headwater::{CommandKey, Commit, Metadata, Options, RecordedEvent, StreamName, Version};
use tokio::time::timeout;

use super::kind::ReactorKind;
use super::limits::{EFFECT_PATIENCE, REACTION_PARTS, REACTION_TRIES, REACTIONS_AT_ONCE};
use super::memory::{Memory, Place};
use super::reaction::{Hitch, Part};
use super::{Reaction, Reactor, Trigger};
use crate::rows::{Generation, Written};
use crate::runner::limits::{FILL_COMMITS, MEMORY_ENTRIES};
use crate::runner::{Backoff, Lane, LaneError, Mended, Tally};
use crate::{Cause, CauseKind, Parked};

/// The driver of a reactor in a partition, with memory of its own.
pub(super) struct ReactorLane<R> {
    kind: ReactorKind<R>,
    generation: Generation,
    memory: Memory,
    tally: Arc<Tally>,
}

/// What became of the commits of a stream.
enum Reacted {
    /// All is done, or the stream is parked.
    Upto(Place),
    /// Another owner was first.
    Lost,
}

/// How the events of a stream are taken.
#[derive(Default)]
struct Manner {
    /// Events up to and with this version are passed over.
    discard: Option<Version>,
    /// The record of the stream that is tried again.
    mending: Option<Parked>,
}

impl<R: Reactor> ReactorLane<R> {
    pub(super) fn new(kind: ReactorKind<R>, generation: Generation, tally: Arc<Tally>) -> Self {
        Self { kind, generation, memory: Memory::default(), tally }
    }

    fn trigger(&self, category: &str) -> Option<&Trigger<R>> {
        self.kind.triggers.iter().find(|trigger| trigger.category() == category)
    }

    /// Takes the commits of one stream, filling what is missing in front of each from the ledger.
    async fn stream(
        &self,
        trigger: &Trigger<R>,
        mut place: Place,
        commits: &[Arc<Commit>],
        manner: &Manner,
    ) -> Result<Reacted, LaneError> {
        for commit in commits {
            let stream = &commit.stream;
            while place.parked.is_none() && commit.first > place.version.next() {
                let until = Version(commit.first.0 - 1);
                let read = Read::after(place.version).until(until).limit(FILL_COMMITS);
                let page = self.kind.ledger.read(stream, read).await?;
                let known = place.version;
                for missing in &page.commits {
                    match self.commit(trigger, place, missing, manner).await? {
                        Reacted::Upto(reached) => place = reached,
                        Reacted::Lost => return Ok(Reacted::Lost),
                    }
                }
                if place.version == known && place.parked.is_none() {
                    let reason =
                        format!("the ledger does not have it: a later commit begins at {}", commit.first);
                    let cause = Cause::new(CauseKind::Missing, reason);
                    self.park(&mut place, stream, known.next(), cause, manner).await?;
                }
            }
            match self.commit(trigger, place, commit, manner).await? {
                Reacted::Upto(reached) => place = reached,
                Reacted::Lost => return Ok(Reacted::Lost),
            }
        }
        let Some(last) = commits.last() else { return Ok(Reacted::Upto(place)) };
        Ok(if self.store(&mut place, &last.stream).await? { Reacted::Upto(place) } else { Reacted::Lost })
    }

    /// Takes the events of one commit that are new.
    async fn commit(
        &self,
        trigger: &Trigger<R>,
        mut place: Place,
        commit: &Commit,
        manner: &Manner,
    ) -> Result<Reacted, LaneError> {
        for event in commit.recorded() {
            let (stream, version) = (&commit.stream, event.version());
            if version <= place.version {
                continue;
            }
            if let Some(parked) = &mut place.parked {
                if parked.highest < version {
                    parked.highest = version;
                    self.kind.rows.park(&self.generation, parked).await?;
                }
                continue;
            }
            let done = match manner.discard {
                Some(until) if version <= until => Ok(false),
                _ => self.event(trigger, event).await?,
            };
            match done {
                Ok(acted) => {
                    place.version = version;
                    self.tally.add(1);
                    if acted && !self.store(&mut place, stream).await? {
                        return Ok(Reacted::Lost);
                    }
                }
                Err(cause) => self.park(&mut place, stream, version, cause, manner).await?,
            }
        }
        Ok(Reacted::Upto(place))
    }

    /// Reacts to an event, a few times if need be; says whether there was anything to do, or why it cannot be done.
    async fn event(
        &self,
        trigger: &Trigger<R>,
        event: RecordedEvent<'_>,
    ) -> Result<Result<bool, Cause>, LaneError> {
        let (mut tries, mut backoff) = (0, Backoff::default());
        loop {
            let reactions = match trigger.react(&self.kind.reactor, event) {
                Ok(reactions) => reactions,
                Err(cause) => return Ok(Err(cause)),
            };
            tries += 1;
            let acts = reactions.iter().any(|reaction| !reaction.parts.is_empty());
            let message = match self.act(event, reactions).await {
                Ok(()) => return Ok(Ok(acts)),
                Err(Hitch::Ledger(error)) => return Err(error.into()),
                Err(Hitch::Refused(message)) => return Ok(Err(Cause::new(CauseKind::Reaction, message))),
                Err(Hitch::Passing(message)) => message,
            };
            if tries >= REACTION_TRIES {
                return Ok(Err(Cause::new(CauseKind::Reaction, message)));
            }
            let (reactor, version) = (R::NAME, event.version().0);
            tracing::warn!(reactor, stream = %event.commit.stream, version, message, "a reaction failed, trying again");
            backoff.pause().await;
        }
    }

    /// Does what is to be done about a stored event, one part after the other.
    async fn act(&self, event: RecordedEvent<'_>, reactions: Vec<Reaction>) -> Result<(), Hitch> {
        for (decoded, reaction) in reactions.into_iter().enumerate() {
            if reaction.parts.len() > REACTION_PARTS {
                let (parts, limit) = (reaction.parts.len(), REACTION_PARTS);
                return Err(Hitch::Refused(format!("a reaction has {parts} parts: {limit} is the limit")));
            }
            for (number, part) in reaction.parts.into_iter().enumerate() {
                let key = CommandKey::new(format!("{}:{}:{decoded}.{number}", R::NAME, event.id()))
                    .expect("a name, an event's id and numbers are a key");
                let doing = match part {
                    Part::Command(command) => {
                        let mut metadata = Metadata::default();
                        let before = &event.commit.metadata;
                        metadata.correlation =
                            before.correlation.clone().or_else(|| Some(event.commit.id.to_string()));
                        metadata.causation = Some(event.id().to_string());
                        metadata.actor = Some(R::NAME.to_owned());
                        metadata.traceparent.clone_from(&before.traceparent);
                        let options = Options::new().key(key).metadata(metadata);
                        command(self.kind.executor.clone(), options)
                    }
                    Part::Effect(effect) => effect(key),
                };
                // Whatever the code was changing is dropped with the panic, so no broken invariant can be seen.
                match timeout(EFFECT_PATIENCE, AssertUnwindSafe(doing).catch_unwind()).await {
                    Ok(Ok(done)) => done?,
                    Ok(Err(panic)) => return Err(Hitch::Refused(Cause::panic(panic.as_ref()).message)),
                    Err(_) => return Err(Hitch::Passing("it took too long".to_owned())),
                }
            }
        }
        Ok(())
    }

    /// Stores the place; `false` when another owner was first.
    async fn store(&self, place: &mut Place, stream: &StreamName) -> Result<bool, LaneError> {
        let Some(write) = place.write(stream) else { return Ok(true) };
        let written = self.kind.rows.write(&self.generation, &write).await?;
        place.stored = place.version;
        Ok(written == Written::Done)
    }

    async fn park(
        &self,
        place: &mut Place,
        stream: &StreamName,
        version: Version,
        cause: Cause,
        manner: &Manner,
    ) -> Result<(), LaneError> {
        let before = manner.mending.as_ref().filter(|before| before.first_failing == version);
        let attempts = 1 + before.map_or(0, |before| before.attempts);
        let highest = before.map_or(version, |before| before.highest.max(version));
        let stream = stream.clone();
        let parked = Parked { stream, first_failing: version, highest, cause, attempts };
        tracing::error!(
            reactor = R::NAME,
            stream = %parked.stream,
            first_failing = version.0,
            cause = ?parked.cause.kind,
            "the stream is parked: correct the reactor, or what it calls"
        );
        self.kind.rows.park(&self.generation, &parked).await?;
        place.parked = Some(parked);
        Ok(())
    }

    /// Loads what is stored of these streams.
    async fn look_up(&mut self, streams: impl Iterator<Item = &StreamName>) -> Result<(), LaneError> {
        let wanted = self.memory.unknown(streams);
        if !wanted.streams.is_empty() {
            let loaded = self.kind.rows.load(&self.generation, &wanted).await?;
            self.memory.learn(&wanted, loaded);
        }
        Ok(())
    }

    async fn try_carry(&mut self, commits: &[Arc<Commit>], manner: &Manner) -> Result<(), LaneError> {
        let mut left: BTreeMap<StreamName, Vec<Arc<Commit>>> = BTreeMap::new();
        for commit in commits.iter().filter(|commit| self.trigger(commit.stream.category()).is_some()) {
            left.entry(commit.stream.clone()).or_default().push(Arc::clone(commit));
        }
        let mut losses = Backoff::default();
        while !left.is_empty() {
            self.look_up(left.keys()).await?;
            let work = left.iter().map(|(stream, commits)| {
                let place = self.memory.streams.get(stream).cloned().unwrap_or_default();
                let place = match &manner.mending {
                    Some(mended) if mended.stream == *stream && place.parked.as_ref() == Some(mended) => {
                        Place { parked: None, ..place }
                    }
                    _ => place,
                };
                (stream.clone(), commits.clone(), place)
            });
            let work: Vec<_> = work.collect();
            let this = &*self;
            let mut working = futures::stream::iter(work)
                .map(|(stream, commits, place)| async move {
                    let trigger = this.trigger(stream.category());
                    let trigger = trigger.expect("commits of other categories were left out");
                    (stream, this.stream(trigger, place, &commits, manner).await)
                })
                .buffer_unordered(REACTIONS_AT_ONCE);
            let (mut reached, mut lost, mut failed) = (Vec::new(), BTreeSet::new(), None);
            while let Some((stream, reacted)) = working.next().await {
                match reacted {
                    Ok(Reacted::Upto(place)) => reached.push((stream, place)),
                    Ok(Reacted::Lost) => drop(lost.insert(stream)),
                    // The others are let finish: what they have done is done.
                    Err(error) => failed = Some(error),
                }
            }
            drop(working);
            if let Some(error) = failed {
                return Err(error);
            }
            self.memory.streams.extend(reached);
            self.memory.streams.retain(|stream, _| !lost.contains(stream));
            left.retain(|stream, _| lost.contains(stream));
            if !left.is_empty() {
                losses.pause().await;
            }
        }
        if self.memory.streams.len() > MEMORY_ENTRIES {
            self.memory.streams.clear();
        }
        Ok(())
    }
}

#[async_trait]
impl<R: Reactor> Lane for ReactorLane<R> {
    async fn carry(&mut self, commits: &[Arc<Commit>]) -> Result<(), LaneError> {
        // What is parked may have been taken out by others, and only the store knows.
        for commit in commits {
            if self.memory.streams.get(&commit.stream).is_some_and(|place| place.parked.is_some()) {
                self.memory.streams.remove(&commit.stream);
            }
        }
        let carried = self.try_carry(commits, &Manner::default()).await;
        if carried.is_err() {
            self.forget();
        }
        carried
    }

    fn forget(&mut self) {
        self.memory.streams.clear();
    }

    async fn mend(&mut self, stream: &StreamName, discard: Option<Version>) -> Result<Mended, LaneError> {
        self.forget();
        self.look_up([stream].into_iter()).await?;
        let place = self.memory.streams.get(stream).cloned().unwrap_or_default();
        let Some(record) = place.parked else { return Ok(Mended::NotParked) };
        let manner = Manner { discard, mending: Some(record.clone()) };
        // The second time for what came while the record was still there, which others only counted.
        for before_the_record_goes in [true, false] {
            loop {
                let place = self.memory.streams.get(stream).cloned().unwrap_or_default();
                if place.parked.as_ref().is_some_and(|parked| *parked != record) {
                    return Ok(Mended::Parked);
                }
                let read = Read::after(place.version).limit(FILL_COMMITS);
                let page = self.kind.ledger.read(stream, read).await?;
                if page.commits.is_empty() {
                    break;
                }
                self.try_carry(&page.commits, &manner).await?;
                let reached = self.memory.streams.get(stream).cloned().unwrap_or_default();
                if reached.parked.is_some() {
                    return Ok(Mended::Parked);
                }
                if reached.version <= place.version {
                    break;
                }
            }
            if before_the_record_goes {
                // Lost means that somebody else took it out, or that the stream failed again further on.
                let _ = self.kind.rows.unpark(&self.generation, stream, record.first_failing).await?;
            }
        }
        Ok(Mended::Applied)
    }
}
