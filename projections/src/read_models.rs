//! Read models: the rows of a group of projections, seen from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::{StreamName, Version};

use crate::backfill::{Operations, Switch};
use crate::directory::Directory;
use crate::group::{Generations, LeaseError};
use crate::rows::{Generation, List, LoadedRows, Query, RowError, RowPage, StoredRow, Wanted};
use crate::runner::AllWaits;
use crate::{Projection, RowStore};

/// The rows of the projections of a runner. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pub(crate) rows: Arc<dyn RowStore>,
    pub(crate) directory: Arc<Directory>,
    models: Arc<BTreeMap<&'static str, Model>>,
}

/// One projection, its type forgotten.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    version: u32,
    shared: bool,
    indexes: &'static [&'static str],
    pub(crate) categories: Vec<&'static str>,
    pub(crate) waits: Arc<AllWaits>,
}

/// A row, and the generation it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The number of the generation.
    pub generation: u32,
    /// The row, if it exists and was not deleted.
    pub row: Option<StoredRow>,
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
    /// The live generation was made by code of another version, so code of this version cannot keep it.
    #[error(
        "the live generation of projection {projection} was made by version {live} of its code, and this process has \
         version {code}: rebuild it with `backfill {projection}`, or run version {live}"
    )]
    OtherVersion {
        /// The projection.
        projection: String,
        /// The version that made the live generation.
        live: u32,
        /// The version of this process.
        code: u32,
    },
    /// It cannot be found out which generation is live.
    #[error("it cannot be found out which generation is live")]
    Directory(#[from] LeaseError),
    /// The row store could not answer.
    #[error(transparent)]
    Rows(#[from] RowError),
}

impl Model {
    pub(crate) fn of<P: Projection>(waits: Arc<AllWaits>) -> Self {
        let categories = P::sources().iter().map(crate::Source::category).collect();
        Self { version: P::VERSION, shared: P::SHARED, indexes: P::INDEXES, categories, waits }
    }

    /// What has to be loaded to know the version applied of a stream.
    pub(crate) fn wanted(&self, stream: &StreamName) -> Wanted {
        let mut wanted = Wanted::default();
        wanted.streams.insert(stream.clone());
        if !self.shared {
            wanted.rows.insert(stream.id().to_owned());
        }
        wanted
    }

    pub(crate) fn version(&self, loaded: &LoadedRows) -> Version {
        if self.shared {
            loaded.versions.first().map(|(_, version)| *version).unwrap_or_default()
        } else {
            Version(loaded.rows.first().map_or(0, |row| row.revision.0))
        }
    }
}

impl ReadModels {
    pub(crate) fn new(
        rows: Arc<dyn RowStore>,
        directory: Arc<Directory>,
        models: BTreeMap<&'static str, Model>,
    ) -> Self {
        Self { rows, directory, models: Arc::new(models) }
    }

    /// The names of the projections.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.models.keys().copied()
    }

    /// The generations of a projection, and which one is live.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown, or it cannot be found out.
    ///
    /// # Cost
    /// Nothing beside a running [`Runner`](crate::Runner), which looks with every round. What is answered may be a round
    /// old.
    pub async fn generations(&self, projection: &str) -> Result<Generations, ReadError> {
        let (name, model) = self.model(projection)?;
        Ok(self.directory.of(name, model.version).await?)
    }

    /// What changes which generation is live.
    #[must_use]
    pub fn switch(&self) -> Switch {
        let place = self.directory.place();
        Switch::new(place.store, Arc::clone(&self.rows), &place.group)
    }

    /// The operations that build read models anew, from now on seen by this one and its clones.
    #[must_use]
    pub fn operations(&self) -> Operations {
        let place = self.directory.place();
        Operations::new(place.store, &place.group)
    }

    /// The version of the projection's code in this process.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn version(&self, projection: &str) -> Result<u32, ReadError> {
        Ok(self.model(projection)?.1.version)
    }

    /// A row, if it exists and was not deleted. Its revision is the stream's version when the row is fed by one stream.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or the rows cannot be read.
    pub async fn get(&self, projection: &str, key: &str) -> Result<Option<StoredRow>, ReadError> {
        Ok(self.find(projection, key).await?.row)
    }

    /// The same with the generation that answered. A revision alone would not tell rows of two generations apart.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn find(&self, projection: &str, key: &str) -> Result<Found, ReadError> {
        let mut wanted = Wanted::default();
        wanted.rows.insert(key.to_owned());
        let mut live = self.live(projection).await?;
        loop {
            match self.rows.load(&live, &wanted).await {
                Ok(loaded) => {
                    let row = loaded.rows.into_iter().find(|row| row.fields.is_some());
                    return Ok(Found { generation: live.number, row });
                }
                Err(error) => live = self.moved_on(projection, &live, error).await?,
            }
        }
    }

    /// A page of rows, by key. A cursor belongs to one generation: after another was promoted, a list begins again.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown, the limit is not allowed or the rows cannot be read.
    pub async fn list(&self, projection: &str, list: &List) -> Result<RowPage, ReadError> {
        let mut live = self.live(projection).await?;
        loop {
            match self.rows.list(&live, list).await {
                Ok(page) => return Ok(page),
                Err(error) => live = self.moved_on(projection, &live, error).await?,
            }
        }
    }

    /// The indexes of a projection: the names of the fields that it declares with `index(…)`.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn indexes(&self, projection: &str) -> Result<&'static [&'static str], ReadError> {
        Ok(self.model(projection)?.1.indexes)
    }

    /// The categories of the streams that a projection reads.
    ///
    /// # Errors
    /// [`ReadError::UnknownProjection`].
    pub fn categories(&self, projection: &str) -> Result<&[&'static str], ReadError> {
        Ok(&self.model(projection)?.1.categories)
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
        let (_, model) = self.model(projection)?;
        if !model.indexes.contains(&query.index.as_str()) {
            let known = if model.indexes.is_empty() { "none".to_owned() } else { model.indexes.join(", ") };
            let (projection, index) = (projection.to_owned(), query.index.clone());
            return Err(ReadError::UnknownIndex { projection, index, known });
        }
        let mut live = self.live(projection).await?;
        loop {
            match self.rows.query(&live, query).await {
                Ok(page) => return Ok(page),
                Err(error) => live = self.moved_on(projection, &live, error).await?,
            }
        }
    }

    /// The version of a stream that the projection applied last.
    ///
    /// # Errors
    /// [`ReadError`] when the projection is unknown or does not read the stream, or the rows cannot be read.
    pub async fn applied(&self, projection: &str, stream: &StreamName) -> Result<Version, ReadError> {
        let model = self.model_reading(projection, stream)?;
        let mut live = self.live(projection).await?;
        loop {
            match self.rows.load(&live, &model.wanted(stream)).await {
                Ok(loaded) => return Ok(model.version(&loaded)),
                Err(error) => live = self.moved_on(projection, &live, error).await?,
            }
        }
    }

    /// The generation that answers.
    pub(crate) async fn live(&self, projection: &str) -> Result<Generation, ReadError> {
        Ok(self.generations(projection).await?.live())
    }

    /// The generation that answers now, if it is another than the one that gave an error: that one may be dropped by now.
    pub(crate) async fn moved_on(
        &self,
        projection: &str,
        was: &Generation,
        error: RowError,
    ) -> Result<Generation, ReadError> {
        let (name, model) = self.model(projection)?;
        let now = self.directory.look(name, model.version).await?.live();
        if now == *was { Err(error.into()) } else { Ok(now) }
    }

    pub(crate) fn model(&self, name: &str) -> Result<(&'static str, &Model), ReadError> {
        self.models.get_key_value(name).map(|(name, model)| (*name, model)).ok_or_else(|| {
            ReadError::UnknownProjection {
                name: name.to_owned(),
                known: self.names().collect::<Vec<_>>().join(", "),
            }
        })
    }

    pub(crate) fn model_reading(&self, projection: &str, stream: &StreamName) -> Result<&Model, ReadError> {
        let (_, model) = self.model(projection)?;
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
