//! The whole table, page by page. DynamoDB keeps the commits of a stream together, ordered by their first version, and
//! all of them in one segment.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::store::{Consistency, Invalid, Scan, ScanCursor, ScanPage};
use headwater::{StreamName, Version};
use headwater_aws::{Failure, failure};

use super::error::Fault;
use super::item::{self, FIRST, Item, STREAM};
use super::store::Ledger;

/// A place in a segment: the commit that was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    stream: StreamName,
    first: Version,
}

impl Cursor {
    /// The place a page starts after.
    pub(crate) fn parse(scan: &Scan) -> Result<Option<Self>, Invalid> {
        let Some(cursor) = &scan.after else { return Ok(None) };
        let place = cursor.0.split_once('@').and_then(|(first, stream)| {
            let first = first.parse().ok().filter(|first| *first > 0)?;
            Some(Self { stream: StreamName::parse(stream).ok()?, first: Version(first) })
        });
        place.map(Some).ok_or_else(|| Invalid::ScanCursor {
            cursor: cursor.to_string(),
            segment: scan.segment,
            segments: scan.segments,
        })
    }

    /// The first version goes first: it has no `@` in it, and a stream may.
    fn text(key: &Item) -> Option<ScanCursor> {
        let AttributeValue::S(stream) = key.get(STREAM)? else { return None };
        let AttributeValue::N(first) = key.get(FIRST)? else { return None };
        Some(ScanCursor(format!("{first}@{stream}").into()))
    }
}

impl Ledger {
    /// One page of a segment.
    ///
    /// # Cost
    /// 1 Scan of at most 1 MB; half a read unit for each 4 KB, twice that when strongly consistent.
    pub(crate) async fn scan(&self, scan: &Scan, after: Option<Cursor>) -> Result<ScanPage, Fault> {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let limit = i32::try_from(scan.limit.clamp(1, self.page_commits)).unwrap_or(i32::MAX);
        let request = self.table.client.scan().table_name(&self.table.name);
        let request = request
            .segment(number(scan.segment))
            .total_segments(number(scan.segments))
            .set_exclusive_start_key(after.map(|place| item::key(&place.stream, place.first)))
            .consistent_read(scan.consistency == Consistency::Strong)
            .limit(limit)
            .set_return_consumed_capacity(self.table.capacity.clone());
        let answer = request.send().await;
        let attempted = || format!("read segment {} of {} of the ledger", scan.segment, scan.segments);
        let answer = answer.map_err(|error| failure(error, attempted(), &self.table.resource()))?;
        let next = match answer.last_evaluated_key.filter(|key| !key.is_empty()) {
            None => None,
            Some(key) => Some(Cursor::text(&key).ok_or_else(|| self.foreign())?),
        };
        let mut commits = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let stream = match item.get(STREAM) {
                Some(AttributeValue::S(stream)) => StreamName::parse(stream).ok(),
                _ => None,
            };
            let stream = stream.ok_or_else(|| self.foreign())?;
            commits.push(Arc::new(item::decode(&stream, item)?));
        }
        Ok(ScanPage { commits, next })
    }

    /// An item that no ledger has written.
    fn foreign(&self) -> Fault {
        let reason = "an item has no name of a stream: somebody else writes to this table";
        Fault::Undone(Failure::Unavailable {
            attempted: format!("read {}", self.table.resource()),
            source: reason.into(),
        })
    }
}
