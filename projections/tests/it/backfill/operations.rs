//! Rebuilds as operations: asked for, taken up, seen, cancelled and given up, from several processes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use headwater_projections::backfill::{
    AskedFor, Backfill, BackfillError, Budget, Built, Operation, OperationError, OperationState, Operations,
    Pace, Promotion, Verify, Wish, limits::OPERATIONS_KEPT,
};
use headwater_projections::group::limits::EXPIRY;
use headwater_projections::group::{Item, ItemKey, Items, LeaseError, MemoryLeases, Saved, WorkerId};
use headwater_projections::rows::Generation;
use headwater_projections::{GROUP, LeaseStore, MemoryRows};
use tokio::sync::watch;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Instant, sleep};

use super::world::{World, rows};
use crate::model::{Balance, deposited};

/// Accounts of the ledger: as many write units are taken to write their rows.
const ACCOUNTS: u32 = 40;
/// Write units a second of a slow one: it takes twenty seconds.
const SLOW: Budget = Budget::WriteUnits(2);

/// Leases in memory where others may be faster between any two calls.
#[derive(Debug)]
struct Yielding(Arc<MemoryLeases>);

#[async_trait]
impl LeaseStore for Yielding {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        yield_now().await;
        self.0.list(group).await
    }
    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        yield_now().await;
        self.0.save(group, item, counter).await
    }
    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        yield_now().await;
        self.0.delete(group, key, counter).await
    }
}

pub(super) async fn world() -> World {
    let mut world = World::new(Arc::new(MemoryRows::new()));
    for id in 0..ACCOUNTS {
        world.append(&id.to_string(), &[deposited(1, "mon"), deposited(2, "tue")]).await;
    }
    world
}

/// The operations as one process has them.
pub(super) fn operations(world: &World) -> Operations {
    Operations::new(Arc::new(Yielding(Arc::clone(&world.leases))), GROUP)
}

pub(super) fn wish(by: &str) -> Wish {
    Wish {
        by: by.to_owned(),
        reason: "a test".to_owned(),
        source: None,
        memory_bytes: 1 << 30,
        budget: Budget::Unlimited,
        verify: Verify::Sample,
        promote: Promotion::Auto,
    }
}

pub(super) async fn asked(operations: &Operations) -> Operation {
    match operations.ask("balances", 1, &wish("ada")).await.unwrap() {
        AskedFor::New(operation) => operation,
        AskedFor::There(operation) => panic!("{operation:?} is there"),
    }
}

/// A backfill in slots, at this pace.
pub(super) fn backfill(world: &World, budget: Budget) -> Backfill {
    let backfill = world.of_ledger::<Balance>();
    let mut options = backfill.options;
    (options.memory_bytes, options.budget) = (6_000, budget);
    Backfill { options, pace: Pace::new(budget), ..backfill }
}

/// Takes the operation that is queued, and carries it out.
pub(super) async fn carry_out(
    operations: Operations,
    backfill: Backfill,
    stop: watch::Receiver<bool>,
) -> Result<Built, BackfillError> {
    let taken = operations.take(&WorkerId::random(), |_| true).await.unwrap().expect("one is queued");
    operations.carry_out(taken, &backfill, stop).await
}

/// A rebuild that one process carries out, slowly, while another one looks at it.
pub(super) struct Slow {
    pub(super) elsewhere: Operations,
    pub(super) id: Arc<str>,
    work: JoinHandle<Result<Built, BackfillError>>,
    stop: watch::Sender<bool>,
}

impl Slow {
    pub(super) async fn begun(world: &World) -> Self {
        let (mine, elsewhere) = (operations(world), operations(world));
        let id = asked(&mine).await.id;
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn(carry_out(mine, backfill(world, SLOW), stopped));
        Self { elsewhere, id, work, stop }
    }

    /// One that has done some of its slots.
    async fn under_way(world: &World) -> Self {
        let slow = Self::begun(world).await;
        until(&slow.elsewhere, &slow.id, |operation| operation.report.progress.slots > 0).await;
        slow
    }

    async fn look(&self) -> Operation {
        self.elsewhere.get(&self.id).await.unwrap()
    }
}

/// Looks until an operation is in a state.
pub(super) async fn until(
    operations: &Operations,
    id: &str,
    mut is: impl FnMut(&Operation) -> bool,
) -> Operation {
    let deadline = Instant::now() + Duration::from_secs(600);
    loop {
        let operation = operations.get(id).await.unwrap();
        if is(&operation) {
            return operation;
        }
        assert!(Instant::now() < deadline, "{operation:?}");
        sleep(Duration::from_millis(300)).await;
    }
}

