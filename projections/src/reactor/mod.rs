//! Reactors: events in, commands and side effects out. Process managers are reactors, and so is whatever sends mail.

mod kind;
mod lane;
mod memory;
mod reaction;
mod traits;

pub use kind::REACTOR_VERSION;
pub use reaction::{EffectError, Reaction};
pub use traits::{React, ReactError, Reactor, Trigger};

pub(crate) use kind::ReactorKind;

/// The bounds of reactors (L12).
pub mod limits {
    use std::time::Duration;

    /// Streams of one reactor and partition that are reacted to at once.
    pub const REACTIONS_AT_ONCE: usize = 16;

    /// How often a reaction is tried, with pauses that grow, before its stream is parked.
    pub const REACTION_TRIES: u32 = 5;

    /// How long one effect may take before it counts as failed.
    pub const EFFECT_PATIENCE: Duration = Duration::from_secs(10);

    /// Most commands and effects of one reaction.
    pub const REACTION_PARTS: usize = 32;
}
