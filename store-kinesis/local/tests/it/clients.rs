//! The services and clients for them: no retries, plain HTTP.

use std::time::Duration;

use aws_sdk_kinesis::config::SharedHttpClient;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use headwater_local::{ACCESS_KEY_ID, Local, Options, REGION, SECRET_ACCESS_KEY};

pub(crate) async fn in_memory() -> Local {
    Local::start(Options::default()).await.unwrap()
}

/// Streams stay CREATING and UPDATING for long enough to see it.
pub(crate) async fn slow() -> Local {
    let mut options = Options::default();
    options.transition = Duration::from_secs(1);
    Local::start(options).await.unwrap()
}

/// Kinesis keeps to the limits of AWS.
pub(crate) async fn limited() -> Local {
    let mut options = Options::default();
    options.kinesis_limits = true;
    Local::start(options).await.unwrap()
}

fn http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

macro_rules! client {
    ($name:ident, $sdk:ident, $($path_style:ident)?) => {
        pub(crate) fn $name(url: &str) -> $sdk::Client {
            let key = $sdk::config::Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local");
            let config = $sdk::config::Builder::new()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new(REGION))
                .credentials_provider(key)
                .endpoint_url(url)
                .http_client(http())
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                $(.$path_style(true))?
                .build();
            $sdk::Client::from_conf(config)
        }
    };
}

client!(dynamodb, aws_sdk_dynamodb,);
client!(kinesis, aws_sdk_kinesis,);
client!(s3, aws_sdk_s3, force_path_style);

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, E>,
) -> String {
    let refused = answer.unwrap_err();
    refused.code().unwrap_or_else(|| panic!("no code in {refused:?}")).to_owned()
}
