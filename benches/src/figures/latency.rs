//! From the answer of a command to its row: how many events a running bank carries through, and how long a row takes at
//! half of that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_workload::percentiles;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::Error;
use super::command::say;
use crate::teller::Teller;

/// Clients that send commands, each with accounts of its own.
const CLIENTS: usize = 16;
/// Accounts of each.
const ACCOUNTS: usize = 8;
/// Clients that watch a row while the others send.
const WATCHERS: usize = 4;
/// The pause between two looks at a row: what the figures may be too long by.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long a row may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bank {
    teller: Teller,
    run: u32,
}

/// Measures, and prints one line.
pub(super) async fn measure(server: &str, seconds: u64) -> Result<(), Error> {
    let run = std::process::id();
    let bank = Arc::new(Bank { teller: Teller::new(server), run });
    for client in 0..CLIENTS {
        for account in 0..ACCOUNTS {
            bank.teller.open(&bank.account(client, account)).await?;
        }
    }
    let time = Duration::from_secs(seconds);
    let begun = Instant::now();
    let made = send(&bank, None, time).await?;
    let acknowledged = begun.elapsed().as_secs_f64();
    let all: u64 = made.iter().flatten().sum();
    for (client, accounts) in made.iter().enumerate() {
        for (account, deposits) in accounts.iter().enumerate() {
            bank.shows(&bank.account(client, account), *deposits).await?;
        }
    }
    let sustained = all as f64 / begun.elapsed().as_secs_f64();

    let pause = Duration::from_secs_f64(CLIENTS as f64 / (sustained / 2.0));
    let sending = tokio::spawn({
        let bank = Arc::clone(&bank);
        async move { send(&bank, Some(pause), time).await }
    });
    let mut watching = JoinSet::new();
    for watcher in 0..WATCHERS {
        let bank = Arc::clone(&bank);
        watching.spawn(async move { watch(&bank, watcher, time).await });
    }
    let (mut acks, mut rows) = (Vec::new(), Vec::new());
    while let Some(watched) = watching.join_next().await {
        let (acknowledged, visible) = watched??;
        acks.extend(acknowledged);
        rows.extend(visible);
    }
    let sent: u64 = sending.await??.iter().flatten().sum();
    say(&json!({
        "acknowledged_per_second": all as f64 / acknowledged,
        "sustained_per_second": sustained,
        "paced_per_second": sent as f64 / time.as_secs_f64(),
        "samples": rows.len(),
        "acknowledged": percentiles(acks),
        "visible": percentiles(rows),
    }));
    Ok(())
}

/// Lets every client send deposits, one after the other or one in so much time; answers with how many each account got.
async fn send(bank: &Arc<Bank>, pause: Option<Duration>, time: Duration) -> Result<Vec<Vec<u64>>, Error> {
    let mut sending = JoinSet::new();
    for client in 0..CLIENTS {
        let bank = Arc::clone(bank);
        sending.spawn(async move {
            let names: Vec<String> = (0..ACCOUNTS).map(|account| bank.account(client, account)).collect();
            let mut made = vec![0; ACCOUNTS];
            let mut ticks = pause.map(interval);
            if let Some(ticks) = &mut ticks {
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            }
            let begun = Instant::now();
            'time: loop {
                for (name, made) in names.iter().zip(&mut made) {
                    if let Some(ticks) = &mut ticks {
                        ticks.tick().await;
                    }
                    if begun.elapsed() > time {
                        break 'time;
                    }
                    bank.teller.deposit(name).await?;
                    *made += 1;
                }
            }
            Ok::<_, Error>((client, made))
        });
    }
    let mut all = vec![Vec::new(); CLIENTS];
    while let Some(sent) = sending.join_next().await {
        let (client, made) = sent??;
        if let Some(place) = all.get_mut(client) {
            *place = made;
        }
    }
    Ok(all)
}

/// One deposit after the other, each until its row shows it.
async fn watch(bank: &Bank, watcher: usize, time: Duration) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let account = format!("watch-{}-{watcher}", bank.run);
    bank.teller.open(&account).await?;
    let (mut acknowledged, mut visible) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for deposits in 1.. {
        if begun.elapsed() > time {
            break;
        }
        let sent = Instant::now();
        bank.teller.deposit(&account).await?;
        acknowledged.push(sent.elapsed().as_secs_f64());
        let answered = Instant::now();
        bank.shows(&account, deposits).await?;
        visible.push(answered.elapsed().as_secs_f64());
    }
    Ok((acknowledged, visible))
}

impl Bank {
    fn account(&self, client: usize, account: usize) -> String {
        format!("load-{}-{client}-{account}", self.run)
    }

    /// Waits until the row shows so many deposits or more.
    async fn shows(&self, account: &str, deposits: u64) -> Result<(), Error> {
        let begun = Instant::now();
        while self.teller.shown(account).await?.is_none_or(|shown| shown < deposits) {
            if begun.elapsed() > PATIENCE {
                return Err(
                    format!("the row of {account} did not show {deposits} within {PATIENCE:?}").into()
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}
