//! Many seeds, or one again.
//!
//! `HEADWATER_SEEDS=n` runs so many seeds, `HEADWATER_SEED=n` this one alone, exactly as it ran before, with what happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Air, lock};

/// What came of a seed: the sum of its trace, or what was broken.
pub type Run = Result<(u64, u64), String>;

/// The one seed to run, if one was named.
fn only() -> Option<u64> {
    std::env::var("HEADWATER_SEED").ok()?.parse().ok()
}

/// How many seeds to run: so many, unless the environment says otherwise.
#[must_use]
pub fn seeds(usually: u64) -> u64 {
    std::env::var("HEADWATER_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(usually)
}

/// Ends the run of a seed: one that failed, or was named, shows what happened.
///
/// # Errors
/// What was broken, with the seed.
#[expect(clippy::print_stdout, reason = "a seed that fails shows what happened")]
pub fn finished(air: &Air, seed: u64, result: Result<(), String>) -> Run {
    let trace = air.trace();
    if result.is_err() || only().is_some() {
        println!("{}", trace.end());
    }
    result.map(|()| trace.sum()).map_err(|broken| format!("seed {seed}: {broken}"))
}

/// Runs seeds on all cores; a panic counts as a failure of its seed.
///
/// # Panics
/// When a seed fails, with the seed.
#[expect(clippy::print_stdout, reason = "a proof says how much it has tried")]
pub fn all(name: &str, seeds: u64, run: impl Fn(u64) -> Run + Sync) {
    let (next, steps) = (AtomicU64::new(only().unwrap_or(0)), AtomicU64::new(0));
    let end = only().map_or(seeds, |seed| seed + 1);
    let failures = Mutex::new(Vec::new());
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || !lock(&failures).is_empty() {
            return;
        }
        let ran = catch_unwind(AssertUnwindSafe(|| run(seed)));
        match ran.unwrap_or_else(|_| Err(format!("seed {seed}: it panicked"))) {
            Ok((_, count)) => drop(steps.fetch_add(count, Ordering::Relaxed)),
            Err(failure) => lock(&failures).push(failure),
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let failures = std::mem::take(&mut *lock(&failures));
    assert!(failures.is_empty(), "{failures:#?}\nrun it again with HEADWATER_SEED and --nocapture");
    println!("simulation {name}: {} seeds, {} calls", end - only().unwrap_or(0), steps.into_inner());
}
