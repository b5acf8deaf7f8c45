//! The records of writers in the control table. This page is the documentation of their layout.
//!
//! | name | type | content |
//! |---|---|---|
//! | `g` | S | `#writers`; partition key |
//! | `k` | S | the writer, 16 hexadecimal digits; sort key |
//! | `c` | N | a counter that moves with every save and every claim |
//! | `m` | L of N | the mark of each lane |
//! | `p` | N | passes that were claimed since the writer stopped moving; not there while it lives |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use headwater_aws::{Failure, control, failure};

use super::{WRITERS, limits};

const COUNTER: &str = "c";
const MARKS: &str = "m";
const PASSES: &str = "p";

/// The control table, as far as it is about writers.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    client: Client,
    table: String,
}

/// The record of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) writer: String,
    pub(crate) counter: u64,
    pub(crate) marks: Vec<u64>,
    /// None while the writer lives.
    pub(crate) passes: u32,
}

/// What came of saving marks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// They are saved; the counter of the record.
    Yes(u64),
    /// Another process has taken this writer for dead.
    TakenOver,
}

type Item = HashMap<String, AttributeValue>;

impl Book {
    pub(crate) fn new(client: Client, prefix: &str) -> Self {
        Self { client, table: control::table(prefix).name }
    }

    /// Makes the record of a new writer, before its first commit. `false` when there is one of this name.
    pub(crate) async fn register(&self, writer: &str, lanes: usize) -> Result<bool, Failure> {
        let mut item = self.key(writer);
        item.insert(COUNTER.to_owned(), number(1));
        item.insert(MARKS.to_owned(), marks(&vec![0; lanes]));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = request.condition_expression(format!("attribute_not_exists({})", control::GROUP));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.failed(error, format!("register writer {writer}"))),
        }
    }

    /// Saves marks, if the record still has this counter and the writer is not taken for dead.
    pub(crate) async fn save(&self, writer: &str, counter: u64, values: &[u64]) -> Result<Saved, Failure> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.key(writer)))
            .update_expression(format!("SET {COUNTER} = :next, {MARKS} = :marks"))
            .condition_expression(format!("{COUNTER} = :counter AND attribute_not_exists({PASSES})"))
            .expression_attribute_values(":counter", number(counter))
            .expression_attribute_values(":next", number(counter + 1))
            .expression_attribute_values(":marks", marks(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match request.send().await {
            Ok(_) => return Ok(Saved::Yes(counter + 1)),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                // Nobody but the writer moves the counter of a record without passes: it was an earlier try whose
                // answer was lost. Its marks were lower, which is safe; the next save raises them.
                let found = failed.item.clone().and_then(record).filter(|record| record.passes == 0);
                Ok(found.map_or(Saved::TakenOver, |record| Saved::Yes(record.counter)))
            }
            _ => Err(self.failed(error, format!("save the marks of writer {writer}"))),
        }
    }

    /// The records of all writers.
    pub(crate) async fn writers(&self) -> Result<Vec<Record>, Failure> {
        let mut records = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression(format!("{} = :g", control::GROUP))
                .expression_attribute_values(":g", AttributeValue::S(WRITERS.to_owned()))
                .limit(limits::PAGE_WRITERS)
                .set_exclusive_start_key(start);
            let answer = request.send().await;
            let answer = answer.map_err(|error| self.failed(error, "list writers".to_owned()))?;
            records.extend(answer.items.unwrap_or_default().into_iter().filter_map(record));
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(records);
            }
        }
    }

    /// Claims the next pass over what a writer left, if its record is as it was seen. Gives the record after it.
    pub(crate) async fn claim(&self, seen: &Record) -> Result<Option<Record>, Failure> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(self.key(&seen.writer)))
            .update_expression(format!("SET {COUNTER} = :next, {PASSES} = :passes"))
            .condition_expression(format!("{COUNTER} = :counter"))
            .expression_attribute_values(":counter", number(seen.counter))
            .expression_attribute_values(":next", number(seen.counter + 1))
            .expression_attribute_values(":passes", number(u64::from(seen.passes + 1)));
        let claimed = || Record { counter: seen.counter + 1, passes: seen.passes + 1, ..seen.clone() };
        match request.send().await {
            Ok(_) => Ok(Some(claimed())),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed(error, format!("claim a pass over writer {}", seen.writer))),
        }
    }

    /// Removes a record, if it still has this counter.
    pub(crate) async fn remove(&self, writer: &str, counter: u64) -> Result<(), Failure> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(self.key(writer)))
            .condition_expression(format!("{COUNTER} = :counter"))
            .expression_attribute_values(":counter", number(counter));
        match request.send().await {
            Ok(_) => Ok(()),
            // Somebody else is at it: then it is theirs to remove.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed(error, format!("remove writer {writer}"))),
        }
    }

    fn key(&self, writer: &str) -> Item {
        HashMap::from([
            (control::GROUP.to_owned(), AttributeValue::S(WRITERS.to_owned())),
            (control::KEY.to_owned(), AttributeValue::S(writer.to_owned())),
        ])
    }

    fn failed<E>(&self, error: SdkError<E, HttpResponse>, attempted: String) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        failure(error, attempted, &format!("table {}", self.table))
    }
}

/// The record of an item; nothing when it is of another kind.
fn record(mut item: Item) -> Option<Record> {
    let AttributeValue::S(writer) = item.remove(control::KEY)? else { return None };
    let AttributeValue::L(marks) = item.remove(MARKS)? else { return None };
    let marks = marks.iter().map(read).collect::<Option<_>>()?;
    let counter = read(item.get(COUNTER)?)?;
    let passes = item.get(PASSES).map_or(Some(0), read)?;
    Some(Record { writer, counter, marks, passes: u32::try_from(passes).ok()? })
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn marks(values: &[u64]) -> AttributeValue {
    AttributeValue::L(values.iter().copied().map(number).collect())
}

fn read(value: &AttributeValue) -> Option<u64> {
    value.as_n().ok()?.parse().ok()
}
