//! The shuffle check: a row fed by many streams must not depend on the order between them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use headwater::{Commit, StreamName};

use super::scenario::{Scenario, definition, json, settle};
use crate::{Memory, Projection};

/// How many orders are tried.
const ORDERS: u64 = 100;

/// Most commits of one batch.
const BATCH_COMMITS: u64 = 8;

impl<P: Projection> Scenario<P> {
    /// Expects the same rows whatever the order between streams, the split into batches and the repeats. The order
    /// within a stream is kept, as the feed does.
    ///
    /// # Panics
    /// With the first row that differs and the seed of the order.
    #[track_caller]
    pub fn expect_same_in_any_order(self) -> Self {
        let expected = self.rows();
        for seed in 1..=ORDERS {
            let got = shuffled::<P>(self.commits(), seed);
            let keys = expected.keys().chain(got.keys());
            for key in keys {
                let (in_order, shuffled) = (expected.get(key).map(json), got.get(key).map(json));
                assert!(
                    in_order == shuffled,
                    "row {key:?} of projection {} depends on the order between streams (seed {seed})\n \
                     in the order given: {}\n           shuffled: {}\n\
                     make `apply` independent of it: add up, count, keep the largest, or key by stream",
                    P::NAME,
                    in_order.map_or_else(|| "no such row".to_owned(), |row| row.to_string()),
                    shuffled.map_or_else(|| "no such row".to_owned(), |row| row.to_string()),
                );
            }
        }
        self
    }
}

/// The rows after one order.
#[track_caller]
fn shuffled<P: Projection>(commits: &[Arc<Commit>], seed: u64) -> BTreeMap<String, P> {
    let mut random = Random(seed);
    let mut streams: BTreeMap<&StreamName, VecDeque<&Arc<Commit>>> = BTreeMap::new();
    for commit in commits {
        streams.entry(&commit.stream).or_default().push_back(commit);
    }
    let mut streams: Vec<_> = streams.into_values().collect();
    let mut order: Vec<Arc<Commit>> = Vec::new();
    while !streams.is_empty() {
        let chosen = random.below(streams.len() as u64);
        if let Some(commit) = streams.get_mut(chosen).and_then(VecDeque::pop_front) {
            order.push(Arc::clone(commit));
        }
        streams.retain(|stream| !stream.is_empty());
        if random.below(8) == 0 {
            let repeat = order.get(random.below(order.len() as u64)).cloned();
            order.extend(repeat);
        }
    }
    let (definition, mut memory) = (definition::<P>(), Memory::new());
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let size = (random.below(BATCH_COMMITS) + 1).min(rest.len());
        let (batch, after) = rest.split_at(size);
        settle(&definition, &mut memory, batch.to_vec());
        rest = after;
    }
    memory.live_rows().map(|(key, row)| (key.to_owned(), row.clone())).collect()
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        usize::try_from(z % bound.max(1)).unwrap_or(0)
    }
}
