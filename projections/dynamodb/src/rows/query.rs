//! Rows by key and by index.
//!
//! An index holds keys only, so a write costs more only when the indexed value changes. Its partitions are buckets of
//! the value: one value is one partition and one Query, a range is one for each bucket, merged. The rows are then loaded,
//! strongly consistent, and shown only if they still have the value under which they were found.

use std::collections::HashMap;

use headwater_projections::rows::cursor::Scope;
use headwater_projections::rows::index::Entry;
use headwater_projections::rows::{
    Direction, Generation, List, Query, RowError, RowPage, StoredRow, check_limit,
};
use serde_json::Value;

use super::fields::Fields;
use super::layout::{Item, KEY, PARTITION, bucket, buckets, item_key, row_partitions, text_in};
use super::pages::{Page, Source, Span, sort_key};
use super::shape::Indexed;
use super::store::DynamoRows;
use super::{limits, row};

impl DynamoRows {
    pub(super) async fn list_rows(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        check_limit(list.limit)?;
        let scope = Scope::keys(generation);
        let source = Source {
            table: &self.config.table(generation),
            index: None,
            partition: PARTITION,
            sort: KEY,
            partitions: row_partitions(),
            span: Span::after(&scope, list.after.as_deref())?,
            direction: Direction::Ascending,
            live: true,
        };
        let page = self.page(&source, list.limit).await?;
        let rows = page.items.iter().map(row::decode).collect::<Result<_, _>>()?;
        Ok(RowPage { rows, next: page.place.map(|place| scope.cursor(&place)) })
    }

    pub(super) async fn query_rows(
        &self,
        generation: &Generation,
        query: &Query,
    ) -> Result<RowPage, RowError> {
        check_limit(query.limit)?;
        let scope = Scope::index(generation, &query.index, query.direction);
        let mut entries = query.range.entries()?;
        let place = query.after.as_deref().map(|cursor| scope.place(cursor)).transpose()?;
        let shape = self.shape(generation).await?;
        let index = shape.index(generation, &query.index)?;
        match (place, query.direction) {
            // The first bytes behind a place are the place and a 0.
            (Some(place), Direction::Ascending) => entries.from = entries.from.max([place, vec![0]].concat()),
            (Some(place), Direction::Descending) => entries.until = entries.until.min(place),
            (None, _) => {}
        }
        if entries.from >= entries.until {
            return Ok(RowPage::default());
        }
        let source = Source {
            table: &shape.table,
            index: Some(&index.name),
            partition: &index.bucket,
            sort: &index.entry,
            partitions: query.range.value().map_or_else(|| buckets().collect(), |value| vec![bucket(&value)]),
            span: Span::Between(entries.from, entries.until),
            direction: query.direction,
            live: false,
        };
        let page = self.page(&source, query.limit).await?;
        let (rows, place) = self.found(&shape.table, index, query, page).await?;
        Ok(RowPage { rows, next: place.map(|place| scope.cursor(&place)) })
    }

    /// The rows of a page of an index, and where the next one starts.
    async fn found(
        &self,
        table: &str,
        index: &Indexed,
        query: &Query,
        page: Page,
    ) -> Result<(Vec<StoredRow>, Option<Vec<u8>>), RowError> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut looked = 0;
        for found in page.items.chunks(limits::BATCH_KEYS) {
            let items = self.items(table, found.iter().map(key_of).collect()).await?;
            let mut items: HashMap<String, Item> =
                items.into_iter().filter_map(|item| Some((text_in(&item, KEY)?.to_owned(), item))).collect();
            for entry in found {
                let Some(item) = text_in(entry, KEY).and_then(|key| items.remove(key)) else { continue };
                let row = row::decode(&item)?;
                if belongs(&row, sort_key(entry, &index.entry).as_deref(), query) {
                    bytes += row.fields.as_ref().map_or(0, bytes::Bytes::len);
                    rows.push(row);
                }
            }
            looked += found.len();
            if bytes > limits::PAGE_BYTES && looked < page.items.len() {
                return Ok((rows, found.last().and_then(|entry| sort_key(entry, &index.entry))));
            }
        }
        Ok((rows, page.place))
    }
}

impl Span {
    /// What comes after a cursor, for sort keys that are texts.
    pub(super) fn after(scope: &Scope<'_>, cursor: Option<&str>) -> Result<Self, RowError> {
        let Some(cursor) = cursor else { return Ok(Self::All) };
        let place = String::from_utf8(scope.place(cursor)?);
        place.map(Self::After).map_err(|_| RowError::Invalid { reason: "the cursor is broken".to_owned() })
    }
}

/// The key of the item that an entry of an index stands for.
pub(super) fn key_of(entry: &Item) -> Item {
    let text = |name| text_in(entry, name).unwrap_or_default();
    item_key(text(PARTITION).to_owned(), text(KEY))
}

/// Whether a row is still where the index had it, and is wanted.
fn belongs(row: &StoredRow, found_at: Option<&[u8]>, query: &Query) -> bool {
    let fields = row.fields.as_deref().and_then(|json| Fields::of(json).ok().flatten());
    let value: Option<Value> = fields.and_then(|fields| fields.value(&query.index));
    value.is_some_and(|value| {
        let entry = Entry::of(&value, &row.key);
        query.range.admits(&value) && entry.as_ref().map(Entry::bytes) == found_at
    })
}
