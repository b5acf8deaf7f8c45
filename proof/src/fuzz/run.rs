//! The loop over a corpus.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::mutate::{Random, mutate};

/// Inputs that are tried when no time is given.
const TRIES: u64 = 3_000;

/// Gives a decoder every input of its corpus, and then changed ones: `TRIES` of them, or as many as fit into the seconds
/// that the environment variable `HEADWATER_SECONDS` says.
///
/// The decoder answers with what is wrong, if anything. Whatever it accepts it must be able to stand by: give back the
/// same when it is written again, for instance.
///
/// # Panics
/// When the decoder panics or says that something is wrong; with the input, and how to keep it.
#[expect(clippy::print_stdout, reason = "a proof says how much it has tried")]
pub fn fuzz(corpus: &str, mut decode: impl FnMut(&[u8]) -> Result<(), String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(corpus);
    let inputs = read(&folder);
    assert!(!inputs.is_empty(), "{} holds no input", folder.display());
    let mut check = |input: &[u8]| {
        let outcome = catch_unwind(AssertUnwindSafe(|| decode(input)));
        let wrong = outcome.unwrap_or_else(|_| Err("it panicked".to_owned()));
        if let Err(wrong) = wrong {
            panic!("{corpus}: {wrong}; keep this in {}:\n{}", folder.display(), input.escape_ascii());
        }
    };
    inputs.iter().for_each(|input| check(input));
    let seconds: Option<u64> = variable("HEADWATER_SECONDS");
    let seed = variable("HEADWATER_SEED").unwrap_or(1);
    let deadline = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut random = Random(seed);
    let mut tries = 0;
    while deadline.map_or(tries < TRIES, |deadline| Instant::now() < deadline) {
        let one = inputs.get(random.below(inputs.len())).map_or(&[][..], Vec::as_slice);
        let other = inputs.get(random.below(inputs.len())).map_or(&[][..], Vec::as_slice);
        check(&mutate(one, other, &mut random));
        tries += 1;
    }
    println!("fuzz {corpus}: {} kept inputs and {tries} changed ones, from seed {seed}", inputs.len());
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The inputs of a corpus in a stable order.
fn read(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
