//! Read models: the rows of a group of projections, seen from outside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::{StreamName, Version};

use crate::rows::{Generation, List, LoadedRows, MAX_PAGE_ROWS, Query, RowError, RowPage, StoredRow, Wanted};
use crate::runner::Waits;
use crate::{Definition, Parked, ParkedGroups, Projection, RowStore};

/// Most parked streams that are looked at to group them.
pub const MAX_GROUPED_STREAMS: usize = 100 * MAX_PAGE_ROWS;

/// The rows of the projections of a runner. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModels {
    rows: Arc<dyn RowStore>,
    models: Arc<BTreeMap<&'static str, Model>>,
}

/// One projection, its type forgotten.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    generation: Generation,
    shared: bool,
    indexes: &'static [&'static str],
    categories: Vec<&'static str>,
    waits: Arc<Waits>,
}

/// Why a read model could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no projection of this name.
    #[error("projection {name:?} is unknown: known are {known}")]
    UnknownProjection {
        /// The name.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// The projection does not declare this index.
    #[error(
        "projection {projection} has no index {index:?}, known are: {known}; declare the field in `index(…)` and raise \
         the version"
    )]
    UnknownIndex {
        /// The projection.
        projection: String,
        /// The index.
        index: String,
        /// The indexes that are known.
        known: String,
    },
    /// The projection does not read this category, so it will never apply a version of the stream.
    #[error("projection {projection} does not read stream {stream}: it reads the categories {categories}")]
    NotRead {
        /// The projection.
        projection: String,
        /// The stream.
        stream: StreamName,
        /// What it reads.
        categories: String,
    },
    /// Too many callers wait for versions of this projection.
    #[error("too many callers wait for projection {projection}: try again later")]
    TooManyWaiters {
        /// The projection.
        projection: String,
    },
    /// The row store could not answer.
    #[error(transparent)]
    Rows(#[from] RowError),
}

impl Model {
    pub(crate) fn of<P: Projection>(definition: &Definition<P>, waits: Arc<Waits>) -> Self {
        let categories = P::sources().iter().map(crate::Source::category).collect();
        Self {
            generation: definition.generation(),
            shared: P::SHARED,
            indexes: P::INDEXES,
            categories,
            waits,
        }
    }

    /// What has to be loaded to know the version applied of a stream.
    fn wanted(&self, stream: &StreamName) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.streams.insert(stream.clone());
        if !self.shared {
            wanted.rows.insert(stream.id().to_owned());
        }
        wanted
    }

    fn version(&self, loaded: &LoadedRows) -> Version {
        if self.shared {
            loaded.versions.first().map(|(_, version)| *version).unwrap_or_default()
        } else {
            Version(loaded.rows.first().map_or(0, |row| row.revision.0))
        }
    }
}

impl ReadModels {
    pub(crate) fn new(rows: Arc<dyn RowStore>, models: BTreeMap<&'static str, Model>) -> Self {
        Self { rows, models: Arc::new(models) }
    }

