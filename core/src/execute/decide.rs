//! One decision, taken on one state: pure, so that every rule about keys and expectations stands in one place.

use super::fold::Fold;
use super::{Options, limits};
use crate::codec::EncodeError;
use crate::key::{KeyedCommand, Seen};
use crate::store::{Append, Capabilities};
use crate::{Aggregate, CommitId, Decider, Event, Expected, StreamName, Version};

/// What a command comes to on a state.
pub(super) enum Decision<A: Decider> {
    /// It makes these events happen, if the stream is still as it was.
    Append { append: Append, events: Vec<A::Event> },
    /// It has no effect.
    Nothing,
    /// The rules do not allow it.
    Refused(A::Refusal),
    /// The stream is not as the caller expected.
    Precondition,
    /// It was carried out before; its commit starts at this version.
    Replay(Version),
    /// Another command was carried out under its key; that commit starts at this version.
    KeyReused(Version),
}

impl<A: Decider> Decision<A> {
    /// Whether it would be another one on a newer state and must therefore be confirmed against the head.
    pub(super) fn needs_confirmation(&self) -> bool {
        matches!(self, Self::Nothing | Self::Refused(_) | Self::Precondition)
    }
}

/// Decides in the order: repeat, expectation, rules.
pub(super) fn decide<A: Aggregate>(
    stream: &StreamName,
    fold: &Fold<A>,
    command: A::Command,
    keyed: Option<&KeyedCommand>,
    options: &Options,
    capabilities: &Capabilities,
) -> Result<Decision<A>, EncodeError> {
    match keyed.map_or(Seen::New, |keyed| fold.keys.seen(keyed)) {
        Seen::Same(first) => return Ok(Decision::Replay(first)),
        Seen::Other(first) => return Ok(Decision::KeyReused(first)),
        Seen::New => {}
    }
    if !options.expected.allows(fold.version) {
        return Ok(Decision::Precondition);
    }
    let events = match fold.state.decide(command) {
        Ok(events) if events.is_empty() => return Ok(Decision::Nothing),
        Ok(events) => events,
        Err(refusal) => return Ok(Decision::Refused(refusal)),
    };
    // In room for as many as there are: collecting into a `Result` takes room for four, and the commit keeps it.
    let mut data = Vec::with_capacity(events.len());
    for event in &events {
        data.push(event.encode()?);
    }
    let recorded_at = crate::commit::now();
    let mut append = Append {
        stream: stream.clone(),
        expected: Expected::Exact(fold.version),
        id: CommitId::at(recorded_at),
        recorded_at,
        metadata: options.metadata.clone(),
        command: keyed.cloned(),
        events: data,
        snapshot: None,
    };
    // A snapshot that would not fit stays away; the commit is what counts.
    let room = capabilities.commit_bytes.saturating_sub(append.size_bytes()).min(limits::SNAPSHOT_BYTES);
    append.snapshot = fold.snapshot_after(&events, keyed, room);
    Ok(Decision::Append { append, events })
}
