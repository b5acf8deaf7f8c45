//! Single steps of the command path, many times over, between two marks of who counts.

use std::hint::black_box;
use std::sync::Arc;

use headwater::store::{EventStoreExt, Scan};
use headwater::{Decider, Decoded, Event, Executor};
use headwater_account::{
    Account, AccountCommand, AccountEvent, AccountRow, Headwater, Keeping, command, name, take_in,
};
use headwater_projections::{Batch, Definition, Memory};
use headwater_workload::Library;

use crate::traced::Traced;

/// The steps.
const STEPS: [&str; 5] = ["decide-and-apply", "encode", "decode", "execute", "step"];
/// Events of a batch of the projection step.
const BATCH: u32 = 20;
/// How often a step is done before anybody counts, so that what is made once is there.
const BEFORE: u32 = 8;

/// Why a step could not be done.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Repeats a step. Commands are made before it begins.
///
/// # Errors
/// When it cannot be done, or there is none of that name.
pub(crate) async fn repeat(step: &str, times: u32, traced: &Traced) -> Result<(), Error> {
    let event = AccountEvent::Deposited {
        account: name(7),
        tx: "0190c5f2-8a3b-7d41-00001-0000007".to_owned(),
        amount: 100,
        balance: 4_200,
        at: 1_767_225_600_000,
    };
    match step {
        "decide-and-apply" => {
            let mut account = Account::default();
            account.decide(command(7, 0))?.iter().for_each(|event| account.apply(event));
            for commands in [commands(BEFORE), commands(times)] {
                traced.mark()?;
                for command in commands {
                    let events = account.decide(black_box(command))?;
                    events.iter().for_each(|event| account.apply(event));
                }
            }
            traced.mark()?;
            black_box(account);
        }
        "encode" => {
            for times in [BEFORE, times] {
                traced.mark()?;
                for _ in 0..times {
                    black_box(black_box(&event).encode()?);
                }
            }
            traced.mark()?;
        }
        "decode" => {
            let data = event.encode()?;
            for times in [BEFORE, times] {
                traced.mark()?;
                for _ in 0..times {
                    let decoded = AccountEvent::decode(&data.name, data.schema, black_box(&data.payload))?;
                    debug_assert!(matches!(&decoded, Decoded::One(_)));
                    black_box(decoded);
                }
            }
            traced.mark()?;
        }
        "execute" => {
            let headwater = Headwater::<Account>::new(Keeping::States(10));
            let (executor, id) = (Executor::new(headwater.store().clone() as _), Headwater::<Account>::id(7));
            executor.execute(&id, command(7, 0)).await?;
            for commands in [commands(BEFORE), commands(times)] {
                traced.mark()?;
                for command in commands {
                    executor.execute(&id, black_box(command)).await?;
                }
            }
            // Here, and not behind all steps: what the store holds is dropped behind it.
            traced.mark()?;
        }
        "step" => project(times, traced).await?,
        other => return Err(format!("nothing is called {other}: there are {}", STEPS.join(", ")).into()),
    }
    Ok(())
}

fn commands(times: u32) -> Vec<AccountCommand> {
    (0..times).map(|_| command(7, 1)).collect()
}

/// The projection step on batches of events of one stream; an event counts.
async fn project(times: u32, traced: &Traced) -> Result<(), Error> {
    let mut headwater = Headwater::<Account>::new(Keeping::States(10));
    headwater.seed(7, BATCH).await;
    let mut commits = Vec::new();
    headwater.store().scan_all(Scan::all(), &mut |commit| commits.push(Arc::clone(commit))).await?;
    let (definition, batch) = (Definition::<AccountRow>::new()?, Batch::from(commits));
    for times in [BEFORE.div_ceil(BATCH), times / BATCH] {
        traced.mark()?;
        for _ in 0..times {
            black_box(take_in(&definition, &mut Memory::new(), &batch));
        }
    }
    traced.mark()?;
    Ok(())
}
