//! The budget of the command path and of the projection step, in allocations and bytes: they are the same on every
//! machine and in every build, where times and instructions are not. Whoever needs more raises the budget, and says why;
//! whoever needs less lowers it, so that nobody takes it back unseen.

use std::hint::black_box;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use headwater::store::{EventStoreExt, Scan};
use headwater::{Decider, Event, Executor};
use headwater_benches::{
    Account, AccountCommand, AccountEvent, AccountRow, Headwater, Keeping, command, take_in,
};
use headwater_projections::{Batch, Definition, Memory};
use headwater_workload::Library;
use tokio::runtime::Builder;

/// What a step may take on average.
#[derive(Debug)]
struct Budget {
    allocations: f64,
    bytes: f64,
}

/// How often a step is measured.
const TIMES: u32 = 1_000;

/// A step takes no more than its budget, and not so much less that the budget says nothing.
#[track_caller]
fn keeps(what: &str, budget: &Budget, times: u32, info: AllocationInfo) {
    let took = Budget {
        allocations: info.count_total as f64 / f64::from(times),
        bytes: info.bytes_total as f64 / f64::from(times),
    };
    let over = took.allocations > budget.allocations * 1.02 || took.bytes > budget.bytes * 1.02;
    assert!(!over, "{what}: {took:.2?}, over the budget of {budget:?}");
    let under = took.allocations < budget.allocations * 0.9 || took.bytes < budget.bytes * 0.9;
    assert!(!under, "{what}: only {took:.2?}: lower the budget of {budget:?}");
}

fn event() -> AccountEvent {
    let mut account = Account::default();
    let mut last = Vec::new();
    for number in 0..2 {
        last = account.decide(command(7, number)).expect("the workload keeps the rules");
        last.iter().for_each(|event| account.apply(event));
    }
    last.remove(0)
}

#[test]
fn decide_and_apply_allocate_what_the_rules_make_and_no_more() {
    let mut account = Account::default();
    account.decide(command(7, 0)).unwrap().iter().for_each(|event| account.apply(event));
    let commands: Vec<AccountCommand> = (0..TIMES).map(|_| command(7, 1)).collect();
    let info = measure(|| {
        for command in commands {
            account.decide(command).unwrap().iter().for_each(|event| account.apply(event));
        }
    });
    keeps("decide and apply", &Budget { allocations: 2.0, bytes: 100.0 }, TIMES, info);
}

#[test]
fn an_event_is_encoded_in_one_buffer() {
    let event = event();
    let info = measure(|| {
        for _ in 0..TIMES {
            black_box(event.encode().unwrap());
        }
    });
    keeps("encode", &Budget { allocations: 1.0, bytes: 113.0 }, TIMES, info);
}

#[test]
fn an_event_is_decoded_into_its_fields_and_nothing_besides() {
    let data = event().encode().unwrap();
    let info = measure(|| {
        for _ in 0..TIMES {
            black_box(AccountEvent::decode(&data.name, data.schema, &data.payload).unwrap());
        }
    });
    keeps("decode", &Budget { allocations: 2.0, bytes: 46.0 }, TIMES, info);
}

#[test]
fn a_command_on_a_cached_state_keeps_its_budget() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let headwater = Headwater::<Account>::new(Keeping::States(10));
    let executor = Executor::new(Arc::clone(headwater.store()) as _);
    let id = Headwater::<Account>::id(7);
    let commands: Vec<AccountCommand> = (1..=TIMES).map(|number| command(7, number)).collect();
    runtime.block_on(executor.execute(&id, command(7, 0))).unwrap();
    let info = measure(|| {
        for command in commands {
            runtime.block_on(executor.execute(&id, command)).unwrap();
        }
    });
    keeps("execute", &Budget { allocations: 7.1, bytes: 660.0 }, TIMES, info);
}

#[test]
fn a_command_on_a_stream_of_20_events_that_is_not_cached_keeps_its_budget() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut headwater = Headwater::<Account>::new(Keeping::States(1));
    runtime.block_on(async {
        for account in 0..TIMES as usize {
            headwater.seed(account, 20).await;
        }
    });
    let commands: Vec<_> = (0..TIMES as usize)
        .map(|account| (Headwater::<Account>::id(account), command(account, 20)))
        .collect();
    let info = measure(|| {
        for (id, command) in commands {
            runtime.block_on(headwater.carry_out(&id, command));
        }
    });
    keeps("execute after a load", &Budget { allocations: 59.0, bytes: 2_830.0 }, TIMES, info);
}

#[test]
fn an_event_of_a_projection_keeps_its_budget() {
    const EVENTS: u32 = 100;
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut headwater = Headwater::<Account>::new(Keeping::Nothing);
    let mut commits = Vec::new();
    runtime.block_on(async {
        headwater.seed(7, EVENTS).await;
        let store = headwater.store();
        store.scan_all(Scan::all(), &mut |commit| commits.push(Arc::clone(commit))).await.unwrap();
    });
    let (definition, batch) = (Definition::<AccountRow>::new().unwrap(), Batch::from(commits));
    let info = measure(|| {
        for _ in 0..TIMES / EVENTS {
            black_box(take_in(&definition, &mut Memory::new(), &batch));
        }
    });
    keeps("an event of a batch", &Budget { allocations: 11.3, bytes: 1_427.0 }, TIMES, info);
}
