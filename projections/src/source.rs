//! Sources: an aggregate that a projection reads, its type forgotten behind function pointers.

use std::fmt;

use headwater::codec::UndecodableEvent;
use headwater::{
    Aggregate, Decoded, Event, EventId, Metadata, Recorded, RecordedEvent, StreamName, Timestamp, Version,
};

use crate::{Cause, CauseKind, Keys, Project, Projection};

/// One aggregate that a projection reads.
pub struct Source<P> {
    category: &'static str,
    decode: DecodeFn<P>,
    own: OwnFn<P>,
}

type DecodeFn<P> = for<'a> fn(Stored<'a>) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent>;
type OwnFn<P> = fn(Stored<'_>, &mut Option<P>) -> Result<(), Cause>;

/// One stored event, borrowed from wherever it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) stream: &'a StreamName,
    pub(crate) version: Version,
    pub(crate) id: EventId,
    pub(crate) recorded_at: Timestamp,
    pub(crate) metadata: &'a Metadata,
    pub(crate) name: &'a str,
    pub(crate) schema: u32,
    pub(crate) payload: &'a [u8],
}

impl<'a> From<RecordedEvent<'a>> for Stored<'a> {
    fn from(event: RecordedEvent<'a>) -> Self {
        Self {
            stream: &event.commit.stream,
            version: event.version(),
            id: event.id(),
            recorded_at: event.commit.recorded_at,
            metadata: &event.commit.metadata,
            name: &event.data.name,
            schema: event.data.schema,
            payload: &event.data.payload,
        }
    }
}

/// One stored event, decoded: what it does to rows of `P`. An upcast may have made several events of it, or none.
pub(crate) trait Changes<P> {
    /// The keys of each event it was decoded to.
    fn keys(&self) -> Vec<Keys>;
    /// Applies the event at `index` to a row; says whether the row stays.
    fn apply(&self, index: usize, row: &mut P) -> bool;
}

impl<P: Projection> Source<P> {
    /// The aggregate `A` as a source of `P`.
    #[must_use]
    pub fn of<A: Aggregate>() -> Self
    where
        P: Project<A>,
    {
        Self { category: A::CATEGORY, decode: decode::<P, A>, own: own::<P, A> }
    }

    /// The category of the aggregate's streams.
    #[must_use]
    pub fn category(&self) -> &'static str {
        self.category
    }

    pub(crate) fn decode<'a>(
        &self,
        event: impl Into<Stored<'a>>,
    ) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent> {
        (self.decode)(event.into())
    }

    /// Applies an event to the one row of its stream, in place and without a box for it. After an error the row is as it
    /// was, after a panic it may not be.
    pub(crate) fn apply_to_own(&self, event: Stored<'_>, row: &mut Option<P>) -> Result<(), Cause> {
        (self.own)(event, row)
    }
}

impl<P> Clone for Source<P> {
    fn clone(&self) -> Self {
        Self { category: self.category, decode: self.decode, own: self.own }
    }
}

impl<P> fmt::Debug for Source<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("category", &self.category).finish_non_exhaustive()
    }
}

struct Typed<'a, A: Aggregate> {
    stored: Stored<'a>,
    decoded: Decoded<A::Event>,
}

fn typed<A: Aggregate>(stored: Stored<'_>) -> Result<Typed<'_, A>, UndecodableEvent> {
    match <A::Event as Event>::decode(stored.name, stored.schema, stored.payload) {
        Ok(decoded) => Ok(Typed { stored, decoded }),
        Err(source) => {
            Err(UndecodableEvent { stream: stored.stream.clone(), version: stored.version, source })
        }
    }
}

fn decode<'a, P: Project<A>, A: Aggregate>(
    stored: Stored<'a>,
) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent> {
    Ok(Box::new(typed::<A>(stored)?))
}

fn own<P: Project<A>, A: Aggregate>(stored: Stored<'_>, row: &mut Option<P>) -> Result<(), Cause> {
    let typed = typed::<A>(stored).map_err(|error| Cause::of(CauseKind::Undecodable, &error))?;
    for event in typed.decoded.as_slice() {
        match P::keys(&typed.recorded(event)) {
            Keys::Stream | Keys::None => {}
            keys => drop(keys.resolve(P::NAME, P::SHARED, stored.stream)?),
        }
    }
    for event in typed.decoded.as_slice() {
        let recorded = typed.recorded(event);
        if P::keys(&recorded) == Keys::Stream {
            let fields = row.get_or_insert_with(P::default);
            fields.apply(&recorded);
            if !fields.keep() {
                *row = None;
            }
        }
    }
    Ok(())
}

impl<A: Aggregate> Typed<'_, A> {
    fn recorded<'a>(&'a self, event: &'a A::Event) -> Recorded<'a, A::Event> {
        Recorded {
            event,
            stream: self.stored.stream,
            version: self.stored.version,
            id: self.stored.id,
            recorded_at: self.stored.recorded_at,
            metadata: self.stored.metadata,
        }
    }
}

impl<P: Project<A>, A: Aggregate> Changes<P> for Typed<'_, A> {
    fn keys(&self) -> Vec<Keys> {
        self.decoded.as_slice().iter().map(|event| P::keys(&self.recorded(event))).collect()
    }

    fn apply(&self, index: usize, row: &mut P) -> bool {
        if let Some(event) = self.decoded.as_slice().get(index) {
            row.apply(&self.recorded(event));
        }
        row.keep()
    }
}
