//! Writes of one item: PutItem of a row, UpdateItem of a version.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use headwater_aws::Attempts;
use headwater_projections::VersionWrite;
use headwater_projections::rows::{RowError, Written};

use super::error::write_error;
use super::layout::{Item, KEY, text_in};
use super::store::DynamoRows;
use super::write::{Guard, VersionUpdate, pause};
use super::{limits, row, stream};

impl DynamoRows {
    /// Puts a row. 1 request, 1 write unit for each KB.
    pub(super) async fn put_row(&self, table: &str, item: Item, guard: Guard) -> Result<Written, RowError> {
        let attempted = || format!("write row {:?}", text_in(&item, KEY).unwrap_or_default());
        let attempts = Attempts::default();
        for again in 0..limits::CONFLICT_TRIES {
            let request = self
                .client
                .put_item()
                .table_name(table)
                .set_item(Some(item.clone()))
                .condition_expression(guard.condition)
                .set_expression_attribute_names(Some(guard.names.clone()))
                .set_expression_attribute_values(guard.values.clone())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .set_return_consumed_capacity(self.capacity.clone());
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(Written::Done),
                Err(error) => error,
            };
            match error {
                SdkError::ServiceError(failed) => match failed.err() {
                    PutItemError::TransactionConflictException(_) => pause(again).await,
                    PutItemError::ConditionalCheckFailedException(refusal) => {
                        let there = refusal.item().filter(|_| attempts.maybe_done());
                        return Ok(if there.is_some_and(|there| is_ours(there, &item)) {
                            Written::Done
                        } else {
                            Written::Lost
                        });
                    }
                    _ => {
                        let error = SdkError::ServiceError(failed);
                        return Err(write_error(error, attempted(), table, attempts.maybe_done()));
                    }
                },
                error => return Err(write_error(error, attempted(), table, attempts.maybe_done())),
            }
        }
        Err(in_the_way(attempted(), &attempts))
    }

    /// Sets the version of a stream. 1 request, 1 write unit.
    pub(super) async fn set_version(
        &self,
        table: &str,
        version: &VersionWrite,
        guard: &Guard,
    ) -> Result<Written, RowError> {
        let attempted = || format!("write the version of {}", version.stream);
        let attempts = Attempts::default();
        for again in 0..limits::CONFLICT_TRIES {
            let VersionUpdate { key, update, names, values } = VersionUpdate::of(version, guard);
            let request = self
                .client
                .update_item()
                .table_name(table)
                .set_key(Some(key))
                .update_expression(update)
                .condition_expression(guard.condition)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(Some(values))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .set_return_consumed_capacity(self.capacity.clone());
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(Written::Done),
                Err(error) => error,
            };
            match error {
                SdkError::ServiceError(failed) => match failed.err() {
                    UpdateItemError::TransactionConflictException(_) => pause(again).await,
                    UpdateItemError::ConditionalCheckFailedException(refusal) => {
                        let there = refusal.item().filter(|_| attempts.maybe_done());
                        let there = there.map(stream::version).transpose()?.flatten();
                        return Ok(if there == Some(version.version) {
                            Written::Done
                        } else {
                            Written::Lost
                        });
                    }
                    _ => {
                        let error = SdkError::ServiceError(failed);
                        return Err(write_error(error, attempted(), table, attempts.maybe_done()));
                    }
                },
                error => return Err(write_error(error, attempted(), table, attempts.maybe_done())),
            }
        }
        Err(in_the_way(attempted(), &attempts))
    }
}

/// Transactions of others were in the way until the last try.
pub(super) fn in_the_way(attempted: String, attempts: &Attempts) -> RowError {
    if attempts.maybe_done() {
        let source = "an answer was lost, and then transactions were in the way".into();
        return RowError::Unavailable { attempted, source };
    }
    RowError::Overloaded { reason: format!("transactions are in the way of the attempt to {attempted}") }
}

/// Whether a row that is there is what was to be written. DynamoDB writes numbers in its own way, so rows are compared.
fn is_ours(there: &Item, wanted: &Item) -> bool {
    match (row::decode(there), row::decode(wanted)) {
        (Ok(there), Ok(wanted)) => there == wanted,
        _ => false,
    }
}
