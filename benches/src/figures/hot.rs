//! Single steps of the command path, many times over: to be run under a counter of instructions, once with none and once
//! with some, so that the difference is that of the step alone.

use std::hint::black_box;
use std::sync::Arc;

use headwater::store::{EventStoreExt, Scan};
use headwater::{Decider, Decoded, Event, Executor};
use headwater_projections::{Batch, Definition, Memory};
use headwater_workload::Library;

use super::Error;
use crate::{Account, AccountEvent, AccountRow, Headwater, Keeping, command, take_in};

/// The steps.
pub(super) const STEPS: [&str; 5] = ["decide-and-apply", "encode", "decode", "execute", "step"];
/// Events of a batch of the projection step.
const BATCH: u32 = 100;

/// Repeats a step.
pub(super) async fn repeat(name: &str, times: u32) -> Result<(), Error> {
    let event = AccountEvent::Deposited {
        account: crate::name(7),
        tx: "0190c5f2-8a3b-7d41-00001-0000007".to_owned(),
        amount: 100,
        balance: 4_200,
        at: 1_767_225_600_000,
    };
    match name {
        "decide-and-apply" => {
            let mut account = Account::default();
            opened(&mut account)?;
            for _ in 0..times {
                let events = account.decide(black_box(command(7, 1)))?;
                events.iter().for_each(|event| account.apply(event));
            }
            black_box(account);
        }
        "encode" => {
            for _ in 0..times {
                black_box(black_box(&event).encode()?);
            }
        }
        "decode" => {
            let data = event.encode()?;
            for _ in 0..times {
                let decoded = AccountEvent::decode(&data.name, data.schema, black_box(&data.payload))?;
                debug_assert!(matches!(&decoded, Decoded::One(_)));
                black_box(decoded);
            }
        }
        "execute" => {
            let headwater = Headwater::<Account>::new(Keeping::States(10));
            let (executor, id) = (Executor::new(headwater.store().clone() as _), Headwater::<Account>::id(7));
            executor.execute(&id, command(7, 0)).await?;
            for _ in 0..times {
                executor.execute(&id, command(7, 1)).await?;
            }
        }
        _ => project(times).await?,
    }
    Ok(())
}

fn opened(account: &mut Account) -> Result<(), Error> {
    let events = account.decide(command(7, 0))?;
    events.iter().for_each(|event| account.apply(event));
    Ok(())
}

/// The projection step on batches of events of one stream; an event counts.
async fn project(times: u32) -> Result<(), Error> {
    let mut headwater = Headwater::<Account>::new(Keeping::States(10));
    headwater.seed(7, BATCH).await;
    let mut commits = Vec::new();
    headwater.store().scan_all(Scan::all(), &mut |commit| commits.push(Arc::clone(commit))).await?;
    let (definition, batch) = (Definition::<AccountRow>::new()?, Batch::from(commits));
    for _ in 0..times / BATCH {
        black_box(take_in(&definition, &mut Memory::new(), &batch));
    }
    Ok(())
}
