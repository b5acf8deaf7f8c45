//! The registered consumer that Kinesis pushes to.

use std::sync::Arc;

use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::ConsumerStatus;
use headwater::store::StoreError;
use headwater_aws::failure;
use tokio::sync::Mutex;

use super::limits;
use crate::feed::incarnation::Stream;

/// A consumer by its name. It is registered when it is needed and stays registered: other processes may use it.
#[derive(Debug)]
pub(super) struct Consumer {
    stream: Arc<Stream>,
    name: String,
    /// Its ARN, once it is active.
    arn: Mutex<Option<String>>,
}

impl Consumer {
    pub(super) fn new(stream: Arc<Stream>, name: String) -> Self {
        Self { stream, name, arn: Mutex::default() }
    }

    /// Its ARN, when it can be subscribed with.
    pub(super) async fn arn(&self) -> Result<String, StoreError> {
        let mut known = self.arn.lock().await;
        if let Some(arn) = &*known {
            return Ok(arn.clone());
        }
        let stream = self.stream.incarnation(crate::feed::limits::INCARNATION_AGE).await?.arn;
        for look in 0..limits::CONSUMER_LOOKS {
            if look > 0 {
                tokio::time::sleep(limits::CONSUMER_PAUSE).await;
            }
            match self.look(&stream).await? {
                Some((arn, ConsumerStatus::Active)) => return Ok(known.insert(arn).clone()),
                // It is being made, or deleted and then to be made again.
                Some(_) => {}
                None => self.register(&stream).await?,
            }
        }
        Err(self.stream.unusable(&format!("consumer {} did not become active in time", self.name)))
    }

    /// It may have been deregistered: it is looked for again.
    pub(super) async fn forget(&self) {
        *self.arn.lock().await = None;
    }

    async fn look(&self, stream: &str) -> Result<Option<(String, ConsumerStatus)>, StoreError> {
        let request =
            self.stream.client.describe_stream_consumer().stream_arn(stream).consumer_name(&self.name);
        match request.send().await {
            Ok(answer) => {
                Ok(answer.consumer_description.map(|found| (found.consumer_arn, found.consumer_status)))
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(failure(error, self.attempted("look at"), &self.stream.resource()).into()),
        }
    }

    async fn register(&self, stream: &str) -> Result<(), StoreError> {
        let request =
            self.stream.client.register_stream_consumer().stream_arn(stream).consumer_name(&self.name);
        match request.send().await {
            Ok(_) => Ok(()),
            // Another process registers it at the same time.
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
            Err(error) => Err(failure(error, self.attempted("register"), &self.stream.resource()).into()),
        }
    }

    fn attempted(&self, what: &str) -> String {
        format!("{what} consumer {} of stream {}", self.name, self.stream.name)
    }
}
