//! The world: processes in turns that a seed decides. A kill drops the runtime of a process with everything in it.

use std::sync::Arc;
use std::time::Duration;

use headwater::store::Read;
use headwater::{EventStoreExt, Expected, Id};
use headwater_proof::simulation::{Random, lock};

use super::aws::Aws;
use super::check;
use super::errands::Errand;
use super::orders::{Order, amount, till};
use super::process::{How, Process};
use super::purse::Purse;

/// How long the world may take to come to rest, in milliseconds: longer than a commit in doubt is looked for.
const REST: u64 = 900_000;
/// How long it may take until all dead writers are off the books: their passes take more than an hour.
const HOURS: u64 = 3 * 3_600_000;
/// How old an order may be when it is given again, in milliseconds: the search for an own earlier try relies on it.
const AGAIN_WITHIN: u64 = 20_000;

pub(crate) struct World {
    pub(crate) aws: Arc<Aws>,
    pub(crate) random: Random,
    pub(crate) processes: Vec<Option<Process>>,
    how: How,
    started: usize,
    orders: Vec<Order>,
    errands: Vec<Errand>,
    /// Errands that were ever made.
    made: u64,
}

impl World {
    pub(crate) fn new(seed: u64, processes: usize, rarity: u64) -> Self {
        // Pauses of the store and of the SDK, and names of writers.
        fastrand::seed(seed);
        let mut random = Random(seed);
        let how = How {
            page_commits: [2, 7, 1_000][random.index(3)],
            heads: [1, 1_000][random.index(2)],
            cached_states: [1, 1_000][random.index(2)],
            queue_commits: [6, 1_000][random.index(2)],
            takeover_after: Duration::from_secs(2 + random.below(4)),
        };
        let aws = Arc::new(Aws::new(seed, rarity));
        let processes = (0..processes).map(|_| None).collect();
        Self { aws, random, processes, how, started: 0, orders: Vec::new(), errands: Vec::new(), made: 0 }
    }

    /// From now on processes look after each other as seldom as in production: for hours that go by.
    pub(crate) fn watch_seldom(&mut self) {
        self.how.takeover_after = Duration::from_secs(10);
    }

    /// Starts a process, if there is none at this place.
    pub(crate) fn start(&mut self, slot: usize, death: Option<(u64, bool)>) {
        if self.processes[slot].is_none() {
            let number = self.started;
            self.started += 1;
            self.aws.air.note(&format!("{number} starts"));
            let process = Process::start(&self.aws, number, self.how, &mut self.random, death);
            self.processes[slot] = Some(process);
        }
    }

    /// Ends a process wherever it is.
    pub(crate) fn kill(&mut self, slot: usize) {
        if self.processes[slot].take().is_some() {
            self.aws.air.note(&format!("the process at {slot} is killed"));
        }
    }

    pub(crate) fn close(&mut self, slot: usize) {
        if let Some(process) = &mut self.processes[slot] {
            process.close();
        }
    }

    /// A process stands still; its clock may go on.
    pub(crate) fn put_to_sleep(&mut self, slot: usize, millis: u64, clock_goes_on: bool) {
        let now = self.aws.air.now();
        if let Some(process) = &mut self.processes[slot]
            && process.clock.stand(now, millis, clock_goes_on)
        {
            self.aws.air.note(&format!("the process at {slot} sleeps for {millis}"));
        }
    }

    /// A client wants something of some process: commits written, or commands carried out; something new, or something of
    /// which it has heard nothing.
    pub(crate) fn order(&mut self, slot: usize) {
        match self.random.below(3) {
            0 => self.run(slot),
            _ => self.write(slot),
        }
    }

    fn run(&mut self, slot: usize) {
        let Some(process) = &mut self.processes[slot] else { return };
        let now = self.aws.air.now();
        let (aws, random) = (&self.aws, &mut self.random);
        if random.one_in(8) {
            process.look(aws, random.draw());
            return;
        }
        self.errands.retain(|errand| errand.made + AGAIN_WITHIN > now);
        if !self.errands.is_empty() && random.one_in(3) {
            let errand = self.errands[random.index(self.errands.len())].clone();
            if errand.again(random, aws) {
                process.run(aws, errand);
            }
            return;
        }
        let errand = Errand::some(random, aws, self.made, &self.errands);
        self.made += 1;
        self.errands.push(errand.clone());
        process.run(aws, errand);
    }

    fn write(&mut self, slot: usize) {
        let Some(process) = &mut self.processes[slot] else { return };
        let now = self.aws.air.now();
        let (aws, random) = (&self.aws, &mut self.random);
        self.orders.retain(|order| order.made + AGAIN_WITHIN > now);
        let again = !self.orders.is_empty() && random.one_in(3);
        let order = if again {
            let order = &self.orders[random.index(self.orders.len())];
            // Who has heard knows; and some ask although they know.
            if !order.is_open(aws) && !random.one_in(4) {
                return;
            }
            order.clone()
        } else {
            let order = Order::some(random, aws);
            self.orders.push(order.clone());
            order
        };
        process.ask(aws, order);
    }

