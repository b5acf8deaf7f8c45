//! The generations of a projection, and which one is live: one item of the group, so that every worker sees a change
//! with the next look at its group, and every change is one conditional write (L9).
//!
//! The number of a generation is its own: numbers are given once, from 1, and never again. Beside each stands the version
//! of the projection whose code made it, because code of another version can neither keep nor read its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::store::PartitionId;
use serde::{Deserialize, Serialize};

use super::{Checkpoint, Item, LeaseError, LeaseStore, Saved};
use crate::rows::Generation;

/// Most generations of a projection at once: the live one, those that are kept, and those being built.
pub const GENERATIONS: usize = 8;

/// The generations of one projection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    /// The projection.
    pub projection: Arc<str>,
    /// One more with every write.
    pub counter: u64,
    /// The number of the generation that answers.
    pub live: u32,
    /// The highest number that was ever given.
    pub last: u32,
    /// Every generation there is, by number. The live one is among them.
    pub made: BTreeMap<u32, Made>,
}

/// One generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The version of the projection whose code fills and keeps it.
    pub version: u32,
    /// How far it is.
    pub stage: Stage,
    /// Where the feed is read on behind what it was filled with; from the oldest record where a partition is not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub from: BTreeMap<PartitionId, Checkpoint>,
}

/// How far a generation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It is being filled from history; the feed does not reach it yet.
    Filling,
    /// It follows the feed, wherever code of its version runs.
    Following,
}

/// Why the generations of a projection cannot be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// There is none of this number.
    #[error("projection {projection} has no generation {number}: there are {known}")]
    Unknown {
        /// The projection.
        projection: Arc<str>,
        /// The number.
        number: u32,
        /// The numbers there are.
        known: String,
    },
    /// It answers queries.
    #[error("generation {number} of projection {projection} is live: promote another one first")]
    Live {
        /// The projection.
        projection: Arc<str>,
        /// The number.
        number: u32,
    },
    /// It is not filled yet, so it cannot answer.
    #[error(
        "generation {number} of projection {projection} is not filled yet: resume its backfill, or drop it"
    )]
    Filling {
        /// The projection.
        projection: Arc<str>,
        /// The number.
        number: u32,
    },
    /// There are too many.
    #[error("projection {projection} has {GENERATIONS} generations, which is the limit: drop one first")]
    TooMany {
        /// The projection.
        projection: Arc<str>,
    },
}

impl Generations {
    /// Those of a projection that is deployed for the first time: one, which is live at once.
    #[must_use]
    pub fn first(projection: &str, version: u32) -> Self {
        let made = Made { version, stage: Stage::Following, from: BTreeMap::new() };
        Self { projection: projection.into(), counter: 1, live: 1, last: 1, made: [(1, made)].into() }
    }

    /// The generation of a number.
    #[must_use]
    pub fn generation(&self, number: u32) -> Generation {
        Generation { projection: Arc::clone(&self.projection), number }
    }

    /// The generation that answers.
    #[must_use]
    pub fn live(&self) -> Generation {
        self.generation(self.live)
    }

    /// The version of the code that made a generation.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<u32> {
        self.made.get(&number).map(|made| made.version)
    }

    /// The same with a new generation, to be filled, and its number. Behind what it is filled with, the feed is read on
    /// from these places.
    ///
    /// # Errors
    /// [`GenerationError::TooMany`].
    pub fn with_new(
        &self,
        version: u32,
        from: BTreeMap<PartitionId, Checkpoint>,
    ) -> Result<(Self, u32), GenerationError> {
        if self.made.len() >= GENERATIONS {
            return Err(GenerationError::TooMany { projection: Arc::clone(&self.projection) });
        }
        let mut next = self.changed();
        next.last += 1;
        next.made.insert(next.last, Made { version, stage: Stage::Filling, from });
        let number = next.last;
        Ok((next, number))
    }

    /// The same after a generation was filled: from now on it follows the feed.
    ///
    /// # Errors
    /// [`GenerationError::Unknown`].
    pub fn following(&self, number: u32) -> Result<Self, GenerationError> {
        let mut next = self.changed();
        let Some(made) = next.made.get_mut(&number) else { return Err(self.unknown(number)) };
        made.stage = Stage::Following;
        Ok(next)
    }

    /// The same with another live generation. The one that was live stays.
    ///
    /// # Errors
    /// [`GenerationError::Unknown`] and [`GenerationError::Filling`].
    pub fn promoted(&self, number: u32) -> Result<Self, GenerationError> {
        let made = self.made.get(&number).ok_or_else(|| self.unknown(number))?;
        if made.stage == Stage::Filling {
            return Err(GenerationError::Filling { projection: Arc::clone(&self.projection), number });
        }
        let mut next = self.changed();
        next.live = number;
        Ok(next)
    }

    /// The same without a generation.
    ///
    /// # Errors
    /// [`GenerationError::Unknown`] and [`GenerationError::Live`].
    pub fn without(&self, number: u32) -> Result<Self, GenerationError> {
        if number == self.live {
            return Err(GenerationError::Live { projection: Arc::clone(&self.projection), number });
        }
        let mut next = self.changed();
        next.made.remove(&number).ok_or_else(|| self.unknown(number))?;
        Ok(next)
    }

    /// The same, written once more.
    pub(crate) fn touched(&self) -> Self {
        self.changed()
    }

    fn changed(&self) -> Self {
        Self { counter: self.counter + 1, ..self.clone() }
    }

    fn unknown(&self, number: u32) -> GenerationError {
        let known: Vec<_> = self.made.keys().map(u32::to_string).collect();
        GenerationError::Unknown { projection: Arc::clone(&self.projection), number, known: known.join(", ") }
    }
}

