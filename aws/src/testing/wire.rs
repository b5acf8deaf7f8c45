//! A wire: what passes is written down, and mishaps come as they were ordered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::operation::batch_execute_statement::BatchExecuteStatementOutput;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::box_error::BoxError;

use super::{Crash, Mishap};

/// A wire that writes down what passes. Clones are the same wire.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Only requests for a table or stream with this in its name are written down and have mishaps.
    focus: String,
    requests: Vec<String>,
    units: f64,
    mishaps: VecDeque<Mishap>,
    /// One of so many requests has a mishap of these; none when there are none.
    storm: (usize, Vec<Mishap>),
    crash: Option<Crash>,
}

/// What is to be done with a request.
pub(super) enum Fate {
    Pass,
    Meet(Mishap),
    Crash(Crash),
}

impl Wire {
    /// A wire that looks at requests for a table or stream with this in its name; the others pass.
    #[must_use]
    pub fn focused(part_of_name: &str) -> Self {
        let wire = Self::default();
        part_of_name.clone_into(&mut wire.state().focus);
        wire
    }

    /// What happens to the next requests.
    pub fn will(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.state().mishaps.extend(mishaps);
    }

    /// From now on one of so many requests has one of these mishaps; with no mishaps the storm is over.
    pub fn storm(&self, rarity: usize, mishaps: &[Mishap]) {
        self.state().storm = (rarity, mishaps.to_vec());
    }

    /// Ends the process at a request, whatever the wire looks at otherwise.
    pub fn crash_at(&self, crash: Crash) {
        self.state().crash = Some(crash);
    }

    /// The operations since the last time, each try of them, and the capacity units of those that succeeded.
    #[must_use]
    pub fn bill(&self) -> (Vec<String>, f64) {
        let mut state = self.state();
        (std::mem::take(&mut state.requests), std::mem::take(&mut state.units))
    }

    pub(super) fn fate(&self, operation: &str, resource: &str) -> Fate {
        let mut state = self.state();
        if let Some(crash) = &mut state.crash
            && crash.operation == operation
            && resource.contains(&crash.resource)
        {
            if crash.after == 0 {
                return Fate::Crash(crash.clone());
            }
            crash.after -= 1;
        }
        if !resource.contains(&state.focus) {
            return Fate::Pass;
        }
        state.requests.push(operation.to_owned());
        let (rarity, storm) = &state.storm;
        let struck = !storm.is_empty() && fastrand::usize(..*rarity) == 0;
        let struck = struck.then(|| fastrand::choice(storm).copied()).flatten();
        state.mishaps.pop_front().or(struck).map_or(Fate::Pass, Fate::Meet)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "capacity units"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        let mut capacity: Vec<&ConsumedCapacity> = Vec::new();
        macro_rules! of {
            ($($kind:ident),*) => {$(
                if let Some(output) = output.downcast_ref::<$kind>() {
                    capacity.extend(output.consumed_capacity());
                }
            )*};
        }
        of!(PutItemOutput, UpdateItemOutput, DeleteItemOutput, GetItemOutput, QueryOutput, ScanOutput);
        of!(BatchExecuteStatementOutput, BatchGetItemOutput, TransactWriteItemsOutput);
        let mut state = self.state();
        let seen = |capacity: &&ConsumedCapacity| {
            capacity.table_name().is_none_or(|table| table.contains(&state.focus))
        };
        let units = capacity.into_iter().filter(seen).filter_map(ConsumedCapacity::capacity_units);
        let units: f64 = units.sum();
        state.units += units;
        Ok(())
    }
}
