//! What is kept in memory, in bytes: for each cached stream, and for each partition whose lease is held.
//!
//! A program of its own, because it counts every allocation, which would slow all others down. One thread does
//! everything, so nothing is missed.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use async_trait::async_trait;
use headwater::store::{FeedBatch, Partition, PartitionId, Position, StoreError};
use headwater::{EventFeed, Executor, Options};
use headwater_benches::{Account, AccountRow, Headwater, Keeping, command};
use headwater_projections::{MemoryRows, PartitionState, Runner};
use headwater_workload::Library;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

type Error = Box<dyn std::error::Error>;

/// Streams that are cached.
const STREAMS: usize = 10_000;
/// Events of each.
const EVENTS: u32 = 20;
/// Partitions of two runners; the difference is that of the partitions alone.
const PARTITIONS: [usize; 2] = [16, 272];
/// How long a runner may take to have them all.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match cached().and_then(|line| say(&line)).and_then(|()| say(&leased()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

#[expect(clippy::print_stdout, clippy::unnecessary_wraps, reason = "this is the command line")]
fn say(line: &Value) -> Result<(), Error> {
    println!("{line}");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

fn runtime() -> Result<Runtime, Error> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Streams that an executor has looked at, on a store that had them before.
fn cached() -> Result<Value, Error> {
    let runtime = runtime()?;
    let mut headwater = Headwater::<Account>::new(Keeping::Nothing);
    runtime.block_on(async {
        for account in 0..STREAMS {
            headwater.seed(account, EVENTS).await;
        }
    });
    let mut kept = Err("nothing was measured".into());
    let info = measure(|| {
        // Room for twice as many: none is put out.
        let executor = Executor::with_cache(headwater.store().clone() as _, 2 * STREAMS);
        let looked: Result<(), Error> = runtime.block_on(async {
            for account in 0..STREAMS {
                let id = Headwater::<Account>::id(account);
                executor.preview(&id, command(account, EVENTS), &Options::new()).await?;
            }
            Ok(())
        });
        kept = looked.map(|()| executor);
    });
    let executor = kept?;
    let bytes = info.bytes_current as f64 / STREAMS as f64;
    drop(executor);
    Ok(
        json!({"kept": "cached stream", "bytes": bytes, "allocations": info.count_current as f64 / STREAMS as f64}),
    )
}

/// Partitions of a feed without records, each leased and read.
fn leased() -> Result<Value, Error> {
    let mut taken = BTreeMap::new();
    for partitions in PARTITIONS {
        let runtime = runtime()?;
        let mut ready = Err("nothing was measured".into());
        let info = measure(|| ready = hold(&runtime, partitions));
        ready?;
        taken.insert(partitions, (info.bytes_current as f64, info.count_current as f64));
    }
    let [few, many] = PARTITIONS.map(|partitions| taken.get(&partitions).copied().unwrap_or_default());
    let more = PARTITIONS.iter().max().copied().unwrap_or(1) - PARTITIONS.iter().min().copied().unwrap_or(0);
    let each = |few: f64, many: f64| (many - few) / more as f64;
    Ok(json!({"kept": "leased partition", "bytes": each(few.0, many.0), "allocations": each(few.1, many.1)}))
}

/// Runs a runner until it has all partitions; it goes on in the runtime.
fn hold(runtime: &Runtime, partitions: usize) -> Result<(), Error> {
    let store = Headwater::<Account>::new(Keeping::Nothing).store().clone();
    runtime.block_on(async {
        let runner = Runner::new(store as _, Arc::new(Silent { partitions }), Arc::new(MemoryRows::new()));
        let runner = runner.projection::<AccountRow>()?;
        let control = runner.control();
        tokio::spawn(runner.run(std::future::pending()));
        let begun = Instant::now();
        loop {
            let status = control.status();
            let held = |state: &PartitionState| matches!(state, PartitionState::CaughtUp);
            let held = status.partitions.values().filter(|partition| held(&partition.state)).count();
            if held == partitions {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("only {held} of {partitions} partitions are held").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

/// A feed of many partitions in which nothing ever comes.
#[derive(Debug)]
struct Silent {
    partitions: usize,
}

#[async_trait]
impl EventFeed for Silent {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let partition = |number: usize| Partition::new(PartitionId(format!("{number:04}").into()));
        Ok((0..self.partitions).map(partition).collect())
    }

    async fn read_after(
        &self,
        _: &PartitionId,
        position: Option<&Position>,
        _: usize,
    ) -> Result<FeedBatch, StoreError> {
        Ok(FeedBatch { records: Vec::new(), next: position.cloned(), ended: false })
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        tokio::time::sleep(timeout).await;
    }
}
