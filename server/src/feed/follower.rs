//! One subscriber: where it is in each partition, and what comes next, through splits and merges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::{FeedBatch, FeedRecord, Partition, PartitionId, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::cursor;
use super::hub::{Hub, Seat, Start};
use super::limits::{CURSOR_PARTITIONS, LISTING, LONGEST_LOOK, RING_BYTES, SHORTEST_LOOK};
use super::place::Place;
use super::ring::{Taken, record_bytes};
use crate::{Problem, ProblemKind};

/// One subscriber.
#[derive(Debug)]
pub(crate) struct Follower {
    hub: Arc<Hub>,
    _seat: Seat,
    partitions: BTreeMap<PartitionId, Followed>,
    grown: watch::Receiver<u64>,
    caught_up: bool,
    /// Partitions take turns in being asked first.
    turn: usize,
    /// When the partitions are listed again while the children of one are not known, and the pause after that.
    list: Instant,
    list_pause: Duration,
}

/// One of its partitions.
#[derive(Debug)]
struct Followed {
    digest: u64,
    place: Place,
    /// Read to its end; it stays until its children are followed.
    ended: bool,
    /// Whether it goes along with the tail. Whoever falls behind it then is too slow.
    joined: bool,
    /// Whether there was nothing more when it was looked at.
    quiet: bool,
    /// When whoever does not go along with the tail looks again, and the pause after that.
    look: Instant,
    pause: Duration,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Records of one partition, in order.
    Records(PartitionId, Vec<FeedRecord>),
    /// There was nothing more in any partition; said once.
    CaughtUp,
    /// It was too slow: what it needs next is no longer kept.
    Lagged,
    /// The patience is at its end.
    Idle,
}

impl Followed {
    fn at(partition: &PartitionId, place: Place) -> Self {
        let (digest, look) = (cursor::digest(partition), Instant::now());
        Self { digest, place, ended: false, joined: false, quiet: false, look, pause: SHORTEST_LOOK }
    }
}

impl Follower {
    pub(super) fn new(
        hub: Arc<Hub>,
        seat: Seat,
        listed: &[Partition],
        start: &Start,
        now: impl Fn(&PartitionId) -> Place,
    ) -> Result<Self, Problem> {
        let is_listed = |id: &PartitionId| listed.iter().any(|partition| partition.id == *id);
        let roots = listed.iter().filter(|partition| !partition.parents.iter().any(is_listed));
        let has_children = |id: &PartitionId| listed.iter().any(|partition| partition.parents.contains(id));
        let followed = |(id, place): (&PartitionId, Place)| (id.clone(), Followed::at(id, place));
        let partitions: BTreeMap<_, _> = match start {
            Start::Oldest => roots.map(|root| followed((&root.id, Place::Begin))).collect(),
            Start::Since(time) => roots.map(|root| followed((&root.id, Place::Since(*time)))).collect(),
            Start::Now => {
                let open = listed.iter().filter(|partition| !has_children(&partition.id));
                open.map(|partition| followed((&partition.id, now(&partition.id)))).collect()
            }
            Start::Cursor(text) => {
                let mut partitions = BTreeMap::new();
                for (digest, place) in cursor::read(text)? {
                    let found = listed.iter().find(|partition| cursor::digest(&partition.id) == digest);
                    let id = found.map(|partition| &partition.id).ok_or_else(|| {
                        expired("the cursor names a partition that the feed does not have any more")
                    })?;
                    partitions.insert(id.clone(), Followed::at(id, place));
                }
                partitions
            }
        };
        if partitions.len() > CURSOR_PARTITIONS {
            let detail =
                format!("the feed has more than {CURSOR_PARTITIONS} partitions, which no cursor can name");
            return Err(Problem::new(ProblemKind::TooLarge, detail));
        }
        let grown = hub.grown.subscribe();
        let (list, list_pause) = (Instant::now(), SHORTEST_LOOK);
        Ok(Self { hub, _seat: seat, partitions, grown, caught_up: false, turn: 0, list, list_pause })
    }

    /// Where it is, for clients.
    pub(crate) fn cursor(&self) -> String {
        cursor::write(self.partitions.values().map(|followed| (followed.digest, &followed.place)))
    }

    /// Where it is when of a partition only what comes up to a record is counted.
    pub(crate) fn cursor_at(&self, partition: &PartitionId, record: &FeedRecord) -> String {
        let place = Place::After(record.position.clone());
        let places = self
            .partitions
            .iter()
            .map(|(id, followed)| (followed.digest, if id == partition { &place } else { &followed.place }));
        cursor::write(places)
    }

    /// What comes next: at most `limit` records, or nothing within `patience`.
    ///
    /// # Cancel safety
    /// Safe: a place moves only when its records are returned.
    pub(crate) async fn next(&mut self, limit: usize, patience: Duration) -> Result<Next, Problem> {
        let deadline = Instant::now() + patience;
        loop {
            self.grown.borrow_and_update();
            self.turn = self.turn.wrapping_add(1);
            let ids: Vec<PartitionId> = self.partitions.keys().cloned().collect();
            let first = self.turn % ids.len().max(1);
            for id in ids.iter().cycle().skip(first).take(ids.len()) {
                match self.take(id, limit) {
                    Taken::Records(records) => return Ok(Next::Records(id.clone(), records)),
                    Taken::Nothing | Taken::NotYet | Taken::Ended => {}
                    Taken::Elsewhere if self.partitions.get(id).is_some_and(|followed| followed.joined) => {
                        return Ok(Next::Lagged);
                    }
                    Taken::Elsewhere => {
                        if let Some(records) = self.read(id, limit).await? {
                            return Ok(Next::Records(id.clone(), records));
                        }
                    }
                }
            }
            if self.descend().await? {
                continue;
            }
            if !self.caught_up && self.partitions.values().all(|followed| followed.quiet || followed.ended) {
                self.caught_up = true;
                return Ok(Next::CaughtUp);
            }
            let alone = self.partitions.values().filter(|followed| !followed.joined && !followed.ended);
            let list = self.partitions.values().any(|followed| followed.ended).then_some(self.list);
            let look =
                alone.map(|followed| followed.look).chain(list).min().unwrap_or(deadline).min(deadline);
            tokio::select! {
                // The hub outlives its followers, so this never fails.
                _ = self.grown.changed() => {}
                () = sleep_until(look) => {
                    if look == deadline {
                        return Ok(Next::Idle);
                    }
                }
            }
        }
    }

