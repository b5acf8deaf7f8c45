//! Clients for look-alikes on loopback.

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;

use super::Wire;

/// The region that look-alikes are asked for.
const REGION: &str = "us-east-1";
/// Credentials that no look-alike of DynamoDB or Kinesis looks at.
const KEY: &str = "HEADWATERTEST";
/// An address for requests that never leave the process.
const NOWHERE: &str = "http://simulated.invalid";

macro_rules! config {
    ($sdk:ident, $url:expr, $http:expr) => {
        $sdk::config::Builder::new()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new(REGION))
            .credentials_provider($sdk::config::Credentials::new(KEY, KEY, None, None, "test"))
            .endpoint_url($url)
            .http_client($http)
    };
}

/// A client of the DynamoDB at this address.
#[must_use]
pub fn dynamodb(url: &str) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, url, plain()).build())
}

/// A client of the Kinesis at this address.
#[must_use]
pub fn kinesis(url: &str) -> aws_sdk_kinesis::Client {
    aws_sdk_kinesis::Client::from_conf(config!(aws_sdk_kinesis, url, plain()).build())
}

/// A client of DynamoDB over an HTTP client that has one inside. Nothing watches how fast answers come, because that is
/// measured by the wall clock.
#[must_use]
pub fn dynamodb_over(http: SharedHttpClient) -> aws_sdk_dynamodb::Client {
    let config = config!(aws_sdk_dynamodb, NOWHERE, http);
    let config = config.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client of Kinesis over an HTTP client that has one inside; see [`dynamodb_over`].
#[must_use]
pub fn kinesis_over(http: SharedHttpClient) -> aws_sdk_kinesis::Client {
    let config = config!(aws_sdk_kinesis, NOWHERE, http);
    let config = config.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    aws_sdk_kinesis::Client::from_conf(config.build())
}

impl Wire {
    /// A client of the DynamoDB at this address, behind this wire.
    #[must_use]
    pub fn dynamodb(&self, url: &str) -> aws_sdk_dynamodb::Client {
        let config = config!(aws_sdk_dynamodb, url, self.http()).interceptor(self.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client of the Kinesis at this address, behind this wire.
    #[must_use]
    pub fn kinesis(&self, url: &str) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::from_conf(config!(aws_sdk_kinesis, url, self.http()).build())
    }
}

fn plain() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}
