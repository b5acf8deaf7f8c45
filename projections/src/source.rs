//! Sources: an aggregate that a projection reads, its type forgotten behind function pointers.

use std::fmt;

use headwater::codec::UndecodableEvent;
use headwater::{Aggregate, Decoded, Event, Recorded, RecordedEvent};

use crate::{Keys, Project, Projection};

/// One aggregate that a projection reads.
pub struct Source<P> {
    category: &'static str,
    decode: DecodeFn<P>,
}

type DecodeFn<P> = for<'a> fn(RecordedEvent<'a>) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent>;

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
        Self { category: A::CATEGORY, decode: decode::<P, A> }
    }

    /// The category of the aggregate's streams.
    #[must_use]
    pub fn category(&self) -> &'static str {
        self.category
    }

    pub(crate) fn decode<'a>(
        &self,
        event: RecordedEvent<'a>,
    ) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent> {
        (self.decode)(event)
    }
}

impl<P> Clone for Source<P> {
    fn clone(&self) -> Self {
        Self { category: self.category, decode: self.decode }
    }
}

impl<P> fmt::Debug for Source<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("category", &self.category).finish_non_exhaustive()
    }
}

struct Typed<'a, A: Aggregate> {
    stored: RecordedEvent<'a>,
    decoded: Decoded<A::Event>,
}

fn decode<'a, P: Project<A>, A: Aggregate>(
    stored: RecordedEvent<'a>,
) -> Result<Box<dyn Changes<P> + 'a>, UndecodableEvent> {
    let data = stored.data;
    match <A::Event as Event>::decode(&data.name, data.schema, &data.payload) {
        Ok(decoded) => Ok(Box::new(Typed::<A> { stored, decoded })),
        Err(source) => {
            Err(UndecodableEvent { stream: stored.commit.stream.clone(), version: stored.version(), source })
        }
    }
}

impl<A: Aggregate> Typed<'_, A> {
    fn recorded<'a>(&'a self, event: &'a A::Event) -> Recorded<'a, A::Event> {
        Recorded {
            event,
            stream: &self.stored.commit.stream,
            version: self.stored.version(),
            id: self.stored.id(),
            recorded_at: self.stored.commit.recorded_at,
            metadata: &self.stored.commit.metadata,
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
