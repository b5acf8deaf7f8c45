//! The switch: which generation is live is changed by one conditional write, and by nothing else (L9).

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::store::PartitionId;
use tokio::time::sleep;

use super::BackfillError;
use super::limits::DROP_AFTER;
use super::work::{forget, patiently};
use crate::RowStore;
use crate::group::{Checkpoint, GenerationError, Generations, Item, LeaseStore, Saved, Stage};
use crate::rows::Generation;

/// How often a change is tried while others change the generations as well.
const TRIES: u32 = 20;

/// Changes which generation of a projection is live, and drops those that are not needed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Switch {
    leases: Arc<dyn LeaseStore>,
    rows: Arc<dyn RowStore>,
    group: Arc<str>,
}

/// How far a generation is behind the live one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Level {
    /// Partitions in which it has not done what the live generation has, and where both are.
    pub behind: BTreeMap<PartitionId, (Option<Checkpoint>, Option<Checkpoint>)>,
    /// Partitions there are.
    pub partitions: usize,
}

/// Why the live generation was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The generations do not allow it.
    #[error(transparent)]
    Generation(#[from] GenerationError),
    /// The projection was never deployed.
    #[error("projection {projection} has no generation yet: run it first")]
    NotDeployed {
        /// The projection.
        projection: String,
    },
    /// There is no older generation.
    #[error("projection {projection} has no generation before {live} to go back to")]
    NothingBefore {
        /// The projection.
        projection: String,
        /// The live generation.
        live: u32,
    },
    /// It has not done what the live one has, so that queries would see older rows.
    #[error(
        "generation {number} of projection {projection} is behind the live one in {behind} of {partitions} partitions: \
         wait until code of its version has brought it up to date, or force it and let queries see older rows"
    )]
    Behind {
        /// The projection.
        projection: String,
        /// The generation.
        number: u32,
        /// Partitions in which it is behind.
        behind: usize,
        /// Partitions there are.
        partitions: usize,
    },
    /// It could not be read or written.
    #[error(transparent)]
    Backfill(#[from] BackfillError),
}

impl Switch {
    /// The switch of the projections of a group.
    #[must_use]
    pub fn new(leases: Arc<dyn LeaseStore>, rows: Arc<dyn RowStore>, group: &str) -> Self {
        Self { leases, rows, group: group.into() }
    }

    /// The generations of a projection.
    ///
    /// # Errors
    /// [`SwitchError::NotDeployed`], or when they cannot be read.
    pub async fn generations(&self, projection: &str) -> Result<Generations, SwitchError> {
        let items = patiently(|| self.leases.list(&self.group)).await.map_err(BackfillError::from)?;
        let not_deployed = || SwitchError::NotDeployed { projection: projection.to_owned() };
        items.generations.get(projection).cloned().ok_or_else(not_deployed)
    }

    /// How far a generation is behind the live one, as the checkpoints say that were saved last.
    ///
    /// # Errors
    /// As [`generations`](Self::generations).
    pub async fn level(&self, generation: &Generation) -> Result<Level, SwitchError> {
        let items = patiently(|| self.leases.list(&self.group)).await.map_err(BackfillError::from)?;
        let Some(all) = items.generations.get(&generation.projection) else {
            return Err(SwitchError::NotDeployed { projection: generation.projection.to_string() });
        };
        let (live, new) = (all.live().to_string(), generation.to_string());
        let mut level = Level { partitions: items.leases.len(), ..Level::default() };
        for (partition, lease) in items.leases {
            let (live, new) = (lease.checkpoints.get(live.as_str()), lease.checkpoints.get(new.as_str()));
            let reached = match (live, new) {
                (None, _) | (_, Some(Checkpoint::End)) => true,
                (Some(Checkpoint::At(live)), Some(Checkpoint::At(new))) => new >= live,
                (Some(_), _) => false,
            };
            if !reached {
                level.behind.insert(partition, (live.cloned(), new.cloned()));
            }
        }
        Ok(level)
    }

    /// Makes a generation live: one conditional write. Every process answers from it within
    /// [`ROUND`](crate::group::limits::ROUND) and one call of the lease store. The one that was live stays.
    ///
    /// # Errors
    /// [`SwitchError::Behind`] unless it is forced; [`SwitchError::Generation`] for one that is not filled or unknown.
    pub async fn promote(
        &self,
        projection: &str,
        number: u32,
        force: bool,
    ) -> Result<Generations, SwitchError> {
        let all = self.generations(projection).await?;
        all.promoted(number)?;
        if all.live == number {
            return Ok(all);
        }
        if !force {
            let level = self.level(&all.generation(number)).await?;
            let (behind, partitions) = (level.behind.len(), level.partitions);
            if behind > 0 {
                return Err(SwitchError::Behind {
                    projection: projection.to_owned(),
                    number,
                    behind,
                    partitions,
                });
            }
        }
        let all = self.change(projection, |all| all.promoted(number)).await?;
        // Whoever goes back from it and builds another does not find it unfinished.
        if let Err(error) = forget(&self.leases, &all.generation(number)).await {
            tracing::debug!(error = %error, "the slots of a generation are not forgotten");
        }
        Ok(all)
    }

    /// Goes back to the generation before the live one.
    ///
    /// # Errors
    /// [`SwitchError::NothingBefore`], or as [`promote`](Self::promote).
    pub async fn rollback(&self, projection: &str, force: bool) -> Result<Generations, SwitchError> {
        let all = self.generations(projection).await?;
        let before = all.made.iter().rev();
        let before = before.filter(|(_, made)| made.stage == Stage::Following).map(|(number, _)| *number);
        let Some(number) = before.into_iter().find(|number| *number < all.live) else {
            return Err(SwitchError::NothingBefore { projection: projection.to_owned(), live: all.live });
        };
        self.promote(projection, number, force).await
    }

    /// Drops a generation that is not live, with all its rows. It is taken out of the list first, and its rows go when
    /// everybody has noticed.
    ///
    /// # Errors
    /// [`SwitchError::Generation`] for the live one, or one that is unknown.
    pub async fn drop_generation(&self, projection: &str, number: u32) -> Result<Generations, SwitchError> {
        let followed = self.generations(projection).await?.made.get(&number).map(|made| made.stage);
        let left = self.change(projection, |all| all.without(number)).await?;
        if followed == Some(Stage::Following) {
            sleep(DROP_AFTER).await;
        }
        let generation = left.generation(number);
        self.rows.drop_generation(&generation).await.map_err(BackfillError::from)?;
        forget(&self.leases, &generation).await.map_err(BackfillError::from)?;
        Ok(left)
    }

    /// Changes the generations under their counter, however often others are faster, within a bound.
    pub(super) async fn change(
        &self,
        projection: &str,
        change: impl Fn(&Generations) -> Result<Generations, GenerationError>,
    ) -> Result<Generations, SwitchError> {
        for _ in 0..TRIES {
            let all = self.generations(projection).await?;
            let next = change(&all)?;
            let item = Item::from(next.clone());
            let saved = patiently(|| self.leases.save(&self.group, &item, Some(all.counter))).await;
            match saved.map_err(BackfillError::from)? {
                Saved::Done => return Ok(next),
                Saved::Lost(Some(there)) if *there == item => return Ok(next),
                Saved::Lost(_) => {}
            }
        }
        Err(BackfillError::Contended { projection: projection.to_owned() }.into())
    }
}

impl From<SwitchError> for BackfillError {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::Backfill(error) => error,
            other => Self::Switch(Box::new(other)),
        }
    }
}
