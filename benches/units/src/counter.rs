//! The interceptor that asks for capacity, and adds it up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_execute_statement::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput,
};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};
use serde::{Deserialize, Serialize};

/// Counts what passes. Clones are the same counter.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    counts: Arc<Mutex<Counts>>,
}

/// What passed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that were sent, each try of them.
    pub requests: u64,
    /// Of those that succeeded, by table.
    pub tables: BTreeMap<String, Used>,
}

/// What was used of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Requests that succeeded; one over several tables counts at each.
    pub requests: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units, those of indexes too.
    pub write_units: f64,
}

impl Counter {
    /// What passed since the last time.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.counts())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// The sum over the tables whose name has this in it.
    #[must_use]
    pub fn of(&self, part_of_name: &str) -> Used {
        let tables = self.tables.iter().filter(|(name, _)| name.contains(part_of_name));
        tables.fold(Used::default(), |sum, (_, used)| Used {
            requests: sum.requests + used.requests,
            read_units: sum.read_units + used.read_units,
            write_units: sum.write_units + used.write_units,
        })
    }
}

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "requests and capacity units"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        macro_rules! ask {
            ($($kind:ident),*) => {$(
                if let Some(input) = input.downcast_mut::<$kind>() {
                    input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
                }
            )*};
        }
        ask!(PutItemInput, UpdateItemInput, DeleteItemInput, GetItemInput, QueryInput, ScanInput);
        ask!(BatchExecuteStatementInput, BatchGetItemInput, TransactWriteItemsInput);
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.counts().requests += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let (mut read, mut written): (Vec<&ConsumedCapacity>, Vec<&ConsumedCapacity>) = (vec![], vec![]);
        macro_rules! of {
            ($into:ident: $($kind:ident),*) => {$(
                if let Some(output) = output.downcast_ref::<$kind>() {
                    $into.extend(output.consumed_capacity());
                }
            )*};
        }
        of!(read: GetItemOutput, QueryOutput, ScanOutput, BatchGetItemOutput);
        of!(written: PutItemOutput, UpdateItemOutput, DeleteItemOutput, TransactWriteItemsOutput);
        // Headwater sends statements that write, and no others.
        of!(written: BatchExecuteStatementOutput);
        let mut counts = self.counts();
        for (capacities, reads) in [(read, true), (written, false)] {
            for capacity in capacities {
                let table = capacity.table_name().unwrap_or_default().to_owned();
                let used = counts.tables.entry(table).or_default();
                used.requests += 1;
                let units = capacity.capacity_units().unwrap_or_default();
                *(if reads { &mut used.read_units } else { &mut used.write_units }) += units;
            }
        }
        Ok(())
    }
}
