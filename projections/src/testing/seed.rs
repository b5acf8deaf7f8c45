//! Chance from a seed, for the thread that asks for it.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// From now on everything that is left to chance in the runners of this thread follows from the seed: ids of workers and
/// pauses. With the stores and the clock in the hands of the test, a run can then be repeated exactly.
pub fn seed(seed: u64) {
    STATE.set(Some(seed));
}

/// The next number, if the thread has a seed. SplitMix64.
pub(crate) fn seeded() -> Option<u64> {
    let state = STATE.get()?.wrapping_add(0x9E37_79B9_7F4A_7C15);
    STATE.set(Some(state));
    let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Some(z ^ (z >> 31))
}
