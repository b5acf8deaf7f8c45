//! Pages over several partitions: each is asked for its next items, and what they answer is merged by sort key.
//!
//! The rows of a page are spread over the partitions by a hash, so each is asked for little more than its share.

use std::collections::VecDeque;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use headwater_projections::rows::{Direction, MAX_PAGE_ROWS, RowError};

use super::error::read_error;
use super::fields::size_bytes;
use super::layout::{GONE, Item};
use super::limits;
use super::store::DynamoRows;

/// What is asked of each partition beyond its share: hashes are not fair to the item.
const BEYOND: usize = 2;

/// Items in the order of their sort key, over some partitions of a table or an index.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) table: &'a str,
    pub(super) index: Option<&'a str>,
    /// The attribute that is the partition key.
    pub(super) partition: &'a str,
    /// The attribute that is the sort key.
    pub(super) sort: &'a str,
    pub(super) partitions: Vec<String>,
    pub(super) span: Span,
    pub(super) direction: Direction,
    /// Whether rows without fields are passed over.
    pub(super) live: bool,
}

/// The sort keys that are wanted.
#[derive(Debug)]
pub(super) enum Span {
    /// All.
    All,
    /// Those that come after this one, in the direction.
    After(String),
    /// From the first to before the second.
    Between(Vec<u8>, Vec<u8>),
}

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// How far it looked, when there may be more.
    pub(super) place: Option<Vec<u8>>,
}

/// What is known of one partition.
#[derive(Debug)]
struct Lane {
    partition: String,
    next: VecDeque<(Vec<u8>, Item)>,
    /// Where DynamoDB goes on, and the sort key of that.
    rest: Option<(Item, Vec<u8>)>,
    begun: bool,
}

impl Lane {
    fn is_hungry(&self) -> bool {
        self.next.is_empty() && !self.is_read()
    }

    fn is_read(&self) -> bool {
        self.begun && self.rest.is_none()
    }
}

impl DynamoRows {
    /// A page of at most `limit` items.
    ///
    /// # Cost
    /// 1 Query for each partition, more when it has more than its share.
    pub(super) async fn page(&self, source: &Source<'_>, limit: usize) -> Result<Page, RowError> {
        let lane = |partition: &String| Lane {
            partition: partition.clone(),
            next: VecDeque::new(),
            rest: None,
            begun: false,
        };
        let mut lanes: Vec<Lane> = source.partitions.iter().map(lane).collect();
        let mut ask = limit.div_ceil(lanes.len().max(1)) + BEYOND;
        let (mut items, mut bytes, mut rounds) = (Vec::new(), 0, 0);
        loop {
            if lanes.iter().any(Lane::is_hungry) {
                if rounds == limits::PAGE_ROUNDS {
                    return Ok(Page { items, place: looked(&lanes, source.direction) });
                }
                rounds += 1;
                let hungry = lanes.iter_mut().filter(|lane| lane.is_hungry());
                try_join_all(hungry.map(|lane| self.feed(source, lane, ask))).await?;
                ask = (ask * 2).min(MAX_PAGE_ROWS);
                continue;
            }
            let heads = lanes.iter_mut().filter(|lane| !lane.next.is_empty());
            let sort = |lane: &&mut Lane| lane.next.front().map(|(sort, _)| sort.clone());
            let first = match source.direction {
                Direction::Ascending => heads.min_by_key(sort),
                Direction::Descending => heads.max_by_key(sort),
            };
            let Some((sort, item)) = first.and_then(|lane| lane.next.pop_front()) else {
                return Ok(Page { items, place: None });
            };
            bytes += size_bytes(&item);
            items.push(item);
            if items.len() == limit || bytes > limits::PAGE_BYTES {
                let more = lanes.iter().any(|lane| !lane.is_read() || !lane.next.is_empty());
                return Ok(Page { items, place: more.then_some(sort) });
            }
        }
    }

    /// Asks a partition for more.
    async fn feed(&self, source: &Source<'_>, lane: &mut Lane, ask: usize) -> Result<(), RowError> {
        let (condition, bounds) = source.span.condition(source.direction);
        let start = lane.rest.take().map(|(start, _)| start);
        let mut request = self
            .client
            .query()
            .table_name(source.table)
            .set_index_name(source.index.map(str::to_owned))
            .key_condition_expression(format!("#p = :p{condition}"))
            .expression_attribute_names("#p", source.partition)
            .expression_attribute_values(":p", AttributeValue::S(lane.partition.clone()))
            .scan_index_forward(source.direction == Direction::Ascending)
            .consistent_read(source.index.is_none())
            .limit(i32::try_from(ask).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .set_return_consumed_capacity(self.capacity.clone());
        if !bounds.is_empty() {
            request = request.expression_attribute_names("#s", source.sort);
        }
        for (name, value) in bounds {
            request = request.expression_attribute_values(name, value);
        }
        if source.live {
            request = request.filter_expression("attribute_not_exists(#d)");
            request = request.expression_attribute_names("#d", GONE);
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| read_error(error, "read a page".to_owned(), source.table))?;
        lane.begun = true;
        lane.rest = answer.last_evaluated_key.and_then(|rest| {
            let sort = sort_key(&rest, source.sort)?;
            Some((rest, sort))
        });
        let items = answer.items.unwrap_or_default().into_iter();
        let items = items.filter_map(|item| Some((sort_key(&item, source.sort)?, item)));
        lane.next.extend(items.filter(|(sort, _)| source.span.holds(sort)));
        Ok(())
    }
}

/// How far all of the partitions were looked through.
fn looked(lanes: &[Lane], direction: Direction) -> Option<Vec<u8>> {
    let places =
        lanes.iter().filter_map(|lane| Some(&lane.rest.as_ref().filter(|_| lane.next.is_empty())?.1));
    match direction {
        Direction::Ascending => places.min().cloned(),
        Direction::Descending => places.max().cloned(),
    }
}

impl Span {
    fn condition(&self, direction: Direction) -> (&'static str, Vec<(&'static str, AttributeValue)>) {
        match self {
            Self::All => ("", Vec::new()),
            Self::After(place) => {
                let place = vec![(":a", AttributeValue::S(place.clone()))];
                (if direction == Direction::Ascending { " AND #s > :a" } else { " AND #s < :a" }, place)
            }
            Self::Between(from, until) => {
                let bytes = |bytes: &Vec<u8>| AttributeValue::B(Blob::new(bytes.clone()));
                (" AND #s BETWEEN :a AND :b", vec![(":a", bytes(from)), (":b", bytes(until))])
            }
        }
    }

    /// DynamoDB takes the end of a range for a part of it.
    fn holds(&self, sort: &[u8]) -> bool {
        match self {
            Self::All | Self::After(_) => true,
            Self::Between(_, until) => sort < until.as_slice(),
        }
    }
}

/// The bytes of a sort key.
pub(super) fn sort_key(item: &Item, name: &str) -> Option<Vec<u8>> {
    match item.get(name)? {
        AttributeValue::S(text) => Some(text.as_bytes().to_vec()),
        AttributeValue::B(bytes) => Some(bytes.as_ref().to_vec()),
        _ => None,
    }
}
