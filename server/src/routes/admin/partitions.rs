//! `GET /v1/admin/partitions`: the partitions of the feed.

use axum::Json;
use axum::extract::State;
use headwater_projections::{PartitionState, PartitionStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Problem, Services};

/// The partitions of the feed, seen from this process.
#[derive(Serialize, JsonSchema)]
pub(super) struct List {
    /// Workers of the group that are alive.
    workers: usize,
    /// The partitions.
    partitions: Vec<Partition>,
}

/// A partition.
#[derive(Serialize, JsonSchema)]
pub(super) struct Partition {
    /// Its id.
    id: String,
    /// The partitions that are read to their end before it.
    parents: Vec<String>,
    /// What becomes of it: waiting, free, elsewhere, starting, reading, caught-up, catching-up, unreadable, ended or
    /// uncovered; unknown when this process has not looked yet.
    state: String,
    /// Who reads it, when somebody else does.
    owner: Option<String>,
    /// Why it cannot be read.
    reason: Option<String>,
    /// How far its projections are behind, at most, when it is read here and that is known.
    behind_seconds: Option<f64>,
    /// Whether some projections are further behind than that.
    late: bool,
    /// Records that were read here and are not done yet.
    in_hand: usize,
    /// How often a checkpoint of it was lost.
    losses: u64,
}

pub(super) async fn get(State(services): State<Services>) -> Result<Json<List>, Problem> {
    let status = services.control.status();
    let listed = services.hub.partitions().await?;
    let partitions = listed.into_iter().map(|partition| {
        let parents = partition.parents.iter().map(ToString::to_string).collect();
        Partition::new(partition.id.to_string(), parents, status.partitions.get(&partition.id))
    });
    Ok(Json(List { workers: status.workers, partitions: partitions.collect() }))
}

impl Partition {
    pub(super) fn new(id: String, parents: Vec<String>, status: Option<&PartitionStatus>) -> Self {
        let mut partition = Self {
            id,
            parents,
            state: "unknown".to_owned(),
            owner: None,
            reason: None,
            behind_seconds: None,
            late: false,
            in_hand: 0,
            losses: 0,
        };
        let Some(status) = status else { return partition };
        name(&status.state).clone_into(&mut partition.state);
        match &status.state {
            PartitionState::Elsewhere { owner } => partition.owner = Some(owner.to_string()),
            PartitionState::Unreadable { reason } => partition.reason = Some(reason.clone()),
            _ => {}
        }
        partition.behind_seconds = status.behind.map(|behind| behind.as_secs_f64());
        (partition.late, partition.in_hand, partition.losses) = (status.late, status.in_hand, status.losses);
        partition
    }
}

/// The name of a state.
pub(super) fn name(state: &PartitionState) -> &'static str {
    match state {
        PartitionState::Waiting => "waiting",
        PartitionState::Free => "free",
        PartitionState::Elsewhere { .. } => "elsewhere",
        PartitionState::Starting => "starting",
        PartitionState::Reading => "reading",
        PartitionState::CaughtUp => "caught-up",
        PartitionState::CatchingUp => "catching-up",
        PartitionState::Unreadable { .. } => "unreadable",
        PartitionState::Ended => "ended",
        PartitionState::Uncovered => "uncovered",
        _ => "unknown",
    }
}