/// Slots of a generation that somebody has.
async fn slots_held(world: &World, generation: u32) -> usize {
    let group = format!("backfill/{}", Generation::new("balances", generation));
    let leases = world.leases.list(&group).await.unwrap().leases;
    assert!(!leases.is_empty(), "there are no slots");
    leases.values().filter(|lease| lease.owner.is_some()).count()
}

#[tokio::test(start_paused = true)]
async fn of_several_who_ask_at_once_one_operation_is_made_and_one_process_takes_it() {
    let world = world().await;
    let processes: Vec<_> = (0..8).map(|_| operations(&world)).collect();
    let wish = wish("ada");
    let asked = join_all(processes.iter().map(|one| one.ask("balances", 1, &wish))).await;
    let (mut new, mut ids) = (0, Vec::new());
    for asked in asked {
        let operation = match asked.unwrap() {
            AskedFor::New(operation) => {
                new += 1;
                operation
            }
            AskedFor::There(operation) => operation,
        };
        ids.push(operation.id.to_string());
    }
    assert_eq!((new, ids), (1, vec!["balances-1".to_owned(); 8]));
    let me = WorkerId::random();
    let other_code = processes[0].take(&me, |operation| operation.version == 2).await.unwrap();
    assert_eq!(other_code, None, "this process has the code of version 2");
    let workers: Vec<_> = processes.iter().map(|_| WorkerId::random()).collect();
    let taking =
        processes.iter().zip(&workers).map(|(one, me)| one.take(me, |operation| operation.version == 1));
    let taken = join_all(taking).await;
    assert_eq!(taken.into_iter().filter_map(Result::unwrap).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn everybody_sees_how_far_it_is_and_it_never_goes_back() {
    let world = world().await;
    let (mine, elsewhere) = (operations(&world), operations(&world));
    let id = asked(&elsewhere).await.id;
    assert_eq!(elsewhere.get(&id).await.unwrap().state, OperationState::Queued);
    let (_keep, stop) = watch::channel(false);
    let work = tokio::spawn(carry_out(mine, backfill(&world, SLOW), stop));
    let (mut states, mut last) = (Vec::new(), (0, 0, 0));
    let done = until(&elsewhere, &id, |operation| {
        let (report, state) = (&operation.report, operation.state);
        let now = (report.progress.rows, report.progress.events, report.progress.slots);
        assert!(now.0 >= last.0 && now.1 >= last.1 && now.2 >= last.2, "{last:?} became {now:?}");
        last = now;
        if states.last() != Some(&state) {
            states.push(state);
        }
        state.is_ended()
    })
    .await;
    let in_order = [
        OperationState::Queued,
        OperationState::Running,
        OperationState::WaitingForSwitch,
        OperationState::Done,
    ];
    assert_eq!(states, in_order);
    assert!(work.await.unwrap().unwrap().live);
    let report = &done.report;
    assert_eq!((report.live, report.progress.generation), (true, 2));
    assert_eq!((report.progress.rows, last.0), (u64::from(ACCOUNTS), u64::from(ACCOUNTS)));
    assert!(
        report.progress.all_slots > 1 && report.progress.slots == report.progress.all_slots,
        "{report:?}"
    );
    assert_eq!((done.wish.by.as_str(), done.wish.reason.as_str()), ("ada", "a test"));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_cancelled_elsewhere_stops_in_good_order_and_the_next_goes_on() {
    let world = world().await;
    let mut slow = Slow::under_way(&world).await;
    let told = Instant::now();
    assert_eq!(&*slow.elsewhere.cancel(&slow.id, "bob").await.unwrap().cancelled_by.unwrap(), "bob");
    assert!(matches!((&mut slow.work).await.unwrap(), Err(BackfillError::Stopped)));
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    let cancelled = slow.look().await;
    assert_eq!((cancelled.state, cancelled.report.live), (OperationState::Cancelled, false));
    assert_eq!(slots_held(&world, 2).await, 0, "others can go on at once");
    assert_eq!(world.generations("balances").await.live, 1);
    let again = slow.elsewhere.cancel(&slow.id, "bob").await;
    assert!(matches!(again, Err(OperationError::Ended { .. })), "{again:?}");

    let next = asked(&slow.elsewhere).await.id;
    assert_eq!(&*next, "balances-2");
    let fast = backfill(&world, Budget::Unlimited);
    assert!(carry_out(operations(&world), fast, slow.stop.subscribe()).await.unwrap().live);
    let done = slow.elsewhere.get(&next).await.unwrap();
    assert!(done.report.notes.iter().any(|note| note.contains("going on with generation 2")), "{done:?}");
    assert!(done.report.progress.rows < u64::from(ACCOUNTS), "what was done stays done: {done:?}");
    let rows = rows::<Balance>(world.rows.as_ref(), &Generation::new("balances", 2)).await;
    assert_eq!(rows.len(), ACCOUNTS as usize);
    assert!(rows.values().all(|(row, _)| row["balance"] == 3), "{rows:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_stopped_in_front_of_its_switch_is_gone_on_with_and_nothing_is_read_again() {
    let world = world().await;
    let operations = operations(&world);
    let (_keep, stop) = watch::channel(false);
    let id = asked(&operations).await.id;
    let fast = || backfill(&world, Budget::Unlimited);
    let work = tokio::spawn(carry_out(operations.clone(), fast(), stop.clone()));
    until(&operations, &id, |operation| operation.state == OperationState::WaitingForSwitch).await;
    operations.cancel(&id, "bob").await.unwrap();
    assert!(matches!(work.await.unwrap(), Err(BackfillError::Stopped)));
    assert_eq!(world.generations("balances").await.live, 1, "nothing was switched");

    let next = asked(&operations).await.id;
    let built = carry_out(operations.clone(), fast(), stop.clone()).await.unwrap();
    assert_eq!((built.generation, built.live), (2, true));
    let done = operations.get(&next).await.unwrap();
    assert_eq!((done.report.progress.events, done.report.progress.generation), (0, 2), "{done:?}");

    // One that was built to be looked at first is done: the next is a new one.
    for generation in [3, 4] {
        let mut manual = fast();
        manual.options.promote = false;
        asked(&operations).await;
        let built = carry_out(operations.clone(), manual, stop.clone()).await.unwrap();
        assert_eq!((built.generation, built.live), (generation, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_ends_releases_its_slots_and_the_operation_is_interrupted() {
    let world = world().await;
    let mut slow = Slow::under_way(&world).await;
    slow.stop.send_replace(true);
    assert!(matches!((&mut slow.work).await.unwrap(), Err(BackfillError::Stopped)));
    assert_eq!(slow.look().await.state, OperationState::Interrupted);
    assert_eq!(slots_held(&world, 2).await, 0);
}

#[tokio::test(start_paused = true)]
async fn one_whose_process_was_killed_is_shown_as_interrupted_and_asked_for_anew() {
    let world = world().await;
    let slow = Slow::under_way(&world).await;
    slow.work.abort();
    let killed = Instant::now();
    until(&slow.elsewhere, &slow.id, |operation| operation.state == OperationState::Interrupted).await;
    assert!(killed.elapsed() < EXPIRY + Duration::from_secs(2), "{:?}", killed.elapsed());

    // Whoever has just begun does not know yet whether it is alive, and finds out.
    let begun = Instant::now();
    let next = asked(&operations(&world)).await;
    assert_eq!(&*next.id, "balances-2");
    assert!(begun.elapsed() >= EXPIRY, "it was not watched for long enough: {:?}", begun.elapsed());
    let given_up = operations(&world).get(&slow.id).await.unwrap();
    assert_eq!(given_up.state, OperationState::Interrupted, "it is written down");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_alive_elsewhere_is_not_asked_for_twice() {
    let world = world().await;
    let slow = Slow::begun(&world).await;
    sleep(Duration::from_secs(5)).await;
    let again = slow.elsewhere.ask("balances", 1, &wish("bob")).await.unwrap();
    assert!(matches!(&again, AskedFor::There(there) if there.id == slow.id), "{again:?}");
    assert!(slow.work.await.unwrap().unwrap().live);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_taken_for_gone_stops() {
    let world = world().await;
    let mut slow = Slow::under_way(&world).await;
    slow.elsewhere.interrupt_all().await.unwrap();
    assert!(matches!((&mut slow.work).await.unwrap(), Err(BackfillError::Stopped)));
    assert_eq!(slow.look().await.state, OperationState::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn the_last_ones_that_ended_are_kept_and_no_more() {
    let world = world().await;
    let operations = operations(&world);
    for _ in 0..2 * OPERATIONS_KEPT {
        let id = asked(&operations).await.id;
        assert_eq!(operations.cancel(&id, "bob").await.unwrap().state, OperationState::Cancelled);
    }
    asked(&operations).await;
    let numbers: Vec<_> = operations.list().await.unwrap().into_iter().map(|one| one.number).collect();
    let last = 2 * OPERATIONS_KEPT as u64 + 1;
    let expected: Vec<_> = (last - OPERATIONS_KEPT as u64..=last).rev().collect();
    assert_eq!(numbers, expected, "the one that is queued, and those that ended last");
    let gone = operations.get("balances-1").await;
    assert!(matches!(gone, Err(OperationError::Unknown { .. })), "{gone:?}");
}
