//! Where requests go: the Kinesis stream, and what its errors mean.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::put_records::PutRecordsError;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use headwater::Commit;
use headwater_aws::{Failure, failure};

use super::answer::{Answer, Outcome, Place};
use crate::record;

/// What the publisher sends its requests to.
#[async_trait]
pub(super) trait Sink: Debug + Send + Sync + 'static {
    /// Publishes commits, each with whether it is redelivered.
    async fn put(&self, commits: Vec<(Arc<Commit>, bool)>) -> Answer;
}

/// The stream.
#[derive(Debug)]
pub(super) struct Kinesis {
    pub(super) client: Client,
    pub(super) stream: String,
}

/// The code of a record whose shard is throttled, in an answer that is a success as a whole.
const SHARD_THROTTLED: &str = "ProvisionedThroughputExceededException";

/// Codes of requests with something in them that Kinesis does not take.
const REFUSED: [&str; 3] = ["InvalidArgumentException", "SerializationException", "ValidationException"];

/// The status of a request with a body that is too large for a server.
const TOO_LARGE: u16 = 413;

#[async_trait]
impl Sink for Kinesis {
    async fn put(&self, commits: Vec<(Arc<Commit>, bool)>) -> Answer {
        let entries = commits.iter().map(|(commit, redelivered)| {
            let entry = PutRecordsRequestEntry::builder()
                .data(Blob::new(record::encode(commit, *redelivered)))
                .partition_key(commit.stream.as_str());
            entry.build().expect("data and key are given")
        });
        let request =
            self.client.put_records().stream_name(&self.stream).set_records(Some(entries.collect()));
        let error = match Box::pin(request.send()).await {
            Ok(answer) => return each(answer.records, commits.len()),
            Err(error) => error,
        };
        let refused = refused(&error);
        let attempted = format!("publish {} commits", commits.len());
        match failure(error, attempted, &format!("stream {}", self.stream)) {
            Failure::Busy { .. } => Answer::Throttled,
            failure if refused => {
                let reason = with_causes(&failure);
                if let [(commit, _)] = &*commits {
                    let (stream, version) = (commit.stream.as_str(), commit.first.0);
                    tracing::error!(
                        stream,
                        version,
                        reason,
                        "Kinesis does not take a commit; its stream waits"
                    );
                }
                Answer::Refused(reason)
            }
            failure => Answer::Failed(with_causes(&failure)),
        }
    }
}

/// The outcome of each record; of records that the answer leaves out it is not known, so they failed.
fn each(entries: Vec<PutRecordsResultEntry>, records: usize) -> Answer {
    let outcomes =
        entries.into_iter().map(|entry| match (entry.error_code, entry.shard_id, entry.sequence_number) {
            (None, Some(shard), Some(sequence)) => Outcome::Published(Place { shard, sequence }),
            (Some(code), ..) if code == SHARD_THROTTLED => Outcome::Throttled,
            (Some(code), ..) => {
                let message = entry.error_message.unwrap_or_default();
                Outcome::Failed(format!("Kinesis did not take a record ({code}: {message})"))
            }
            (None, ..) => Outcome::Failed("the answer does not say where a record is".to_owned()),
        });
    let missing = || Outcome::Failed("the answer leaves out a record".to_owned());
    Answer::Each(outcomes.chain(std::iter::repeat_with(missing)).take(records).collect())
}

fn refused(error: &SdkError<PutRecordsError, HttpResponse>) -> bool {
    let too_large = error.raw_response().is_some_and(|response| response.status().as_u16() == TOO_LARGE);
    too_large || error.code().is_some_and(|code| REFUSED.contains(&code))
}

fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
