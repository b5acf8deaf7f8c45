//! The pause before a command is decided again: short, growing, random, bounded.

use std::pin::Pin;
use std::time::Duration;

use super::limits::LONGEST_BACKOFF;

/// Waits for so long.
pub(super) type Pause = fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Waits by a timer that needs no runtime.
pub(super) const PAUSE: Pause = |time| Box::pin(futures_timer::Delay::new(time));

/// Waits a random time below 1 ms times 2 to the power of `conflicts`, at most [`LONGEST_BACKOFF`].
pub(super) async fn pause(pause: Pause, conflicts: u32) {
    let longest = Duration::from_millis(1 << conflicts.min(10)).min(LONGEST_BACKOFF);
    pause(longest.mul_f64(fastrand::f64())).await;
}