    /// The names of the projections.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.models.keys().copied()
    }

    /// The number of the generation that answers for a projection.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn generation(&self, projection: &str) -> Result<u32, ReadError> {
        Ok(self.model(projection)?.generation.number)
    }

    /// A row, if it exists and was not deleted. Its revision is the stream's version when the row is fed by one stream.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or the rows cannot be read.
    pub async fn get(&self, projection: &str, key: &str) -> Result<Option<StoredRow>, ReadError> {
        let model = self.model(projection)?;
        let mut wanted = Wanted::default();
        wanted.rows.insert(key.to_owned());
        let loaded = self.rows.load(&model.generation, &wanted).await?;
        Ok(loaded.rows.into_iter().find(|row| row.fields.is_some()))
    }

    /// A page of rows, by key.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown, the limit is not allowed or the rows cannot be read.
    pub async fn list(&self, projection: &str, list: &List) -> Result<RowPage, ReadError> {
        Ok(self.rows.list(&self.model(projection)?.generation, list).await?)
    }

    /// The indexes of a projection: the names of the fields that it declares with `index(…)`.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn indexes(&self, projection: &str) -> Result<&'static [&'static str], ReadError> {
        Ok(self.model(projection)?.indexes)
    }

    /// A page of rows by an index.
    ///
    /// # Errors
    /// [`ReadError`] when the projection or the index is unknown, the range, the limit or the cursor is not allowed, or
    /// the rows cannot be read.
    ///
    /// # Ordering
    /// A row that was written a moment ago may still be missing; see [`RowStore::query`].
    pub async fn query(&self, projection: &str, query: &Query) -> Result<RowPage, ReadError> {
        let model = self.model(projection)?;
        if !model.indexes.contains(&query.index.as_str()) {
            let known = if model.indexes.is_empty() { "none".to_owned() } else { model.indexes.join(", ") };
            let (projection, index) = (projection.to_owned(), query.index.clone());
            return Err(ReadError::UnknownIndex { projection, index, known });
        }
        Ok(self.rows.query(&model.generation, query).await?)
    }

    /// The parked streams by fingerprint of their error, at most [`MAX_GROUPED_STREAMS`] of them.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or the rows cannot be read.
    ///
    /// # Cost
    /// Every record is read, a page at a time.
    pub async fn parked_groups(&self, projection: &str) -> Result<ParkedGroups, ReadError> {
        let generation = &self.model(projection)?.generation;
        let mut parked: Vec<Parked> = Vec::new();
        while parked.len() < MAX_GROUPED_STREAMS {
            let after = parked.last().map(|last| last.stream.clone());
            let page = self.rows.parked(generation, after.as_ref(), MAX_PAGE_ROWS).await?;
            if page.is_empty() {
                return Ok(ParkedGroups::of(projection, parked, true));
            }
            parked.extend(page);
        }
        Ok(ParkedGroups::of(projection, parked, false))
    }

    /// Streams that the projection cannot apply for now, by name, at most `limit` after a stream.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown, the limit is not allowed or the rows cannot be read.
    pub async fn parked(
        &self,
        projection: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, ReadError> {
        Ok(self.rows.parked(&self.model(projection)?.generation, after, limit).await?)
    }

    /// The version of a stream that the projection applied last.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or does not read the stream, or the rows cannot be read.
    pub async fn applied(&self, projection: &str, stream: &StreamName) -> Result<Version, ReadError> {
        let model = self.model_reading(projection, stream)?;
        let loaded = self.rows.load(&model.generation, &model.wanted(stream)).await?;
        Ok(model.version(&loaded))
    }

    /// Waits until the projection has applied a version of a stream: the base of reading one's own writes.
    ///
    /// `false` means that it has not within the time, or that the stream is parked in front of the version.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or does not read the stream, too many wait, or the rows cannot be
    /// read.
    ///
    /// # Cost
    /// One read of the row store; a second one when the time is up. Versions applied by other processes are noticed
    /// only then.
    pub async fn wait_applied(
        &self,
        projection: &str,
        stream: &StreamName,
        version: Version,
        timeout: Duration,
    ) -> Result<bool, ReadError> {
        let model = self.model_reading(projection, stream)?;
        // The place is taken before the rows are read, so a write in between wakes it.
        let Some(mut place) = model.waits.place(stream, version) else {
            return Err(ReadError::TooManyWaiters { projection: projection.to_owned() });
        };
        let loaded = self.rows.load(&model.generation, &model.wanted(stream)).await?;
        let now = model.version(&loaded);
        if now >= version {
            return Ok(true);
        }
        if loaded.parked.iter().any(|parked| parked.first_failing > now && parked.first_failing <= version) {
            return Ok(false);
        }
        match tokio::time::timeout(timeout, place.woken()).await {
            Ok(applied) => Ok(applied),
            Err(_) => Ok(self.applied(projection, stream).await? >= version),
        }
    }

    fn model(&self, name: &str) -> Result<&Model, ReadError> {
        self.models.get(name).ok_or_else(|| ReadError::UnknownProjection {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
        })
    }

    fn model_reading(&self, projection: &str, stream: &StreamName) -> Result<&Model, ReadError> {
        let model = self.model(projection)?;
        if model.categories.contains(&stream.category()) {
            return Ok(model);
        }
        Err(ReadError::NotRead {
            projection: projection.to_owned(),
            stream: stream.clone(),
            categories: model.categories.join(", "),
        })
    }
}