    /// A client wants one commit written, whatever there is.
    pub(crate) fn order_any(&mut self, slot: usize) {
        let order = Order::one(&mut self.random, &self.aws, till("0"), Expected::Any);
        self.give(slot, order);
    }

    /// A client gives a process this order.
    pub(crate) fn give(&mut self, slot: usize, order: Order) {
        if let Some(process) = &mut self.processes[slot] {
            process.ask(&self.aws, order);
        }
    }

    /// Lets everybody live for some while.
    pub(crate) fn live(&mut self) {
        let millis = match self.random.below(10) {
            0..=2 => 1 + self.random.below(10),
            3..=8 => 10 + self.random.below(90),
            _ => 500 + self.random.below(3_000),
        };
        self.live_for(millis);
    }

    pub(crate) fn live_for(&mut self, millis: u64) {
        let first = self.random.index(self.processes.len());
        for turn in 0..self.processes.len() {
            let slot = (first + turn) % self.processes.len();
            let ended = self.processes[slot].as_mut().is_some_and(|process| process.turn(&self.aws, millis));
            if ended {
                self.processes[slot] = None;
            }
        }
        self.aws.air.pass(millis);
    }

    /// Nothing goes wrong any more: everything on its way arrives, is answered and published.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        self.aws.air.clear_up();
        self.processes.iter_mut().flatten().for_each(|process| process.clock.wake());
        let deadline = self.aws.air.now() + REST;
        loop {
            (0..self.processes.len()).for_each(|slot| self.start(slot, None));
            self.live();
            self.sound()?;
            let asked = self.processes.iter().flatten().any(Process::is_asked);
            let unpublished = check::unpublished(&self.aws);
            if !asked && self.aws.air.is_still() && unpublished.is_none() {
                break;
            }
            if self.aws.air.now() > deadline {
                return Err(format!("L4: it does not come to rest: asked {asked}, {unpublished:?}"));
            }
        }
        self.read()?;
        self.close_all()?;
        check::end(&self.aws)
    }

    /// Goes on until no writer is on the books any more: an hour and more after the last one died.
    pub(crate) fn outlive(&mut self) -> Result<(), String> {
        self.watch_seldom();
        self.start(0, None);
        let deadline = self.aws.air.now() + HOURS;
        while check::writers(&self.aws) > 0 {
            self.live_for(30_000);
            self.sound()?;
            if self.aws.air.now() > deadline {
                return Err("L4: dead writers stay on the books".to_owned());
            }
        }
        self.close_all()?;
        check::end(&self.aws)
    }

    /// The first law that was broken.
    pub(crate) fn sound(&self) -> Result<(), String> {
        self.aws.air.broken().map_or(Ok(()), Err)
    }

    /// Everything is read as the ledger has it.
    fn read(&self) -> Result<(), String> {
        let process = self.processes.iter().flatten().next().ok_or("nobody lives")?;
        for (stream, (head, sum)) in check::stored(&self.aws) {
            let commits = process.now(async |store, _| store.read_all(&stream, Read::all()).await);
            let commits = commits.map_err(|error| format!("L1: {stream} cannot be read: {error}"))?;
            let read: u64 = commits.iter().flat_map(|commit| &commit.events).map(amount).sum();
            let last = commits.last().map(|commit| commit.last());
            if (last, read) != (Some(head), sum) {
                return Err(format!("L1: {stream} at {head} with {sum} is read as {last:?} with {read}"));
            }
        }
        let purses = lock(&self.aws.purses).all();
        for purse in purses {
            let id = Id::<Purse>::new(purse.id()).map_err(|error| error.to_string())?;
            let seen = process.now(async |_, executor| executor.state(&id).await);
            let seen = seen.map_err(|error| format!("L1: {purse} cannot be read: {error}"))?;
            let (head, sum) = check::purse(&self.aws, &purse);
            if (seen.version, seen.state.sum) != (head, sum) {
                return Err(format!("L8: {purse} at {head} with {sum} is seen as {seen:?}"));
            }
        }
        Ok(())
    }

    fn close_all(&mut self) -> Result<(), String> {
        let deadline = self.aws.air.now() + REST;
        while self.processes.iter().any(Option::is_some) {
            (0..self.processes.len()).for_each(|slot| self.close(slot));
            self.live();
            self.sound()?;
            if self.aws.air.now() > deadline {
                return Err("a process does not close".to_owned());
            }
        }
        Ok(())
    }
}
