//! The table and every read request that is sent to it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use headwater::store::Consistency;
use headwater::{Commit, StreamName, Version};

use headwater_aws::failure;

use super::error::Fault;
use super::item::{self, Item, Mark};

/// The table of a ledger and how it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
    /// Asks for the capacity units with every answer.
    pub(crate) capacity: Option<ReturnConsumedCapacity>,
}

/// Commits whose first version lies in a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) from: Version,
    pub(crate) until: Version,
    pub(crate) backward: bool,
    pub(crate) consistency: Consistency,
    pub(crate) limit: i32,
}

impl Range {
    /// The newest of the commits that start at or before a version, strongly consistent.
    pub(crate) fn newest(until: Version, limit: i32) -> Self {
        Self { from: Version(1), until, backward: true, consistency: Consistency::Strong, limit }
    }
}

impl Table {
    /// The table as errors name it.
    pub(crate) fn resource(&self) -> String {
        format!("table {}", self.name)
    }

    /// The commits of a range, and whether DynamoDB stopped before its end.
    ///
    /// # Cost
    /// 1 Query; half a read unit for each 4 KB, twice that when strongly consistent.
    pub(crate) async fn commits(
        &self,
        stream: &StreamName,
        range: Range,
    ) -> Result<(Vec<Commit>, bool), Fault> {
        let (items, more) = self.query(stream, range, None).await?;
        let commits = items.into_iter().map(|item| item::decode(stream, item));
        Ok((commits.collect::<Result<_, _>>()?, more))
    }

    /// Where the commits of a range end and whose they are. Billed as if they were read whole.
    pub(crate) async fn marks(&self, stream: &StreamName, range: Range) -> Result<(Vec<Mark>, bool), Fault> {
        let (items, more) = self.query(stream, range, Some(item::MARK)).await?;
        let marks = items.into_iter().map(|item| item::mark(stream, item));
        Ok((marks.collect::<Result<_, _>>()?, more))
    }

    /// The newest commit's mark, strongly consistent.
    pub(crate) async fn head(&self, stream: &StreamName) -> Result<Option<Mark>, Fault> {
        Ok(self.marks(stream, Range::newest(Version(u64::MAX), 1)).await?.0.into_iter().next())
    }

    /// The commit that starts at a version, strongly consistent.
    pub(crate) async fn commit_at(
        &self,
        stream: &StreamName,
        first: Version,
    ) -> Result<Option<Commit>, Fault> {
        let range = Range { from: first, ..Range::newest(first, 1) };
        Ok(self.commits(stream, range).await?.0.into_iter().next())
    }

    async fn query(
        &self,
        stream: &StreamName,
        range: Range,
        projection: Option<&str>,
    ) -> Result<(Vec<Item>, bool), Fault> {
        let version = |version: Version| AttributeValue::N(version.0.to_string());
        let request = self.client.query().table_name(&self.name);
        let request = request
            .key_condition_expression(format!("{} = :s AND {} BETWEEN :a AND :b", item::STREAM, item::FIRST))
            .expression_attribute_values(":s", AttributeValue::S(stream.as_str().to_owned()))
            .expression_attribute_values(":a", version(range.from))
            .expression_attribute_values(":b", version(range.until))
            .set_projection_expression(projection.map(str::to_owned))
            .scan_index_forward(!range.backward)
            .consistent_read(range.consistency == Consistency::Strong)
            .limit(range.limit)
            .set_return_consumed_capacity(self.capacity.clone());
        let answer = request.send().await;
        let answer = answer.map_err(|error| failure(error, format!("read {stream}"), &self.resource()))?;
        let more = answer.last_evaluated_key.is_some_and(|key| !key.is_empty());
        Ok((answer.items.unwrap_or_default(), more))
    }
}
