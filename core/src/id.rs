//! Typed ids: which aggregate, and which one of them.

use std::fmt;
use std::marker::PhantomData;

use crate::{Aggregate, NameError, StreamName};

/// The id of one aggregate of type `A`; names its stream.
///
/// Another aggregate's command is a type error, because `execute` takes the command of the id's aggregate.
pub struct Id<A> {
    stream: StreamName,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Id<A> {
    /// The id, checked by the rules of [`StreamName`].
    ///
    /// # Errors
    /// [`NameError`] saying which rule it breaks.
    pub fn new(id: impl AsRef<str>) -> Result<Self, NameError> {
        Ok(Self { stream: StreamName::new(A::CATEGORY, id.as_ref())?, aggregate: PhantomData })
    }
}

impl<A> Id<A> {
    /// The stream of this aggregate.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The id without its category.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.stream.id()
    }
}

impl<A> Clone for Id<A> {
    fn clone(&self) -> Self {
        Self { stream: self.stream.clone(), aggregate: PhantomData }
    }
}
impl<A> PartialEq for Id<A> {
    fn eq(&self, other: &Self) -> bool {
        self.stream == other.stream
    }
}
impl<A> Eq for Id<A> {}
impl<A> fmt::Display for Id<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl<A> fmt::Debug for Id<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.stream)
    }
}
