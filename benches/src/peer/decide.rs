//! W1 and W2: the command path on the memory store.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use headwater::{Executor, Id};
use headwater_store_memory::MemoryStore;
use serde_json::json;

use super::meter::{Meter, emit, percentiles};
use super::{Options, Workload};
use crate::{Account, AccountCommand, command, name};

/// What an account holds after its first commands.
fn balance_after(commands: u32) -> i64 {
    (1..commands).map(|number| if number % 3 == 2 { -50 } else { 100 }).sum()
}

fn id(account: usize) -> Id<Account> {
    Id::new(name(account)).expect("the name is valid")
}

/// W1: every thread has the accounts whose number is its own modulo the number of threads.
pub(super) async fn many(options: &Options) -> io::Result<()> {
    let (accounts, threads) = (options.accounts.max(1), options.threads.max(1));
    let commands = options.commands.unwrap_or(200_000);
    let executor = executor(options);
    let mut plans: Vec<Vec<(Id<Account>, AccountCommand)>> = vec![Vec::new(); threads];
    for number in 0..commands {
        let (account, step) = (number % accounts, number / accounts);
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        if let Some(plan) = plans.get_mut(account % threads) {
            plan.push((id(account), command(account, step)));
        }
    }
    let meter = Meter::start();
    let mut tasks = Vec::new();
    for plan in plans {
        let executor = executor.clone();
        let work = async move {
            for (id, command) in plan {
                executor.execute(&id, command).await.expect("no command is refused");
            }
        };
        match threads {
            1 => work.await,
            _ => tasks.push(tokio::spawn(work)),
        }
    }
    for task in tasks {
        task.await.expect("no command fails");
    }
    let outcome = meter.stop();
    for account in 0..accounts.min(commands) {
        let count = commands / accounts + usize::from(account < commands % accounts);
        holds(&executor, account, u32::try_from(count).unwrap_or(u32::MAX)).await;
    }
    emit(options, "w1", &format!("{threads} thread(s)"), commands, &outcome, &json!({}))
}

/// W2: one account with a long history.
pub(super) async fn long(options: &Options) -> io::Result<()> {
    let commands = options.commands.unwrap_or(100);
    let executor = executor(options);
    let account = id(0);
    for number in 0..options.history {
        executor.execute(&account, command(0, number)).await.expect("no command is refused");
    }
    holds(&executor, 0, options.history).await;
    let end = options.history + u32::try_from(commands).unwrap_or(u32::MAX);
    let todo: Vec<_> = (options.history..end).map(|number| command(0, number)).collect();
    let mut each = Vec::with_capacity(commands);
    let meter = Meter::start();
    for command in todo {
        let begin = Instant::now();
        executor.execute(&account, command).await.expect("no command is refused");
        each.push(begin.elapsed().as_secs_f64());
    }
    let outcome = meter.stop();
    holds(&executor, 0, end).await;
    let variant = format!("{} events, snapshots every 100", options.history);
    emit(options, "w2", &variant, commands, &outcome, &json!({"latency": percentiles(each)}))
}

/// A run that does not add up must not count.
async fn holds(executor: &Executor, account: usize, commands: u32) {
    let fold = executor.state(&id(account)).await.expect("a stream must be readable");
    let found = (fold.version.0, fold.state.balance());
    assert_eq!(found, (u64::from(commands), balance_after(commands)), "account {account}");
}

fn executor(options: &Options) -> Executor {
    Executor::with_cache(Arc::new(MemoryStore::new()), options.cache)
}

/// Which of the two.
pub(super) async fn run(options: &Options) -> io::Result<()> {
    match options.workload {
        Workload::W1 => many(options).await,
        Workload::W2 => long(options).await,
    }
}
