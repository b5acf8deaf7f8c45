//! The workloads on any library.

use std::io;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::{
    Library, Meter, Options, Rebuild, Row, Totals, Workload, balance_after, command, emit, expected,
    percentiles,
};

/// Time for stores that flush or merge behind the back of who writes, before W2 is measured.
const REST: Duration = Duration::from_millis(200);

/// A runtime for a workload: one thread without others beside it, or as many workers as are asked for.
///
/// # Errors
/// When it cannot be started.
pub fn runtime(options: &Options) -> io::Result<Runtime> {
    let mut builder = match options.threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(options.threads.max(1)).enable_all().build()
}

/// W1 or W2.
///
/// # Errors
/// When the line cannot be written, or the workload is another one.
pub async fn decide<L: Library>(options: &Options, library: L) -> io::Result<()> {
    match options.workload {
        Workload::W1 => many(options, library).await,
        Workload::W2 => long(options, library).await,
        Workload::W3 => Err(io::Error::other(format!("{} does not rebuild here", options.peer))),
    }
}

/// W1: every thread has the accounts whose number is its own modulo the number of threads.
async fn many<L: Library>(options: &Options, library: L) -> io::Result<()> {
    let (accounts, threads) = (options.accounts, options.threads);
    let commands = options.commands.unwrap_or(200_000);
    let mut plans: Vec<Vec<(L::Account, L::Command)>> = Vec::new();
    plans.resize_with(threads, Vec::new);
    for number in 0..commands {
        let (account, step) = (number % accounts, number / accounts);
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        if let Some(plan) = plans.get_mut(account % threads) {
            plan.push((L::account(account), command(account, step).into()));
        }
    }
    let meter = Meter::start();
    let mut tasks = Vec::new();
    for plan in plans {
        let mut library = library.clone();
        let work = async move {
            for (account, command) in plan {
                library.carry_out(&account, command).await;
            }
        };
        match threads {
            1 => work.await,
            _ => tasks.push(tokio::spawn(work)),
        }
    }
    for task in tasks {
        task.await.map_err(io::Error::other)?;
    }
    let outcome = meter.stop();
    let mut totals = Totals::default();
    for account in 0..accounts {
        let (balance, events) = library.held(account).await;
        totals = totals.with(Row { balance, events, version: events });
    }
    assert_eq!(totals, expected(accounts, commands), "a run that does not add up does not count");
    emit(options, &format!("{threads} thread(s)"), commands, &outcome, &json!({}))
}

/// W2: one account with a long history.
async fn long<L: Library>(options: &Options, mut library: L) -> io::Result<()> {
    let commands = options.commands.unwrap_or(100);
    library.seed(0, options.history).await;
    let end = options.history + u32::try_from(commands).unwrap_or(u32::MAX);
    let todo: Vec<_> = (options.history..end).map(|number| command(0, number).into()).collect();
    tokio::time::sleep(REST).await;
    holds(&library, options.history).await;
    let account = L::account(0);
    let mut each = Vec::with_capacity(commands);
    let meter = Meter::start();
    for command in todo {
        let begin = Instant::now();
        library.carry_out(&account, command).await;
        each.push(begin.elapsed().as_secs_f64());
    }
    let outcome = meter.stop();
    holds(&library, end).await;
    let variant = format!("{} events, snapshots {}", options.history, options.snapshots);
    emit(options, &variant, commands, &outcome, &json!({"latency": percentiles(each)}))
}

async fn holds<L: Library>(library: &L, commands: u32) {
    let should = (balance_after(commands), u64::from(commands));
    assert_eq!(library.held(0).await, should, "a run that does not add up does not count");
}

/// W3: a read model from all events.
///
/// # Errors
/// When the line cannot be written.
pub async fn rebuild<L: Rebuild>(options: &Options, mut library: L) -> io::Result<()> {
    for account in 0..options.accounts {
        library.seed(account, options.per).await;
    }
    let events = options.accounts * options.per as usize;
    let meter = Meter::start();
    let (totals, seconds) = library.rebuild(options.threads).await;
    let mut outcome = meter.stop();
    outcome.wall_seconds = seconds.unwrap_or(outcome.wall_seconds);
    assert_eq!(totals, expected(options.accounts, events), "a run that does not add up does not count");
    let more = json!({"extra_peak_mib": outcome.peak_mib - outcome.resident_mib});
    emit(options, &format!("{} thread(s)", options.threads), events, &outcome, &more)
}
