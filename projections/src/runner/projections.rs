//! How each projection and reactor of a group is doing, seen from one worker: what an operator is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::kind::Keeping;
use super::limits::HEAD_FRESH;
use super::pace::Pace;
use super::status::{Control, PartitionState, PartitionStatus};
use crate::ReadError;
use crate::group::Checkpoint;
use crate::rows::MAX_PAGE_ROWS;

/// How a projection or a reactor is doing.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct ProjectionStatus {
    /// Its name.
    pub name: &'static str,
    /// The version of its code in this process.
    pub version: u32,
    /// The number of the generation that answers, or the places of the reactor.
    pub generation: u32,
    /// The version of the code that made that generation.
    pub generation_version: u32,
    /// What it does.
    pub state: ProjectionState,
    /// How far it is behind in the partitions that are read here: that of the one that is furthest behind, and the sum of
    /// records. Nothing where that is not known.
    pub lag: Lag,
    /// Events a second that were applied here, over the last ten seconds.
    pub events_per_second: f64,
    /// Events that were applied here since the process began.
    pub applied: u64,
    /// How long ago the last event was applied here, in seconds.
    pub last_progress_seconds: Option<f64>,
    /// Parked streams that were counted, and whether those are all.
    pub parked: ParkedCount,
    /// Where it is in each partition; left out where many projections are shown.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub partitions: Vec<PlaceStatus>,
}

/// What a projection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProjectionState {
    /// It follows the feed, and a moment ago there was no more to read here.
    Live,
    /// It follows the feed and there is more to read.
    Behind,
    /// What the feed does not have is being read from the ledger for it, or will be.
    CatchingUp,
    /// It is paused in this process.
    Paused,
    /// The live generation was made by code of another version: it answers and stands still until it is rebuilt.
    RebuildNeeded,
    /// A partition of it ought to be read here and cannot be, or the feed does not answer.
    Unreadable,
    /// All its partitions are read elsewhere, or none is known yet.
    Elsewhere,
}

/// How far something is behind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, JsonSchema)]
pub struct Lag {
    /// In seconds. It grows while the feed does not answer.
    pub seconds: Option<f64>,
    /// In records.
    pub records: Option<u64>,
    /// Whether the records were counted; else they are what comes in as much time.
    pub counted: bool,
}

/// How many streams are parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct ParkedCount {
    /// Streams.
    pub streams: usize,
    /// Whether all were counted.
    pub complete: bool,
}

/// Where a projection is in a partition.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PlaceStatus {
    /// The partition.
    pub partition: String,
    /// The worker that reads it; nobody when it is free, waits for its parents, or has ended.
    pub owner: Option<String>,
    /// Whether that is this process.
    pub here: bool,
    /// Its checkpoint: a position, or `end`.
    pub checkpoint: Option<String>,
    /// How far it is behind, when it is read here.
    pub lag: Lag,
    /// How long ago the feed answered, in seconds, when it is read here: the heartbeat of the source.
    pub head_seen_seconds: Option<f64>,
}

impl Control {
    /// How every projection and reactor is doing.
    ///
    /// # Errors
    /// [`ReadError`] when the rows or the generations cannot be read.
    ///
    /// # Cost
    /// A page of parked streams for each.
    pub async fn projections(&self) -> Result<Vec<ProjectionStatus>, ReadError> {
        let mut all = Vec::new();
        for kind in self.kinds() {
            all.push(self.projection(kind.name()).await?);
        }
        Ok(all)
    }

    /// How one of them is doing.
    ///
    /// # Errors
    /// As [`projections`](Self::projections), and when it is unknown.
    ///
    /// # Cost
    /// A page of parked streams.
    pub async fn projection(&self, name: &str) -> Result<ProjectionStatus, ReadError> {
        let (kind, generations) = self.generations_of(name).await?;
        let live = generations.live();
        let generation = live.to_string();
        let handler = kind.handler(generations.live);
        let (rows, _) = handler.rows();
        let parked = rows.parked(&live, None, MAX_PAGE_ROWS).await?.len();
        let kept = self.all_kept().iter().find(|kept| *kept.generation == *generation).cloned();
        let partitions = self.places(&generation);
        let lag = worst(&partitions);
        let (applied, events_per_second, last) =
            kept.as_ref().map_or((0, 0.0, None), |kept| kept.handler.tally().read());
        let generation_version = generations.version(generations.live).unwrap_or_default();
        Ok(ProjectionStatus {
            name: kind.name(),
            version: kind.version(),
            generation: generations.live,
            generation_version,
            state: match generation_version == kind.version() {
                true => self.state(kind.name(), kept.as_ref(), &partitions),
                false if self.is_paused(kind.name()) => ProjectionState::Paused,
                false => ProjectionState::RebuildNeeded,
            },
            lag,
            events_per_second,
            applied,
            last_progress_seconds: last.map(|last| last.as_secs_f64()),
            parked: ParkedCount { streams: parked, complete: parked < MAX_PAGE_ROWS },
            partitions,
        })
    }