/// The generations of a projection as they are kept; if none are, the first one is made and is live at once.
///
/// # Errors
/// [`LeaseError`] when it is not known what is kept.
pub async fn deploy(
    store: &dyn LeaseStore,
    group: &str,
    projection: &str,
    version: u32,
) -> Result<Generations, LeaseError> {
    if let Some(there) = store.list(group).await?.generations.remove(projection) {
        return Ok(there);
    }
    let first = Generations::first(projection, version);
    match store.save(group, &first.clone().into(), None).await? {
        Saved::Done => Ok(first),
        Saved::Lost(Some(there)) => match *there {
            Item::Generations(there) => Ok(there),
            _ => Err(unreadable(projection)),
        },
        Saved::Lost(None) => Err(unreadable(projection)),
    }
}

fn unreadable(projection: &str) -> LeaseError {
    LeaseError::Unavailable {
        attempted: format!("find the live generation of projection {projection}"),
        source: "what is kept of it cannot be read; perhaps a newer program wrote it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once_and_the_live_generation_stays_until_another_is_promoted() {
        let first = Generations::first("balances", 3);
        assert_eq!((first.live, first.version(1)), (1, Some(3)));
        let (two, number) = first.with_new(4, BTreeMap::new()).unwrap();
        assert_eq!((number, two.live, two.counter), (2, 1, 2));
        let error = two.promoted(2).unwrap_err();
        assert!(matches!(error, GenerationError::Filling { number: 2, .. }), "{error}");
        let filled = two.following(2).unwrap();
        let switched = filled.promoted(2).unwrap();
        assert_eq!((switched.live, switched.made.len(), switched.counter), (2, 2, 4));
        assert!(matches!(switched.without(2).unwrap_err(), GenerationError::Live { .. }));
        assert_eq!(switched.promoted(1).unwrap().live, 1, "and back");
        let dropped = switched.without(1).unwrap();
        let error = dropped.promoted(1).unwrap_err();
        assert!(matches!(error, GenerationError::Unknown { number: 1, .. }), "{error}");
        let (_, number) = filled.without(2).unwrap().with_new(4, BTreeMap::new()).unwrap();
        assert_eq!(number, 3, "a number that was given is not given again");
    }

    #[test]
    fn more_generations_than_the_limit_are_refused() {
        let mut all = Generations::first("balances", 1);
        for _ in 1..GENERATIONS {
            all = all.with_new(1, BTreeMap::new()).unwrap().0;
        }
        assert!(matches!(all.with_new(1, BTreeMap::new()).unwrap_err(), GenerationError::TooMany { .. }));
    }

    #[tokio::test]
    async fn the_first_deployment_is_live_at_once_and_a_later_one_changes_nothing() {
        let store = super::super::MemoryLeases::new();
        let first = deploy(&store, "views", "balances", 1).await.unwrap();
        assert_eq!((first.live, first.version(1)), (1, Some(1)));
        assert_eq!(deploy(&store, "views", "balances", 2).await.unwrap(), first);
        assert_eq!(deploy(&store, "views", "totals", 2).await.unwrap().version(1), Some(2));
    }
}
