//! Objects in S3.

use std::error::Error;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use headwater_aws::{Failure, Settings, failure};

use super::{Listed, Listing, Object, ObjectError, Objects, Put, Words};
use crate::limits::LISTED_AT_ONCE;

/// A bucket of S3.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Client,
    bucket: String,
}

impl S3Objects {
    /// The objects of a bucket, asked for with this client under the archive's own retries and deadlines.
    #[must_use]
    pub fn new(client: &Client, bucket: impl Into<String>) -> Self {
        let settings = Settings::archive();
        let config = client.config().to_builder().retry_config(settings.retry());
        let config = config.timeout_config(settings.timeouts()).retry_partition(settings.partition());
        Self { client: Client::from_conf(config.build()), bucket: bucket.into() }
    }

    /// Makes the bucket if this account does not have it yet.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], also when the name belongs to somebody else.
    pub async fn create_bucket(&self) -> Result<(), ObjectError> {
        match self.client.create_bucket().bucket(&self.bucket).send().await {
            Err(error) if error.code() != Some("BucketAlreadyOwnedByYou") => {
                Err(self.unavailable(error, format!("make bucket {}", self.bucket)))
            }
            _ => Ok(()),
        }
    }

    fn unavailable<E>(&self, error: SdkError<E, HttpResponse>, attempted: String) -> ObjectError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match failure(error, attempted.clone(), &format!("bucket {}", self.bucket)) {
            Failure::Unavailable { attempted, source } | Failure::Lost { attempted, source } => {
                ObjectError::Unavailable { attempted, source }
            }
            Failure::Busy { reason } => ObjectError::Unavailable { attempted, source: reason.into() },
        }
    }

    fn not_got<E>(&self, key: &str, error: SdkError<E, HttpResponse>) -> ObjectError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        // A HEAD has no body and so no code: the status is all there is.
        let absent = status(&error) == Some(404) && error.code() != Some("NoSuchBucket");
        match absent {
            true => ObjectError::Missing { key: key.to_owned() },
            false => self.unavailable(error, format!("read {key} in bucket {}", self.bucket)),
        }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    Some(error.raw_response()?.status().as_u16())
}

#[async_trait]
impl Objects for S3Objects {
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, ObjectError> {
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let request = request.set_start_after(after.map(str::to_owned)).max_keys(LISTED_AT_ONCE);
        let answer = request.send().await.map_err(|error| {
            self.unavailable(error, format!("list the files of the archive in bucket {}", self.bucket))
        })?;
        let more = answer.is_truncated.unwrap_or_default();
        let listed = |object: aws_sdk_s3::types::Object| {
            Some(Listed { key: object.key?, bytes: object.size.unwrap_or_default().unsigned_abs() })
        };
        let objects = answer.contents.unwrap_or_default().into_iter().filter_map(listed).collect();
        Ok(Listing { objects, more })
    }

    async fn look(&self, key: &str) -> Result<(Words, u64), ObjectError> {
        let request = self.client.head_object().bucket(&self.bucket).key(key);
        let answer = request.send().await.map_err(|error| self.not_got(key, error))?;
        let bytes = answer.content_length.unwrap_or_default().unsigned_abs();
        Ok((answer.metadata.unwrap_or_default().into_iter().collect(), bytes))
    }

    async fn get(&self, key: &str) -> Result<Object, ObjectError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = request.send().await.map_err(|error| self.not_got(key, error))?;
        let words = answer.metadata.unwrap_or_default().into_iter().collect();
        let body = answer.body.collect().await.map_err(|error| ObjectError::Unavailable {
            attempted: format!("read {key} in bucket {}", self.bucket),
            source: Box::new(error),
        })?;
        Ok(Object { body: body.into_bytes(), words })
    }

    async fn put_new(&self, key: &str, body: Bytes, words: &Words) -> Result<Put, ObjectError> {
        let request = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*");
        let request = request.content_type("application/vnd.apache.parquet");
        let request = request.set_metadata(Some(words.clone().into_iter().collect()));
        match request.body(ByteStream::from(body)).send().await {
            Ok(_) => Ok(Put::Done),
            // Not a modelled error; see the table of conditional writes in the documentation of S3.
            Err(error) if status(&error) == Some(412) => Ok(Put::Taken),
            Err(error) => Err(self.unavailable(error, format!("put {key} into bucket {}", self.bucket))),
        }
    }
}
