//! Writes of several items: one TransactWriteItems, and what the reasons mean when it is cancelled.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, TransactWriteItem, Update};
use headwater::CommitId;
use headwater_aws::Attempts;
use headwater_projections::rows::{RowError, Written};

use super::error::write_error;
use super::limits;
use super::single::in_the_way;
use super::store::DynamoRows;
use super::write::{Action, VersionUpdate, pause};

/// Codes of a transaction that may succeed when it is sent again.
const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

impl DynamoRows {
    /// Writes all or nothing. 1 request, 2 write units for each KB of each item.
    pub(super) async fn transact(&self, table: &str, actions: Vec<Action>) -> Result<Written, RowError> {
        let attempted = || format!("write {} rows and versions together", actions.len());
        let attempts = Attempts::default();
        let items: Vec<_> = actions.iter().map(|action| action.in_transaction(table)).collect();
        for again in 0..limits::CONFLICT_TRIES {
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                // It covers the SDK's own tries. One that was cancelled is over, and the next has a token of its own.
                .client_request_token(CommitId::new().to_string())
                .set_return_consumed_capacity(self.capacity.clone());
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(Written::Done),
                Err(error) => error,
            };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    cancelled.cancellation_reasons()
                }
                _ => return Err(write_error(error, attempted(), table, attempts.maybe_done())),
            };
            if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                return Ok(Written::Lost);
            }
            let reason = reasons.iter().find(|reason| reason.code().is_some_and(|code| code != "None"));
            let code = reason.and_then(CancellationReason::code).unwrap_or("no reason given");
            if !PASSING.contains(&code) {
                let message = reason.and_then(CancellationReason::message).unwrap_or("no message");
                let reason = format!("DynamoDB cancelled the attempt to {} ({code}: {message})", attempted());
                return Err(RowError::Unfit { reason });
            }
            pause(again).await;
        }
        Err(in_the_way(attempted(), &attempts))
    }
}

impl Action {
    fn in_transaction(&self, table: &str) -> TransactWriteItem {
        match self {
            Self::Row(item, guard) => {
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item.clone()))
                    .condition_expression(guard.condition)
                    .set_expression_attribute_names(Some(guard.names.clone()))
                    .set_expression_attribute_values(guard.values.clone());
                TransactWriteItem::builder().put(put.build().expect("table and item are given")).build()
            }
            Self::Version(version, guard) => {
                let VersionUpdate { key, update, names, values } = VersionUpdate::of(version, guard);
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(key))
                    .update_expression(update)
                    .condition_expression(guard.condition)
                    .set_expression_attribute_names(Some(names))
                    .set_expression_attribute_values(Some(values));
                let update = update.build().expect("table, key and expression are given");
                TransactWriteItem::builder().update(update).build()
            }
        }
    }
}
