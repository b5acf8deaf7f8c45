//! Parked streams, and what was ordered about them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use headwater::{CommitId, StreamName, Version};
use headwater_aws::Attempts;
use headwater_projections::rows::cursor::Scope;
use headwater_projections::rows::{AuditPage, Direction, Generation, List, RowError, Written, check_limit};
use headwater_projections::{AuditEntry, Parked};

use super::error::{corrupt, write_error};
use super::layout::{
    AUDIT, FIRST_FAILING, JSON, KEY, PARKED_BUCKET, PARKED_INDEX, PARTITION, buckets, item_key, number,
    stream_key, text, text_in,
};
use super::pages::{Page, Source, Span};
use super::query::key_of;
use super::single::in_the_way;
use super::store::DynamoRows;
use super::write::pause;
use super::{limits, stream};

/// Holds when the record to be kept is over the one that is there in everything; see [`Parked::over`].
const OVER: &str = "attribute_not_exists(#p0) OR (#p1 <= :p1 AND (#p0 < :p0 OR (#p0 = :p0 AND #p2 <= :p2)))";

impl DynamoRows {
    /// Keeps the record of a parked stream. 1 UpdateItem; 1 write unit, and 1 for the index when it was not parked.
    pub(super) async fn park_stream(&self, table: &str, parked: &Parked) -> Result<(), RowError> {
        let attempted = || format!("park stream {}", parked.stream);
        let attempts = Attempts::default();
        let mut record = parked.clone();
        for again in 0..limits::PARK_TRIES {
            let mut request = self
                .client
                .update_item()
                .table_name(table)
                .set_key(Some(stream_key(&record.stream)))
                .update_expression("SET #p0 = :p0, #p1 = :p1, #p2 = :p2, #p3 = :p3, #p4 = :p4")
                .condition_expression(OVER)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .set_return_consumed_capacity(self.capacity.clone());
            for (place, (name, value)) in stream::PARKED.into_iter().zip(stream::encode(&record)).enumerate()
            {
                request = request.expression_attribute_names(format!("#p{place}"), name);
                request = request.expression_attribute_values(format!(":p{place}"), value);
            }
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::TransactionConflictException(_)) => {}
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    let before = refusal.item().map(stream::parked).transpose()?.flatten();
                    match parked.over(before.as_ref()) {
                        Some(over) => record = over,
                        None => return Ok(()),
                    }
                }
                _ => return Err(write_error(error, attempted(), table, attempts.maybe_done())),
            }
            pause(again).await;
        }
        Err(in_the_way(attempted(), &attempts))
    }

    /// Takes out the record of a parked stream. 1 UpdateItem; 1 write unit, and 1 for the index.
    pub(super) async fn unpark_stream(
        &self,
        table: &str,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        let attempted = || format!("take stream {stream} out of the parked ones");
        let attempts = Attempts::default();
        for again in 0..limits::CONFLICT_TRIES {
            let mut request = self
                .client
                .update_item()
                .table_name(table)
                .set_key(Some(stream_key(stream)))
                .update_expression("REMOVE #p0, #p1, #p2, #p3, #p4")
                .condition_expression("#p0 = :f")
                .expression_attribute_values(":f", number(first_failing.0))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .set_return_consumed_capacity(self.capacity.clone());
            for (place, name) in stream::PARKED.into_iter().enumerate() {
                request = request.expression_attribute_names(format!("#p{place}"), name);
            }
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(Written::Done),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::TransactionConflictException(_)) => pause(again).await,
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    // An earlier try may have taken it out: then the item is there, and the record is not.
                    let gone = refusal.item().is_some_and(|item| !item.contains_key(FIRST_FAILING));
                    return Ok(if gone && attempts.maybe_done() { Written::Done } else { Written::Lost });
                }
                _ => return Err(write_error(error, attempted(), table, attempts.maybe_done())),
            }
        }
        Err(in_the_way(attempted(), &attempts))
    }

    pub(super) async fn parked_streams(
        &self,
        table: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        check_limit(limit)?;
        let mut after = after.map(|stream| stream.as_str().to_owned());
        for _ in 0..limits::PAGE_ROUNDS {
            let source = Source {
                table,
                index: Some(PARKED_INDEX),
                partition: PARKED_BUCKET,
                sort: KEY,
                partitions: buckets().collect(),
                span: after.map_or(Span::All, Span::After),
                direction: Direction::Ascending,
                live: false,
            };
            let Page { items, place } = self.page(&source, limit).await?;
            let items = self.items(table, items.iter().map(key_of).collect()).await?;
            let parked = items.iter().filter_map(|item| stream::parked(item).transpose());
            let mut parked: Vec<Parked> = parked.collect::<Result<_, _>>()?;
            // Whoever pages takes an empty page for the end. It is not, if only all of these were just taken out.
            let Some(place) = place.filter(|_| parked.is_empty()) else {
                parked.sort_unstable_by(|one, other| one.stream.cmp(&other.stream));
                return Ok(parked);
            };
            after = Some(String::from_utf8_lossy(&place).into_owned());
        }
        let reason = format!("the index of parked streams of table {table} is far behind");
        Err(RowError::Overloaded { reason })
    }

    /// Keeps an audit entry. 1 PutItem, 1 write unit for each KB.
    pub(super) async fn keep_audit(&self, table: &str, entry: &AuditEntry) -> Result<(), RowError> {
        entry.check()?;
        let json = serde_json::to_string(entry).expect("texts, numbers and a time are JSON");
        // Ordered by time, also before 1970, and apart from others of the same time.
        let time = entry.at.as_microsecond().cast_unsigned() ^ (1 << 63);
        let mut item = item_key(AUDIT.to_owned(), &format!("{time:020}-{}", CommitId::new()));
        item.insert(JSON.to_owned(), text(json));
        let request = self.client.put_item().table_name(table).set_item(Some(item));
        let answer = request.set_return_consumed_capacity(self.capacity.clone()).send().await;
        // Sent again, it is the same item.
        answer.map(drop).map_err(|error| write_error(error, "keep an audit entry".to_owned(), table, false))
    }

    pub(super) async fn list_audits(
        &self,
        generation: &Generation,
        list: &List,
    ) -> Result<AuditPage, RowError> {
        check_limit(list.limit)?;
        let scope = Scope::audit(generation);
        let source = Source {
            table: &self.config.table(generation),
            index: None,
            partition: PARTITION,
            sort: KEY,
            partitions: vec![AUDIT.to_owned()],
            span: Span::after(&scope, list.after.as_deref())?,
            direction: Direction::Descending,
            live: false,
        };
        let page = self.page(&source, list.limit).await?;
        let entries = page.items.iter().map(|item| {
            let read = item.get(JSON).and_then(|json| AttributeValue::as_s(json).ok());
            let read = read.and_then(|json| serde_json::from_str(json).ok());
            read.ok_or_else(|| corrupt(text_in(item, KEY).unwrap_or_default(), "it is no audit entry"))
        });
        let entries = entries.collect::<Result<_, _>>()?;
        Ok(AuditPage { entries, next: page.place.map(|place| scope.cursor(&place)) })
    }
}
