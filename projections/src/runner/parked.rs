//! Parked streams of a projection or a reactor: page by page, and by the error at which they fail.

use std::sync::Arc;

use headwater::StreamName;

use super::status::Control;
use crate::rows::{Generation, MAX_PAGE_ROWS};
use crate::{Parked, ParkedGroups, ReadError, RowStore};

/// Most parked streams that are looked at to group them.
pub const MAX_GROUPED_STREAMS: usize = 100 * MAX_PAGE_ROWS;

impl Control {
    /// Streams that a projection or a reactor cannot apply for now, by name, at most `limit` after a stream.
    ///
    /// # Errors
    /// [`ReadError`] when it is unknown, the limit is not allowed or the rows cannot be read.
    pub async fn parked(
        &self,
        name: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, ReadError> {
        let (rows, generation) = self.rows_of(name).await?;
        Ok(rows.parked(&generation, after, limit).await?)
    }

    /// The same by fingerprint of their error, at most [`MAX_GROUPED_STREAMS`] of them.
    ///
    /// # Errors
    /// [`ReadError`] when it is unknown or the rows cannot be read.
    ///
    /// # Cost
    /// Every record is read, a page at a time.
    pub async fn parked_groups(&self, name: &str) -> Result<ParkedGroups, ReadError> {
        let (rows, generation) = self.rows_of(name).await?;
        let mut parked = Vec::new();
        let complete = each_parked(rows.as_ref(), &generation, |record| parked.push(record)).await?;
        Ok(ParkedGroups::of(name, parked, complete))
    }

    /// Where its records are: beside the generation that answers.
    async fn rows_of(&self, name: &str) -> Result<(Arc<dyn RowStore>, Generation), ReadError> {
        let (kind, generations) = self.generations_of(name).await?;
        let handler = kind.handler(generations.live);
        let (rows, _) = handler.rows();
        Ok((Arc::clone(rows), generations.live()))
    }
}

/// Looks at parked streams by name, and tells whether it looked at all of them.
pub(super) async fn each_parked(
    rows: &dyn RowStore,
    generation: &Generation,
    mut see: impl FnMut(Parked),
) -> Result<bool, ReadError> {
    let (mut looked, mut after) = (0, None);
    while looked < MAX_GROUPED_STREAMS {
        let page = rows.parked(generation, after.as_ref(), MAX_PAGE_ROWS).await?;
        let Some(last) = page.last() else { return Ok(true) };
        (looked, after) = (looked + page.len(), Some(last.stream.clone()));
        page.into_iter().for_each(&mut see);
    }
    Ok(false)
}
