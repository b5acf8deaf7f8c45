//! Making and checking the stream of the feed. What differs from the wanted is a value; a plan is the list of them.
//!
//! How many shards a stream has, and whether AWS or somebody chooses that, matters only when it is made: whatever it is
//! changed to later, the feed follows, so it is no difference.

use std::fmt;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::describe_stream_summary::DescribeStreamSummaryError;
use aws_sdk_kinesis::types::{StreamMode, StreamModeDetails, StreamStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use headwater_aws::{Failure, failure};

use super::limits;
use crate::{Config, Shards};

/// How a stream is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// It does not exist. `apply` makes it.
    Missing {
        /// The stream.
        stream: String,
    },
    /// It is being made, changed or deleted. `apply` waits until it is usable, and makes it again once it is gone.
    NotActive {
        /// The stream.
        stream: String,
        /// What it is instead.
        status: String,
    },
    /// It keeps records less long than configured. `apply` raises that; it never lowers it.
    Retention {
        /// The stream.
        stream: String,
        /// The hours it keeps records now.
        found: u32,
        /// The hours it should.
        wanted: u32,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { stream } => write!(f, "stream {stream} does not exist"),
            Self::NotActive { stream, status } => write!(f, "stream {stream} is {status}, not ACTIVE"),
            Self::Retention { stream, found, wanted } => {
                write!(f, "stream {stream} keeps records for {found} hours, not for {wanted}")
            }
        }
    }
}

/// What differs between the stream there is and the one a configuration asks for. Nothing means that it can be used.
///
/// # Errors
/// [`Failure`] when Kinesis cannot be asked.
pub async fn check(client: &Client, config: &Config) -> Result<Vec<Difference>, Failure> {
    let stream = config.stream();
    let summary = match client.describe_stream_summary().stream_name(&stream).send().await {
        Ok(answer) => answer.stream_description_summary,
        Err(error) if missing(&error) => return Ok(vec![Difference::Missing { stream }]),
        Err(error) => return Err(failed(error, "look at", &stream)),
    };
    let Some(summary) = summary else {
        return Err(unusable(&stream, "Kinesis does not say what it is".to_owned()));
    };
    let mut differences = Vec::new();
    let found = u32::try_from(summary.retention_period_hours).unwrap_or_default();
    if found < config.retention_hours {
        let (stream, wanted) = (stream.clone(), config.retention_hours);
        differences.push(Difference::Retention { stream, found, wanted });
    }
    // A stream whose shards are being split or merged is UPDATING, and can be used all the while.
    if !matches!(summary.stream_status, StreamStatus::Active | StreamStatus::Updating) {
        let status = summary.stream_status.as_str().to_owned();
        differences.push(Difference::NotActive { stream, status });
    }
    Ok(differences)
}

/// Makes the stream if it is missing, raises its retention, and waits until it is usable. Gives what it changed.
///
/// # Errors
/// [`Failure::Unavailable`] when Kinesis refuses the configuration, or the stream is not usable within
/// [`limits::STREAM_LOOKS`] looks.
///
/// # Cancel safety
/// What was begun goes on in Kinesis; call it again.
pub async fn apply(client: &Client, config: &Config) -> Result<Vec<Difference>, Failure> {
    let mut changed = Vec::new();
    let mut last = String::new();
    for look in 0..limits::STREAM_LOOKS {
        if look > 0 {
            let doubled =
                limits::STREAM_SHORTEST_PAUSE.saturating_mul(1_u32.checked_shl(look - 1).unwrap_or(u32::MAX));
            tokio::time::sleep(doubled.min(limits::STREAM_LONGEST_PAUSE)).await;
        }
        let left = check(client, config).await?;
        let waiting = |difference: &Difference| matches!(difference, Difference::NotActive { .. });
        // Kinesis makes one change at a time; the next one waits until the stream is active again.
        match left.iter().find(|difference| !waiting(difference)).filter(|_| !left.iter().any(waiting)) {
            Some(difference) => {
                if !changed.contains(difference) {
                    changed.push(difference.clone());
                }
                change(client, config, difference).await?;
            }
            None if left.is_empty() => return Ok(changed),
            None => {}
        }
        last = left.first().map(ToString::to_string).unwrap_or_default();
    }
    Err(unusable(&config.stream(), format!("{last}, and that did not change in time")))
}

async fn change(client: &Client, config: &Config, difference: &Difference) -> Result<(), Failure> {
    match difference {
        Difference::Missing { stream } => create(client, config.shards, stream).await,
        Difference::Retention { stream, wanted, .. } => {
            let hours = i32::try_from(*wanted).unwrap_or(i32::MAX);
            let request = client.increase_stream_retention_period().stream_name(stream);
            done(request.retention_period_hours(hours).send().await, "raise the retention of", stream)
        }
        Difference::NotActive { .. } => Ok(()),
    }
}

async fn create(client: &Client, shards: Shards, stream: &str) -> Result<(), Failure> {
    let (mode, count) = match shards {
        Shards::OnDemand => (StreamMode::OnDemand, None),
        Shards::Provisioned(count) => {
            (StreamMode::Provisioned, Some(i32::try_from(count).unwrap_or(i32::MAX)))
        }
    };
    let mode = StreamModeDetails::builder().stream_mode(mode).build().expect("the mode is given");
    let request = client.create_stream().stream_name(stream).stream_mode_details(mode);
    done(request.set_shard_count(count).send().await, "make", stream)
}

/// Another process may make the same change at the same time: then there is nothing to do but wait.
fn done<T, E>(answer: Result<T, SdkError<E, HttpResponse>>, what: &str, stream: &str) -> Result<(), Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
        Err(error) => Err(failed(error, what, stream)),
    }
}

fn missing(error: &SdkError<DescribeStreamSummaryError, HttpResponse>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

fn failed<E>(error: SdkError<E, HttpResponse>, what: &str, stream: &str) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    failure(error, format!("{what} stream {stream}"), &format!("stream {stream}"))
}

fn unusable(stream: &str, reason: String) -> Failure {
    Failure::Unavailable { attempted: format!("use stream {stream} as a feed"), source: reason.into() }
}