    fn state(&self, name: &str, kept: Option<&Keeping>, places: &[PlaceStatus]) -> ProjectionState {
        let status = self.status();
        let catching_up = status.catching_up.zip(kept).is_some_and(|(catching_up, kept)| {
            catching_up.reading.contains(&kept.generation) || catching_up.waiting.contains(&kept.generation)
        });
        let unreadable = |one: &PartitionStatus| {
            matches!(one.state, PartitionState::Unreadable { .. } | PartitionState::Uncovered)
        };
        let here = places.iter().filter(|place| place.here);
        let lags = here.map(|place| place.lag).collect::<Vec<_>>();
        let fresh = |lag: &Lag| lag.seconds.is_some_and(|seconds| seconds <= HEAD_FRESH.as_secs_f64());
        match () {
            () if self.is_paused(name) => ProjectionState::Paused,
            () if status.partitions.values().any(unreadable) => ProjectionState::Unreadable,
            () if catching_up => ProjectionState::CatchingUp,
            () if lags.is_empty() => ProjectionState::Elsewhere,
            () if lags.iter().all(|lag| fresh(lag) && lag.records.is_none_or(|records| records == 0)) => {
                ProjectionState::Live
            }
            () => ProjectionState::Behind,
        }
    }

    /// Where a generation is in each partition that is not read to its end by all.
    fn places(&self, generation: &str) -> Vec<PlaceStatus> {
        let place = |(partition, status, place): (String, PartitionStatus, Option<Place>)| {
            let owner = match &status.state {
                PartitionState::Elsewhere { owner } => Some(owner.to_string()),
                _ => None,
            };
            let here = place.is_some();
            let Place { checkpoint, pace, owner: me } = place.unwrap_or_default();
            PlaceStatus {
                partition,
                owner: if here { me } else { owner },
                here,
                checkpoint: checkpoint.map(|checkpoint| match checkpoint {
                    Checkpoint::At(position) => position.to_string(),
                    Checkpoint::End => "end".to_owned(),
                }),
                lag: pace.as_ref().map(Lag::of).unwrap_or_default(),
                head_seen_seconds: pace.map(|pace| pace.at.elapsed().as_secs_f64()),
            }
        };
        self.places_of(generation).into_iter().map(place).collect()
    }
}

/// What is known here of a generation in a partition.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) pace: Option<Pace>,
    pub(super) owner: Option<String>,
}

impl Lag {
    /// A feed that has not answered lately is never level: what was seen of its head grows old, and what was counted then
    /// is not told any more.
    fn of(pace: &Pace) -> Self {
        let age = pace.at.elapsed();
        let seen = if pace.at_head { Some(Duration::ZERO) } else { pace.behind.time };
        let seconds = seen.map(|seen| if age > HEAD_FRESH || !seen.is_zero() { seen + age } else { seen });
        let silent = age > HEAD_FRESH;
        let counted = pace.behind.records.or(pace.at_head.then_some(0));
        let records = counted.or(pace.guess).filter(|_| !silent);
        Self {
            seconds: seconds.map(|seconds| seconds.as_secs_f64()),
            records,
            counted: counted.is_some() && !silent,
        }
    }
}

/// The lag of all partitions read here: nothing where one of them is not known.
fn worst(places: &[PlaceStatus]) -> Lag {
    let here: Vec<_> =
        places.iter().filter(|place| place.here && place.checkpoint.as_deref() != Some("end")).collect();
    if here.is_empty() {
        return Lag::default();
    }
    let seconds: Option<Vec<f64>> = here.iter().map(|place| place.lag.seconds).collect();
    let records: Option<Vec<u64>> = here.iter().map(|place| place.lag.records).collect();
    Lag {
        seconds: seconds.map(|all| all.into_iter().fold(0.0, f64::max)),
        records: records.map(|all| all.into_iter().sum()),
        counted: here.iter().all(|place| place.lag.counted),
    }
}

/// Paces by generation.
pub(super) type Paces = BTreeMap<std::sync::Arc<str>, Pace>;

#[cfg(test)]
mod tests {
    use headwater::store::Behind;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_not_seen_any_more_is_never_lag_zero() {
        let level = Pace { at: Instant::now(), behind: Behind::default(), guess: None, at_head: true };
        assert_eq!(Lag::of(&level), Lag { seconds: Some(0.0), records: Some(0), counted: true });
        tokio::time::sleep(Duration::from_secs(100)).await;
        let lag = Lag::of(&level);
        assert_eq!((lag.seconds, lag.records, lag.counted), (Some(100.0), None, false));

        let behind = Behind { records: Some(7), time: Some(Duration::from_secs(3)) };
        let pace = Pace { at: Instant::now(), behind, guess: Some(9), at_head: false };
        assert_eq!(Lag::of(&pace), Lag { seconds: Some(3.0), records: Some(7), counted: true });
        let guessed = Pace { behind: Behind { records: None, ..behind }, ..pace };
        assert_eq!(Lag::of(&guessed), Lag { seconds: Some(3.0), records: Some(9), counted: false });
    }
}
