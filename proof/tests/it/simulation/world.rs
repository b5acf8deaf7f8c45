//! The world: workers on clocks of their own, in turns that a seed decides.
//!
//! Each worker has a runtime with a paused clock. The world lets one after the other live for some milliseconds of its own
//! time, faster or slower than others; one that is stopped is not let live, and when it goes on its clock has jumped, or
//! not. A kill drops the runtime with everything in it.

use std::sync::Arc;
use std::time::Duration;

use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected, StreamName};
use headwater_projections::rows::Generation;
use headwater_projections::{Control, LeaseStore, Order, Projection, ReadModels, RowStore, Runner, testing};
use headwater_proof::simulation::{Clock, Random, lock};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::account::{AccountEvent, Balance, Total, account, correct};
use super::check;
use super::shared::{Shared, now};
use super::way::Way;

/// Streams there are.
const STREAMS: u64 = 12;
/// How long the world may take to come to rest, in milliseconds.
const REST: u64 = 600_000;

pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    pub(crate) random: Random,
    pub(crate) workers: Vec<Option<Worker>>,
    /// Whether the feed may lose records.
    loses: bool,
    rarity: u64,
}

pub(crate) struct Worker {
    runtime: Runtime,
    pub(crate) way: Arc<Way>,
    control: Control,
    models: ReadModels,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), headwater_projections::RunError>>,
    clock: Clock,
}

impl World {
    pub(crate) fn new(seed: u64, partitions: usize, workers: usize, rarity: u64, loses: bool) -> Self {
        testing::seed(seed);
        correct(false);
        let shared = Arc::new(Shared::new(partitions, rarity));
        let workers = (0..workers).map(|_| None).collect();
        Self { shared, random: Random(seed), workers, loses, rarity }
    }

    /// Starts a worker, if there is none at this place.
    pub(crate) fn start(&mut self, slot: usize, death: Option<(u64, bool)>) {
        if self.workers[slot].is_some() {
            return;
        }
        let way = Arc::new(Way::new(&self.shared, slot, self.random.draw(), death));
        let runner = Runner::new(
            Arc::clone(&way) as Arc<dyn EventStore>,
            Arc::clone(&way) as Arc<dyn EventFeed>,
            Arc::clone(&way) as Arc<dyn RowStore>,
        );
        let runner = runner.leases(Arc::clone(&way) as Arc<dyn LeaseStore>);
        let runner = runner.projection::<Balance>().unwrap().projection::<Total>().unwrap();
        let (control, models) = (runner.control(), runner.read_models());
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(runner.run(async { drop(stopped.await) }));
        let clock = Clock::new(&mut self.random);
        self.shared.air.note(&format!("{slot} starts"));
        let worker = Worker { runtime, way, control, models, stop: Some(stop), task, clock };
        self.workers[slot] = Some(worker);
    }

    /// Ends a worker wherever it is.
    pub(crate) fn kill(&mut self, slot: usize) {
        if self.workers[slot].take().is_some() {
            self.shared.air.note(&format!("{slot} is killed"));
        }
    }

    pub(crate) fn stop(&mut self, slot: usize) {
        if let Some(stop) = self.workers[slot].as_mut().and_then(|worker| worker.stop.take()) {
            self.shared.air.note(&format!("{slot} is asked to stop"));
            let _gone = stop.send(());
        }
    }

    /// Everything stands still for a worker.
    pub(crate) fn put_to_sleep(&mut self, slot: usize, millis: u64) {
        let now = self.shared.air.now();
        if let Some(worker) = &mut self.workers[slot]
            && worker.clock.stand(now, millis, self.random.one_in(2))
        {
            self.shared.air.note(&format!("{slot} sleeps for {millis}"));
        }
    }

    pub(crate) fn append(&mut self, id: u64, events: &[AccountEvent]) -> StreamName {
        let stream = account(id);
        let data = events.iter().map(|event| event.encode().unwrap()).collect();
        let appended = now(self.shared.ledger.append(Append::new(stream.clone(), Expected::Any, data)));
        let commit = appended.unwrap().commit;
        self.shared.air.note(&format!("{stream} has version {}", commit.last()));
        lock(&self.shared.streams).entry(stream.clone()).or_default().push(Arc::clone(&commit));
        let (rarity, loses) = (self.rarity, self.loses);
        lock(&self.shared.feed).publish(&commit, &mut self.random, rarity, loses);
        stream
    }

    /// Appends some events to some stream; one of `poison` cannot be applied.
    pub(crate) fn append_any(&mut self, poison: u64) -> StreamName {
        let id = self.random.below(STREAMS);
        let count = 1 + self.random.index(3);
        let mut events = Vec::new();
        for _ in 0..count {
            let (amount, day) = (self.random.below(100) as i64, self.random.below(3) as u8);
            events.push(match self.random.below(10) {
                _ if self.random.one_in(poison) => AccountEvent::Poison,
                0..=6 => AccountEvent::Deposited { amount, day },
                7 | 8 => AccountEvent::Noted,
                _ => AccountEvent::Closed,
            });
        }
        self.append(id, &events)
    }

