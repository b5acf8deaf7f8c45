//! The command path on the memory store: load, decide, append.
//!
//! *Hot* finds the state in the executor's cache. *Cold* has a cache of one stream and goes round a thousand, so every
//! command loads its stream first: 20 to 30 events. Each figure is the time from the first command to the last over all
//! threads, divided by the number of commands.

use std::sync::Arc;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use futures::executor::block_on;
use headwater::{Executor, Id};
use headwater_benches::{Account, command, name};
use headwater_store_memory::MemoryStore;

/// Streams of a store.
const STREAMS: usize = 1_000;

/// Events each stream has before the clock starts.
const HISTORY: u32 = 20;

/// Commands each stream gets before the store is replaced, so that memory and the cost of a load stay bounded.
const ROUNDS: u32 = 10;

/// Whether commands find the state of their stream in the cache.
#[derive(Debug, Clone, Copy)]
enum Cache {
    Hot,
    Cold,
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("command_path");
    group.throughput(Throughput::Elements(1));
    // Samples of one size, so that starting the threads weighs the same in each, which is next to nothing.
    group.sampling_mode(SamplingMode::Flat);
    for (label, cache) in [("hot", Cache::Hot), ("cold", Cache::Cold)] {
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(label, format!("{threads} threads")), |bencher| {
                bencher.iter_custom(|commands| measure(commands, threads, cache));
            });
        }
    }
    group.finish();
    criterion.final_summary();
}

/// The time that `commands` commands take, on as many stores as are needed to keep each small.
fn measure(commands: u64, threads: usize, cache: Cache) -> Duration {
    let per_store = u64::from(ROUNDS) * STREAMS as u64;
    let mut took = Duration::ZERO;
    let mut left = commands;
    while left > 0 {
        let now = left.min(per_store);
        let (executor, ids) = prepared(cache);
        took += run(&executor, &ids, now, threads);
        left -= now;
    }
    took
}

/// A store with its history, and an executor that has or has not seen it.
fn prepared(cache: Cache) -> (Executor, Vec<Id<Account>>) {
    let store = Arc::new(MemoryStore::new());
    let ids: Vec<Id<Account>> = (0..STREAMS).map(|i| Id::new(name(i)).expect("the name is valid")).collect();
    let hot = Executor::new(Arc::clone(&store) as _);
    block_on(async {
        for number in 0..HISTORY {
            for (i, id) in ids.iter().enumerate() {
                hot.execute(id, command(i, number)).await.expect("no command is refused");
            }
        }
    });
    match cache {
        Cache::Hot => (hot, ids),
        Cache::Cold => (Executor::with_cache(store, 1), ids),
    }
}

/// Deals the commands round robin over the streams; a thread has every `threads`-th stream for itself.
fn run(executor: &Executor, ids: &[Id<Account>], commands: u64, threads: usize) -> Duration {
    let begin = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let begin = &begin;
                scope.spawn(move || {
                    let share =
                        commands / threads as u64 + u64::from((thread as u64) < commands % threads as u64);
                    begin.wait();
                    block_on(work(executor, ids, thread, threads, share));
                })
            })
            .collect();
        begin.wait();
        let clock = Instant::now();
        for worker in workers {
            worker.join().expect("no command fails");
        }
        clock.elapsed()
    })
}

/// One thread's commands.
async fn work(executor: &Executor, ids: &[Id<Account>], thread: usize, threads: usize, mut left: u64) {
    for number in HISTORY.. {
        for (i, id) in ids.iter().enumerate().skip(thread).step_by(threads) {
            if left == 0 {
                return;
            }
            executor.execute(id, command(i, number)).await.expect("no command is refused");
            left -= 1;
        }
    }
}
