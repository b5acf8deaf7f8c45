//! The limits of a group (L12). The first three make the promises: a partition is taken over at most 8 s after its
//! owner was killed, and within a second after its owner stopped in good order.

use std::time::Duration;

/// How often a worker looks at the items of its group.
pub const ROUND: Duration = Duration::from_millis(500);

/// How often a lease is renewed, which also saves its checkpoints, and how often a worker shows that it is alive.
pub const RENEW_EVERY: Duration = Duration::from_secs(2);

/// How long a counter has to stand still, seen by the observer, until its owner counts as gone. An owner that could not
/// renew for so long stops by itself.
pub const EXPIRY: Duration = Duration::from_secs(6);

/// The longest time between two looks that still counts as watching. After a longer one nothing is known to have stood
/// still, or an outage of the lease store would free every lease at once.
pub const WATCHING: Duration = Duration::from_secs(3);

/// The pause before a renewal that failed is tried again.
pub const RENEW_AGAIN: Duration = Duration::from_millis(500);

/// How long one call of the lease store may take before it counts as failed.
pub const CALL_PATIENCE: Duration = Duration::from_secs(3);

/// How long a worker that shows no life is remembered before its item is deleted.
pub const BURY_AFTER: Duration = Duration::from_secs(60);

/// Most leases a worker hands over to others in one round: few at a time, so that work goes on.
pub const HAND_OVERS_A_ROUND: usize = 2;

/// Calls of the lease store under way at once.
pub const CALLS_AT_ONCE: usize = 16;

/// How long a batch under way may take when its lease is to be released; then it is given up and done again by the
/// next owner.
pub const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// Most projections and generations whose checkpoints a lease keeps. Of more, those that the owner does not have are
/// forgotten, which costs reading again and nothing else.
pub const CHECKPOINTS: usize = 100;

/// Rounds in a row that a partition may be without a lease before that is alarming.
pub const UNCOVERED_ROUNDS: u32 = 10;

/// In how many parts the ledger is read when a group catches up from it, all at once.
pub const SEGMENTS: u32 = 4;

/// How often it is tried to note that generations have to catch up while others are faster.
pub const ASK_TRIES: u32 = 20;
