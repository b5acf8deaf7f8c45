//! Waiting until a projection has applied a version of a stream: the base of reading one's own writes.

use std::time::Duration;

use headwater::{StreamName, Version};
use tokio::time::{Instant, timeout_at};

use crate::group::Generations;
use crate::rows::{Generation, LoadedRows, RowError, Wanted};
use crate::{ReadError, ReadModels};

/// How long the first look may take, however short the wait.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// The pause before rows are looked at again, for what other processes apply; it doubles from there.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// The longest of those pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What came of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waited {
    /// The version is applied.
    Applied,
    /// The time is up.
    Behind {
        /// The version that is applied.
        applied: Version,
    },
    /// The stream is parked in front of the version, so waiting is in vain.
    Parked {
        /// The version that is applied.
        applied: Version,
        /// The version that cannot be applied.
        first_failing: Version,
    },
}

/// What a look at the rows came to.
enum Look {
    Loaded(LoadedRows),
    /// They were dropped, and another generation is live.
    Moved(Generation),
}

impl ReadModels {
    /// Whether a projection reads the streams of a category.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn reads(&self, projection: &str, category: &str) -> Result<bool, ReadError> {
        Ok(self.model(projection)?.1.categories.contains(&category))
    }

    /// Waits until the projection has applied a version of a stream.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or does not read the stream, too many wait, or the rows cannot be
    /// read.
    ///
    /// # Ordering
    /// [`Waited::Applied`] is never said early: it comes from the row store, or from a write to it that has succeeded.
    ///
    /// # Cost
    /// One read of the row store at once. What this process applies wakes the wait; what others apply is found by looking
    /// again after 100 ms, 200 ms and so on, at least every second.
    pub async fn wait(
        &self,
        projection: &str,
        stream: &StreamName,
        version: Version,
        time: Duration,
    ) -> Result<Waited, ReadError> {
        let model = self.model_reading(projection, stream)?;
        let begin = Instant::now();
        let deadline = begin + time;
        let mut patience = deadline.max(begin + LOOK_PATIENCE);
        let mut pause = FIRST_LOOK;
        let mut known = None;
        let mut live = self.live(projection).await?;
        loop {
            // The place is taken before the rows are read, so a write in between wakes it.
            let waits = model.waits.of(live.number);
            let Some(mut place) = waits.place(stream, version) else {
                return Err(ReadError::TooManyWaiters { projection: projection.to_owned() });
            };
            let look = self.look(projection, &live, model.wanted(stream));
            let loaded = match (timeout_at(patience, look).await, known) {
                (Ok(looked), _) => match looked? {
                    Look::Loaded(loaded) => loaded,
                    Look::Moved(now) => {
                        live = now;
                        continue;
                    }
                },
                (Err(_), Some(applied)) => return Ok(Waited::Behind { applied }),
                (Err(source), None) => return Err(slow(projection, source)),
            };
            let applied = model.version(&loaded);
            if applied >= version {
                return Ok(Waited::Applied);
            }
            // A record that the rows have got past is void.
            let parked = loaded.parked.iter().map(|parked| parked.first_failing);
            if let Some(first_failing) = parked.filter(|first| *first > applied && *first <= version).min() {
                return Ok(Waited::Parked { applied, first_failing });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::Behind { applied });
            }
            (known, patience) = (Some(applied), deadline);
            let mut changes = self.directory.changes();
            let other = |known: &Generations| known.live != live.number;
            let promoted = async {
                let known = changes.wait_for(|known| known.get(projection).is_some_and(other)).await;
                known.is_ok()
            };
            let woken = tokio::select! {
                applied = place.woken() => applied,
                _ = promoted => false,
                () = tokio::time::sleep(pause.min(left)) => false,
            };
            // What queries see from now on counts, not what this generation has.
            let now = self.live(projection).await?;
            if woken && now == live {
                return Ok(Waited::Applied);
            }
            live = now;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn look(&self, projection: &str, live: &Generation, wanted: Wanted) -> Result<Look, ReadError> {
        match self.rows.load(live, &wanted).await {
            Ok(loaded) => Ok(Look::Loaded(loaded)),
            Err(error) => Ok(Look::Moved(self.moved_on(projection, live, error).await?)),
        }
    }

    /// Waits as [`wait`](Self::wait) does; `false` when the version is not applied within the time, or never because
    /// the stream is parked in front of it.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_applied(
        &self,
        projection: &str,
        stream: &StreamName,
        version: Version,
        time: Duration,
    ) -> Result<bool, ReadError> {
        Ok(self.wait(projection, stream, version, time).await? == Waited::Applied)
    }
}

fn slow(projection: &str, source: tokio::time::error::Elapsed) -> ReadError {
    let attempted = format!("look what {projection} has applied");
    ReadError::Rows(RowError::Unavailable { attempted, source: Box::new(source) })
}
