//! The pause before a command is decided again: short, growing, random, bounded.

use std::time::Duration;

use super::limits::LONGEST_BACKOFF;

/// Waits a random time below 1 ms times 2 to the power of `conflicts`, at most [`LONGEST_BACKOFF`].
pub(super) async fn pause(conflicts: u32) {
    let longest = Duration::from_millis(1 << conflicts.min(10)).min(LONGEST_BACKOFF);
    futures_timer::Delay::new(longest.mul_f64(fastrand::f64())).await;
}
