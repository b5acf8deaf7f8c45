//! The ledger as a source of history: all of it, in segments.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::{Scan, ScanCursor, StoreError};
use headwater::{Commit, EventStore};

use super::limits::SEGMENTS;
use super::{Damage, History, HistoryError, HistoryEvent, Lane, Mark, Part, Survey, Visit};
use crate::group::{Checkpoint, LeaseStore};

/// What the source is called.
pub(super) const LEDGER: &str = "ledger";

/// Every commit of the ledger. It needs no archive and costs a read unit for each 4 KB of the ledger.
#[derive(Debug, Clone)]
pub struct LedgerHistory {
    ledger: Arc<dyn EventStore>,
    leases: Arc<dyn LeaseStore>,
    group: Arc<str>,
}

impl LedgerHistory {
    /// The history of a ledger; the leases of the group say how far its feed has been read.
    #[must_use]
    pub fn new(ledger: Arc<dyn EventStore>, leases: Arc<dyn LeaseStore>, group: &str) -> Self {
        Self { ledger, leases, group: group.into() }
    }
}

#[async_trait]
impl History for LedgerHistory {
    fn kind(&self) -> &'static str {
        LEDGER
    }

    async fn survey(&self) -> Result<Survey, HistoryError> {
        // Whatever anybody has read from the feed by now is in the ledger, and will be in the scan that begins later.
        let items = self.leases.list(&self.group).await.map_err(|error| HistoryError::Unavailable {
            attempted: "find out how far the feed is read".to_owned(),
            source: error.into(),
        })?;
        let furthest = |checkpoints: Vec<&Checkpoint>| {
            let ended = checkpoints.contains(&&Checkpoint::End).then_some(Checkpoint::End);
            ended.or_else(|| {
                let positions = checkpoints.into_iter().filter_map(|checkpoint| match checkpoint {
                    Checkpoint::At(position) => Some(position),
                    Checkpoint::End => None,
                });
                positions.max().cloned().map(Checkpoint::At)
            })
        };
        let positions = items
            .leases
            .into_values()
            .filter_map(|lease| Some((lease.partition, furthest(lease.checkpoints.values().collect())?)));
        let lane = |segment: u32| {
            let name = format!("segment {segment} of {SEGMENTS}").into();
            Lane { parts: vec![Part { name, events: None, bytes: None }], after: Vec::new() }
        };
        Ok(Survey {
            lanes: (0..SEGMENTS).map(lane).collect(),
            positions: positions.collect(),
            damage: Vec::new(),
        })
    }

    /// A page: what a part has is a large part of the ledger.
    async fn read(
        &self,
        part: &Part,
        from: Option<&Mark>,
        visit: Visit<'_>,
    ) -> Result<Option<Mark>, HistoryError> {
        let number = part.name.split(' ').nth(1).and_then(|number| number.parse().ok());
        let damaged = |reason: String| {
            HistoryError::Damaged(Damage { part: Arc::clone(&part.name), partition: None, reason })
        };
        let segment = number.ok_or_else(|| damaged("there is no such segment".to_owned()))?;
        let mut scan = Scan::segment(segment, SEGMENTS);
        scan.after = from.map(|mark| ScanCursor(Arc::clone(&mark.0)));
        let page = match self.ledger.scan(scan).await {
            Ok(page) => page,
            Err(error @ StoreError::Corrupt { .. }) => return Err(damaged(error.to_string())),
            Err(error) => {
                let attempted = format!("scan {}", part.name);
                return Err(HistoryError::Unavailable { attempted, source: error.into() });
            }
        };
        for commit in &page.commits {
            if visit_commit(commit, visit).is_break() {
                return Ok(None);
            }
        }
        Ok(page.next.map(|cursor| Mark(cursor.0)))
    }
}

/// Hands out the events of a commit.
pub(super) fn visit_commit(commit: &Commit, visit: Visit<'_>) -> ControlFlow<()> {
    let metadata = match commit.metadata.is_empty() {
        true => Vec::new(),
        false => serde_json::to_vec(&commit.metadata).expect("texts are JSON"),
    };
    for event in commit.recorded() {
        visit(HistoryEvent {
            category: commit.stream.category(),
            id: commit.stream.id(),
            version: event.version(),
            name: &event.data.name,
            schema: event.data.schema,
            payload: &event.data.payload,
            recorded_at: commit.recorded_at,
            metadata: &metadata,
            commit: commit.id,
            index: event.index,
        })?;
    }
    ControlFlow::Continue(())
}
