//! Look-alikes of AWS in this process, and clients whose requests are counted.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_kinesis::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;
use aws_sdk_kinesis::operation::put_records::PutRecordsInput;
use headwater_local::{Local, Options};
use headwater_store_kinesis::Clients;
use headwater_units::Counter;

use super::Error;
use crate::sdk::sdk;

/// Starts them; nothing is kept.
pub(super) async fn start() -> Result<Local, Error> {
    let mut options = Options::default();
    options.transition = Duration::from_millis(1);
    Ok(Local::start(options).await?)
}

/// Starts them for another process, until standard input ends.
#[expect(clippy::print_stderr, reason = "it says where it is")]
pub(super) async fn serve() -> Result<(), Error> {
    let local = start().await?;
    eprintln!("the look-alike of DynamoDB is ready at {} (in memory)", local.dynamodb_url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    local.stop().await;
    Ok(())
}

/// Records that were given to Kinesis. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    counts: Arc<Mutex<(u64, u64)>>,
}

impl Records {
    /// Records since the last time, and their bytes.
    pub(super) fn take(&self) -> (u64, u64) {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Records {
    fn name(&self) -> &'static str {
        "records of the feed"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input().downcast_ref::<PutRecordsInput>() {
            let records = input.records();
            let bytes = records
                .iter()
                .map(|record| record.data().as_ref().len() + record.partition_key().map_or(0, str::len));
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.0 += records.len() as u64;
            counts.1 += bytes.sum::<usize>() as u64;
        }
        Ok(())
    }
}

/// Clients of look-alikes, counted.
pub(super) fn clients(local: &Local, counter: &Counter, records: &Records) -> Clients {
    let sdk = sdk();
    let dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk)
        .endpoint_url(local.dynamodb_url())
        .interceptor(counter.clone());
    let kinesis = aws_sdk_kinesis::config::Builder::from(&sdk)
        .endpoint_url(local.kinesis_url())
        .interceptor(records.clone());
    Clients {
        dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
        kinesis: aws_sdk_kinesis::Client::from_conf(kinesis.build()),
    }
}