    /// What the tail has for it.
    fn take(&mut self, id: &PartitionId, limit: usize) -> Taken {
        let Some(followed) = self.partitions.get_mut(id).filter(|followed| !followed.ended) else {
            return Taken::Nothing;
        };
        let Some(tail) = self.hub.tail(id) else { return Taken::Elsewhere };
        let taken = tail.ring().after(&followed.place, limit);
        match &taken {
            Taken::Records(records) => {
                if let Some(last) = records.last() {
                    followed.place = Place::After(last.position.clone());
                }
                (followed.joined, followed.quiet) = (true, false);
            }
            Taken::Nothing => (followed.joined, followed.quiet) = (true, true),
            Taken::NotYet => (followed.joined, followed.quiet) = (true, false),
            Taken::Ended => {
                followed.ended = true;
                (self.list, self.list_pause) = (Instant::now(), SHORTEST_LOOK);
            }
            Taken::Elsewhere => {}
        }
        taken
    }

    /// Reads for itself, unless it has just found nothing.
    async fn read(&mut self, id: &PartitionId, limit: usize) -> Result<Option<Vec<FeedRecord>>, Problem> {
        let Some(followed) = self.partitions.get_mut(id) else { return Ok(None) };
        if followed.quiet && followed.look > Instant::now() {
            return Ok(None);
        }
        let batch = {
            let Ok(_permit) = self.hub.own_reads.acquire().await else { return Ok(None) };
            followed.place.read(&*self.hub.feed, id, limit).await
        };
        let mut batch = batch.map_err(|error| match error {
            StoreError::Position { reason } => expired(&reason),
            other => other.into(),
        })?;
        trim(&mut batch);
        followed.place = followed.place.behind(&batch);
        followed.ended = batch.ended && batch.records.is_empty();
        if followed.ended {
            (self.list, self.list_pause) = (Instant::now(), SHORTEST_LOOK);
        }
        if batch.records.is_empty() {
            followed.look = Instant::now() + followed.pause;
            followed.pause = (followed.pause * 2).min(LONGEST_LOOK);
            followed.quiet = true;
            return Ok(None);
        }
        (followed.quiet, followed.pause) = (false, SHORTEST_LOOK);
        Ok(Some(batch.records))
    }

    /// Goes on with the children of partitions that were read to their end. Whether there is something new to read.
    async fn descend(&mut self) -> Result<bool, Problem> {
        let ended = self.partitions.values().any(|followed| followed.ended);
        if !ended || self.list > Instant::now() {
            return Ok(false);
        }
        self.list = Instant::now() + self.list_pause;
        self.list_pause = (self.list_pause * 2).min(LISTING);
        let listed = self.hub.partitions().await?;
        let is_ended = |id: &PartitionId| self.partitions.get(id).is_some_and(|followed| followed.ended);
        let is_open = |id: &PartitionId| self.partitions.get(id).is_some_and(|followed| !followed.ended);
        let mut born: Vec<(PartitionId, Place)> = Vec::new();
        for child in &listed {
            let new = !self.partitions.contains_key(&child.id);
            if new && child.parents.iter().any(is_ended) && !child.parents.iter().any(is_open) {
                // Nothing was read of a parent that began by time and ended: its children begin by the same time.
                let parents = child.parents.iter().filter_map(|id| self.partitions.get(id));
                let mut since = parents.filter_map(|followed| match &followed.place {
                    Place::Since(time) => Some(Place::Since(*time)),
                    Place::Begin | Place::After(_) => None,
                });
                born.push((child.id.clone(), since.next().unwrap_or(Place::Begin)));
            }
        }
        for (id, place) in &born {
            self.partitions.insert(id.clone(), Followed::at(id, place.clone()));
        }
        // A parent is forgotten when all of its children are followed: until then a cursor must name it.
        let partitions = &self.partitions;
        let done: Vec<PartitionId> = partitions
            .iter()
            .filter(|(_, followed)| followed.ended)
            .filter(|(id, _)| {
                let mut children = listed.iter().filter(|child| child.parents.contains(id)).peekable();
                children.peek().is_some() && children.all(|child| partitions.contains_key(&child.id))
            })
            .map(|(id, _)| id.clone())
            .collect();
        done.iter().for_each(|id| {
            self.partitions.remove(id);
        });
        Ok(!born.is_empty())
    }
}

/// Leaves out what is too much to be kept for one subscriber; it is read again.
fn trim(batch: &mut FeedBatch) {
    let mut bytes = 0;
    let fits = batch.records.iter().take_while(|record| {
        let fits = bytes < RING_BYTES;
        bytes += record_bytes(record);
        fits
    });
    let fits = fits.count();
    if fits < batch.records.len() {
        batch.records.truncate(fits);
        batch.next = None;
        batch.ended = false;
    }
}

fn expired(reason: &str) -> Problem {
    let detail = format!("{reason}; begin again without a cursor, or with since");
    Problem::new(ProblemKind::CursorExpired, detail)
}
