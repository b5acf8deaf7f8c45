//! The archive as a source of history, for rebuilding read models.

use std::collections::BTreeMap;

use async_trait::async_trait;
use headwater_projections::backfill::{
    Damage, History, HistoryError, HistoryEvent, Lane, Mark, Part, Survey, Visit,
};
use headwater_projections::group::Checkpoint;

use crate::objects::ObjectError;
use crate::{Archive, ArchiveError, ArchiveFile, ArchivedEvent, Broken, Columns};

/// A lane for each partition, a part for each file.
///
/// What the newest files do not have yet is on the feed, from the positions of the survey on.
#[async_trait]
impl History for Archive {
    fn kind(&self) -> &'static str {
        "archive"
    }

    async fn survey(&self) -> Result<Survey, HistoryError> {
        let files = self.files().await.map_err(error)?;
        let damage = files.links.iter().map(|link| Damage {
            part: link.key().into(),
            partition: link.partition().cloned(),
            reason: link.to_string(),
        });
        let mut survey = Survey { damage: damage.collect(), ..Survey::default() };
        // Parents come first, so that a lane is behind those it names.
        let mut left: Vec<_> = files.chains.into_iter().collect();
        let mut places = BTreeMap::new();
        while !left.is_empty() {
            let waits = |chain: &[ArchiveFile], all: &[(_, Vec<ArchiveFile>)]| {
                let parents = chain.first().map(|file| file.parents.as_slice()).unwrap_or_default();
                all.iter().any(|(partition, _)| parents.contains(partition))
            };
            let ready = left.iter().position(|(_, chain)| !waits(chain, &left));
            // Partitions that come from each other in a circle are nonsense, and still read.
            let (partition, chain) = left.remove(ready.unwrap_or_default());
            let parents = chain.first().map(|file| file.parents.clone()).unwrap_or_default();
            let after = parents.iter().filter_map(|parent| places.get(parent).copied()).collect();
            if let Some(last) = chain.last() {
                survey.positions.insert(partition.clone(), Checkpoint::At(last.last.clone()));
            }
            places.insert(partition, survey.lanes.len());
            survey.lanes.push(Lane { parts: chain.iter().map(part).collect(), after });
        }
        Ok(survey)
    }

    /// A whole file: a bounded piece of the history.
    async fn read(
        &self,
        part: &Part,
        _: Option<&Mark>,
        visit: Visit<'_>,
    ) -> Result<Option<Mark>, HistoryError> {
        let file = self.file(&part.name).await.map_err(error)?;
        let mut each = |event: ArchivedEvent<'_>| {
            visit(HistoryEvent {
                category: event.category,
                id: event.id,
                version: event.version,
                name: event.name,
                schema: event.schema,
                payload: event.payload,
                recorded_at: event.recorded_at,
                metadata: event.metadata,
                commit: event.commit,
                index: event.index,
            })
        };
        Self::read(self, &file, Columns::History, &mut each).await.map_err(error)?;
        Ok(None)
    }
}

fn part(file: &ArchiveFile) -> Part {
    Part { name: file.key.as_str().into(), events: Some(file.events), bytes: Some(file.bytes) }
}

fn error(error: ArchiveError) -> HistoryError {
    match error {
        ArchiveError::Broken(Broken { key, partition, reason }) => {
            HistoryError::Damaged(Damage { part: key.into(), partition, reason })
        }
        ArchiveError::Objects(ObjectError::Unavailable { attempted, source }) => {
            HistoryError::Unavailable { attempted, source }
        }
        error => {
            HistoryError::Unavailable { attempted: "read the archive".to_owned(), source: Box::new(error) }
        }
    }
}
