//! Streams: what is known of one, its state at any moment, its events, what changed between two versions.

mod diff;
mod event;
mod events;
mod follow;
mod metadata;
mod operations;
mod state;

pub(super) use operations::operations;

use super::envelope::{CloudEvent, Envelope};
