//! The archive as the source of a backfill, held against what its writers say that they have written.
//!
//! A chain shows by itself that a file is missing in its middle. That its newest files are gone, or all of them, only
//! the checkpoints of the writers show: a checkpoint follows its file.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_projections::LeaseStore;
use headwater_projections::backfill::{Damage, History, HistoryError, Mark, Part, Survey, Visit};
use headwater_projections::group::Checkpoint;

use crate::{Archive, GROUP};

/// The history that an archive has, for a backfill. What is missing in it is damage, which the ledger makes good.
#[derive(Debug, Clone)]
pub struct ArchiveHistory {
    archive: Archive,
    leases: Arc<dyn LeaseStore>,
}

impl ArchiveHistory {
    /// The history of an archive; the leases have the checkpoints of those who write it.
    #[must_use]
    pub fn new(archive: Archive, leases: Arc<dyn LeaseStore>) -> Self {
        Self { archive, leases }
    }
}

#[async_trait]
impl History for ArchiveHistory {
    fn kind(&self) -> &'static str {
        "archive"
    }

    async fn survey(&self) -> Result<Survey, HistoryError> {
        // Before the files are listed, so that every file a checkpoint speaks of has to be among them.
        let items = self.leases.list(GROUP).await.map_err(|error| HistoryError::Unavailable {
            attempted: "find out how far the archive is written".to_owned(),
            source: error.into(),
        })?;
        let mut survey = History::survey(&self.archive).await?;
        for (partition, lease) in items.leases {
            let Some(Checkpoint::At(position)) = lease.checkpoints.get(GROUP) else { continue };
            let reason = match survey.positions.get(&partition) {
                Some(Checkpoint::At(there)) if there >= position => continue,
                Some(_) => format!("files behind the last one are gone: it was written up to {position}"),
                None => format!("all its files are gone: it was written up to {position}"),
            };
            let part = format!("the chain of {partition}").into();
            survey.damage.push(Damage { part, partition: Some(partition), reason });
        }
        Ok(survey)
    }

    async fn read(
        &self,
        part: &Part,
        from: Option<&Mark>,
        visit: Visit<'_>,
    ) -> Result<Option<Mark>, HistoryError> {
        History::read(&self.archive, part, from, visit).await
    }
}
