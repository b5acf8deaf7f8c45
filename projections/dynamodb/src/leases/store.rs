//! The lease store: one Query to look, one conditional write to act.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use headwater_aws::control::{self, GROUP};
use headwater_aws::tables::Table;
use headwater_aws::{Failure, Settings, failure};
use headwater_projections::LeaseStore;
use headwater_projections::group::{Item, ItemKey, Items, LeaseError, Saved};

use super::item::{self, Attributes, COUNTER};
use super::limits::PAGES;

/// Leases in the table `{prefix}-control`, which [`table`](Self::table) describes.
///
/// # Cost
/// A worker looks twice a second: 1 RCU for every 4 KB of its group, which is about 20 leases. It writes 1 WCU every
/// 2 s for each lease it holds, and one to show that it is alive.
#[derive(Debug, Clone)]
pub struct DynamoLeases {
    client: Client,
    table: String,
}

impl DynamoLeases {
    /// A lease store on the control table of a prefix. It sends nothing.
    #[must_use]
    pub fn new(client: &Client, prefix: &str) -> Self {
        Self { client: Settings::bookkeeping().dynamodb(client), table: Self::table(prefix).name }
    }

    /// The table as it should be; make it with [`Table::apply`].
    #[must_use]
    pub fn table(prefix: &str) -> Table {
        control::table(prefix)
    }

    fn resource(&self) -> String {
        format!("table {}", self.table)
    }

    fn lost(there: Option<Attributes>) -> Saved {
        Saved::Lost(there.and_then(|there| item::decode(&there).ok()).map(Box::new))
    }
}

/// Whoever asks a lease store tries again, whatever happened.
fn unavailable(failure: Failure, attempted: &str) -> LeaseError {
    match failure {
        Failure::Busy { reason } => {
            LeaseError::Unavailable { attempted: attempted.to_owned(), source: reason.into() }
        }
        Failure::Unavailable { attempted, source } | Failure::Lost { attempted, source } => {
            LeaseError::Unavailable { attempted, source }
        }
    }
}

#[async_trait]
impl LeaseStore for DynamoLeases {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        let attempted = format!("list the leases of group {group}");
        let (mut items, mut start) = (Items::default(), None);
        for _ in 0..PAGES {
            let request = self.client.query().table_name(&self.table).consistent_read(true);
            let request = request
                .key_condition_expression(format!("{GROUP} = :g"))
                .expression_attribute_values(":g", AttributeValue::S(group.to_owned()))
                .set_exclusive_start_key(start);
            let page = request.send().await.map_err(|error| {
                unavailable(failure(error, attempted.clone(), &self.resource()), &attempted)
            })?;
            for attributes in page.items() {
                match item::decode(attributes) {
                    Ok(item) => items.insert(item),
                    Err((name, reason)) => drop(items.unreadable.insert(name, reason)),
                }
            }
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(items);
            }
        }
        let source = format!("the group has more than {PAGES} pages of items: use several groups").into();
        Err(LeaseError::Unavailable { attempted, source })
    }

    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request.set_item(Some(item::encode(group, item)));
        let request = match counter {
            None => request.condition_expression(format!("attribute_not_exists({GROUP})")),
            Some(counter) => request
                .condition_expression(format!("{COUNTER} = :c"))
                .expression_attribute_values(":c", AttributeValue::N(counter.to_string())),
        };
        let request =
            request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match request.send().await {
            Ok(_) => return Ok(Saved::Done),
            Err(error) => error,
        };
        if let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
            return Ok(Self::lost(failed.item().cloned()));
        }
        let attempted = format!("save {} of group {group}", item.key());
        Err(unavailable(failure(error, attempted.clone(), &self.resource()), &attempted))
    }

    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request
            .set_key(Some(item::key(group, key)))
            .condition_expression(format!("attribute_not_exists({GROUP}) OR {COUNTER} = :c"))
            .expression_attribute_values(":c", AttributeValue::N(counter.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match request.send().await {
            Ok(_) => return Ok(Saved::Done),
            Err(error) => error,
        };
        if let Some(DeleteItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
            return Ok(Self::lost(failed.item().cloned()));
        }
        let attempted = format!("delete {key} of group {group}");
        Err(unavailable(failure(error, attempted.clone(), &self.resource()), &attempted))
    }
}
