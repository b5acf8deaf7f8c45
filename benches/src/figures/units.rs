//! What commands and rows use: requests and capacity units of DynamoDB, as the look-alike reports them, and records of
//! Kinesis. Averages over whole cycles of snapshots, so nothing depends on where a stream stands in its cycle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use headwater::{Executor, Id, Version};
use headwater_projections::{GROUP, Runner};
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Config, KinesisStore, Shards, infra};
use headwater_units::{Counter, Counts};
use serde_json::json;
use tokio::sync::oneshot;

use super::Error;
use super::command::say;
use super::look_alike::{Records, clients, start};
use crate::{Account, AccountRow, command, name};

const PREFIX: &str = "units";
/// Lengths of streams, and commands that each account gets in a measurement: a cycle of snapshots if there are any yet.
const LENGTHS: [(u32, u32, usize); 5] =
    [(1, 10, 10), (10, 10, 10), (100, 100, 4), (1_000, 100, 4), (10_000, 100, 1)];
/// Appends under way at once while streams are filled.
const AT_ONCE: usize = 16;
/// After so long a reader that is new has noticed what it has to catch up with.
const SETTLED: Duration = Duration::from_secs(3);
/// How long anything behind a command may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything that is measured with.
struct Bench {
    counter: Counter,
    records: Records,
    store: Arc<KinesisStore>,
    executor: Executor,
}

/// What a measurement used, a command.
struct Use {
    commands: f64,
    counts: Counts,
    records: (u64, u64),
    seconds: f64,
}

/// Measures, and prints a line for each length and each way.
pub(super) async fn measure() -> Result<(), Error> {
    let local = start().await?;
    let (counter, records) = (Counter::default(), Records::default());
    let clients = clients(&local, &counter, &records);
    let mut config = Config::new(PREFIX);
    config.shards = Shards::Provisioned(1);
    infra::apply(&clients, &config).await?;
    let store = Arc::new(KinesisStore::open(&clients, &config));
    let executor = Executor::new(Arc::clone(&store) as _);
    let bench = Bench { counter, records, store: Arc::clone(&store), executor };
    let mut first = 0;
    for (length, each, accounts) in LENGTHS {
        let ids = first..first + accounts;
        first += accounts;
        bench.fill(ids.clone(), length).await?;
        bench.published().await?;
        for (state, base) in [("cached", length), ("not cached", length + each)] {
            let used = bench.run(ids.clone(), base, each, state == "cached").await?;
            used.say(length, state);
        }
    }
    let rows = DynamoRows::new(&clients.dynamodb, rows::Config::new(PREFIX));
    let leases = DynamoLeases::new(&clients.dynamodb, PREFIX);
    let runner = Runner::new(Arc::clone(&store) as _, store.feed(), Arc::new(rows))
        .group(GROUP)?
        .leases(Arc::new(leases))
        .projection::<AccountRow>()?;
    bench.rows(runner, first).await?;
    store.close().await;
    local.stop().await;
    Ok(())
}

fn id(account: usize) -> Result<Id<Account>, Error> {
    Ok(Id::new(name(account))?)
}

impl Bench {
    /// Lets accounts have had so many commands.
    async fn fill(&self, accounts: std::ops::Range<usize>, length: u32) -> Result<(), Error> {
        let filling = accounts.map(|account| async move {
            for number in 0..length {
                self.executor.execute(&id(account)?, command(account, number)).await?;
            }
            Ok::<(), Error>(())
        });
        let filled: Vec<_> = stream::iter(filling).buffer_unordered(AT_ONCE).collect().await;
        filled.into_iter().collect()
    }

    /// Waits until everything is in the feed, so that nothing of it counts for what comes.
    async fn published(&self) -> Result<(), Error> {
        let begun = Instant::now();
        while self.store.publisher().waiting_commits > 0 {
            if begun.elapsed() > PATIENCE {
                return Err("commits are not published".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let _ = (self.counter.take(), self.records.take());
        Ok(())
    }

    async fn run(
        &self,
        accounts: std::ops::Range<usize>,
        base: u32,
        each: u32,
        cached: bool,
    ) -> Result<Use, Error> {
        let begun = Instant::now();
        let commands = accounts.len() as f64 * f64::from(each);
        for number in base..base + each {
            for account in accounts.clone() {
                let executor = match cached {
                    true => self.executor.clone(),
                    false => Executor::with_cache(Arc::clone(&self.store) as _, 1),
                };
                executor.execute(&id(account)?, command(account, number)).await?;
            }
        }
        let waiting = || self.store.publisher().waiting_commits;
        while waiting() > 0 && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let seconds = begun.elapsed().as_secs_f64();
        Ok(Use { commands, counts: self.counter.take(), records: self.records.take(), seconds })
    }

    /// With one read model: rows that are waited for one by one, and rows behind a burst.
    async fn rows(&self, runner: Runner, account: usize) -> Result<(), Error> {
        let (models, control) = (runner.read_models(), runner.control());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(runner.run(async {
            let _ = stopped.await;
        }));
        let projection = "account-rows";
        let id = id(account)?;
        let applied = async |version: u64| {
            let waited = models.wait_applied(projection, id.stream(), Version(version), PATIENCE).await?;
            if waited { Ok::<(), Error>(()) } else { Err("a row does not come".into()) }
        };
        // The reader makes its table and catches up with everything before it is measured.
        self.executor.execute(&id, command(account, 0)).await?;
        let begun = Instant::now();
        while let Err(error) = applied(1).await {
            if begun.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let begun = Instant::now();
        while control.status().catching_up.is_some() || begun.elapsed() < SETTLED {
            if begun.elapsed() > PATIENCE {
                return Err("the reader does not catch up with the ledger".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for (how, from, until) in [("one by one", 1_u32, 51_u32), ("in a burst", 51, 251)] {
            self.published().await?;
            for number in from..until {
                self.executor.execute(&id, command(account, number)).await?;
                if how == "one by one" {
                    applied(u64::from(number) + 1).await?;
                }
            }
            applied(u64::from(until)).await?;
            let used = self.counter.take();
            let events = f64::from(until - from);
            let rows = used.of(projection);
            let ledger = used.of("-ledger");
            say(&json!({
                "rows": how,
                "write_units_of_rows": rows.write_units / events,
                "write_units_of_ledger": ledger.write_units / events,
            }));
        }
        let _ = stop.send(());
        running.await??;
        Ok(())
    }
}

impl Use {
    fn say(&self, length: u32, state: &str) {
        let (ledger, all) = (self.counts.of("-ledger"), self.counts.of(""));
        say(&json!({
            "length": length,
            "state": state,
            "requests": ledger.requests as f64 / self.commands,
            "read_units": ledger.read_units / self.commands,
            "write_units": ledger.write_units / self.commands,
            "records": self.records.0 as f64 / self.commands,
            "record_bytes": self.records.1 as f64 / self.commands,
            "background_requests_per_second": (all.requests - ledger.requests) as f64 / self.seconds,
            "background_write_units_per_second": (all.write_units - ledger.write_units) / self.seconds,
        }));
    }
}