    /// A client of a worker waits until its own write shows. It must never be told so too early.
    pub(crate) fn wait_for(&mut self, slot: usize, stream: StreamName) {
        let Some(worker) = &self.workers[slot] else { return };
        let (models, shared) = (worker.models.clone(), Arc::clone(&self.shared));
        let version = shared.commits(&stream).last().unwrap().last();
        let name = if self.random.one_in(2) { Balance::NAME } else { Total::NAME };
        worker.runtime.spawn(async move {
            let waited = models.wait_applied(name, &stream, version, Duration::from_secs(5)).await;
            let (applied, _) = check::applied(&shared, &Generation::new(name, 1), &stream);
            if waited.is_ok_and(|told| told) && applied < version {
                shared.air.broke(format!("a wait for version {version} of {stream} ended at {applied}"));
            }
        });
    }

    /// Lets everybody live for a while.
    pub(crate) fn live(&mut self) {
        let millis = match self.random.below(10) {
            0..=2 => 1 + self.random.below(10),
            3..=8 => 10 + self.random.below(90),
            _ => 100 + self.random.below(400),
        };
        let first = self.random.index(self.workers.len());
        for turn in 0..self.workers.len() {
            self.turn((first + turn) % self.workers.len(), millis);
        }
        self.shared.air.pass(millis);
    }

    fn turn(&mut self, slot: usize, millis: u64) {
        let Some(worker) = &mut self.workers[slot] else { return };
        let Some(turn) = worker.clock.turn(self.shared.air.now(), millis) else { return };
        if turn.wakes {
            self.shared.air.note(&format!("{slot} wakes"));
            worker.runtime.block_on(tokio::time::advance(turn.jumps));
        }
        worker.runtime.block_on(async { tokio::time::sleep(turn.lives).await });
        if worker.way.is_dead() {
            self.kill(slot);
        } else if worker.task.is_finished() {
            let worker = self.workers[slot].take().unwrap();
            let ended = worker.runtime.block_on(worker.task);
            self.shared.air.note(&format!("{slot} ends"));
            if !matches!(ended, Ok(Ok(()))) {
                self.shared.air.broke(format!("a worker ended by itself: {ended:?}"));
            }
        }
    }

    /// Nothing goes wrong any more, the code is corrected, and somebody orders what is parked to be tried again: rows
    /// must come to be what a plain fold of the ledger gives.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        self.shared.air.clear_up();
        correct(true);
        self.rarity = 0;
        lock(&self.shared.feed).release();
        for slot in 0..self.workers.len() {
            if let Some(worker) = &mut self.workers[slot] {
                worker.clock.wake();
            }
        }
        if self.loses {
            // A last event for every stream, which is not lost: the hint that brings in what was.
            for id in 0..STREAMS {
                if !self.shared.commits(&account(id)).is_empty() {
                    self.append(id, &[AccountEvent::Noted]);
                }
            }
        }
        let deadline = self.shared.air.now() + REST;
        let mut ordered = 0;
        loop {
            (0..self.workers.len()).for_each(|slot| self.start(slot, None));
            self.live();
            if let Some(broken) = self.shared.air.broken() {
                return Err(broken);
            }
            let now = self.shared.air.now();
            if now >= ordered + 5_000 {
                self.order_retries();
                ordered = now;
            }
            match check::difference(&self.shared) {
                None => break,
                Some(difference) if now > deadline => {
                    return Err(format!("it does not come to rest: {difference}"));
                }
                Some(_) => {}
            }
        }
        self.end()
    }

    fn order_retries(&mut self) {
        for (projection, parked) in check::parked(&self.shared) {
            let slot = self.random.index(self.workers.len());
            let Some(worker) = &self.workers[slot] else { continue };
            let control = worker.control.clone();
            worker.runtime.spawn(async move {
                let order = Order { who: "the world".to_owned(), reason: "the code is corrected".to_owned() };
                // Whether it was of any use, the rows tell.
                let _carried_out = control.retry(projection, &parked.stream, &order).await;
            });
        }
    }

    /// Everybody stops in good order, and nothing changes the rows any more.
    fn end(&mut self) -> Result<(), String> {
        (0..self.workers.len()).for_each(|slot| self.stop(slot));
        let deadline = self.shared.air.now() + REST;
        while self.workers.iter().any(Option::is_some) {
            self.live();
            if self.shared.air.now() > deadline {
                return Err("a worker does not stop".to_owned());
            }
        }
        match self.shared.air.broken().or_else(|| check::difference(&self.shared)) {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }
}
