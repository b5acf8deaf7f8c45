//! Clients for a place. Nothing is sent yet but what finding credentials takes.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use axum::http::Method;
use bytes::Bytes;
use headwater_local::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use headwater_store_kinesis::{Clients, Config, Shards};

use super::local;
use super::place::{Endpoints, Names, On, Place};
use crate::config::{Delivery, Feed, Secret};
use crate::http_client::{HttpClient, HttpError};

/// Clients of AWS, and where they lead.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Where everything is.
    pub(crate) place: Place,
    /// For ledger, feed, rows and leases.
    pub(crate) clients: Clients,
    /// For the archive.
    pub(crate) s3: aws_sdk_s3::Client,
}

/// Why there are no clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConnectError {
    #[error("no region is known: set AWS_REGION, or region in the profile, or use --dev for a running `dev`")]
    NoRegion,
    #[error(
        "no credentials are found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, give the task or \
         instance a role, or use --dev for a running `dev`"
    )]
    NoCredentials { source: Box<dyn std::error::Error + Send + Sync> },
    #[error("no `dev` answers at {url}: start it, or name its port with --dev PORT")]
    NoDev { url: String, source: HttpError },
    #[error("the server at {url} keeps everything in its memory, where other processes cannot reach it")]
    InMemory { url: String },
    #[error(
        "what answers at {url} is no `dev`, or wants to know who asks: set client.key, or use AWS, without --dev"
    )]
    NotDev { url: String },
}

/// What a command that works beside a server talks to: the look-alikes of the `dev` at this port of this machine, or
/// AWS as the environment says.
pub(crate) async fn reach(
    dev: Option<u16>,
    names: Names,
    key: Option<&Secret>,
) -> Result<Connection, ConnectError> {
    match dev {
        Some(port) => Connection::of_dev(port, key).await,
        None => Connection::of_environment(names).await,
    }
}

impl Connection {
    /// To AWS, as the environment, the profile or the role of this machine say: `AWS_REGION`, `AWS_PROFILE`,
    /// `AWS_ENDPOINT_URL` and the others that every SDK knows.
    pub(crate) async fn of_environment(names: Names) -> Result<Self, ConnectError> {
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.build_https());
        let sdk = loader.load().await;
        let region = sdk.region().ok_or(ConnectError::NoRegion)?.to_string();
        let credentials = sdk.credentials_provider();
        let credentials = credentials.ok_or_else(|| no_credentials("no provider".into()))?;
        credentials.provide_credentials().await.map_err(|error| no_credentials(Box::new(error)))?;
        let endpoints = Endpoints::of_environment();
        Ok(Self::with(&sdk, Place { on: On::Aws, region, names, endpoints }))
    }

    /// To the look-alikes of a `dev` that runs on this machine; it is asked where they are.
    pub(crate) async fn of_dev(port: u16, key: Option<&Secret>) -> Result<Self, ConnectError> {
        #[derive(serde::Deserialize)]
        struct Shown {
            backends: Place,
        }
        let url = format!("http://127.0.0.1:{port}");
        let authorization = key.map(|key| format!("Bearer {}", key.reveal()));
        let ask = async {
            let address = format!("{url}/v1/admin/config");
            let headers: Vec<(&'static str, &str)> =
                authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            let answer = HttpClient::new()?.ask(Method::GET, &address, &headers, Bytes::new()).await?;
            Ok::<_, HttpError>(serde_json::from_slice::<Shown>(&answer.body).ok())
        };
        match ask.await {
            Ok(Some(Shown { backends })) if backends.on == On::Dev => Ok(Self::to(backends)),
            Ok(Some(Shown { backends })) if backends.on == On::Memory => Err(ConnectError::InMemory { url }),
            Ok(_) => Err(ConnectError::NotDev { url }),
            Err(source) => Err(ConnectError::NoDev { url, source }),
        }
    }

    /// To look-alikes, of this process or another.
    pub(crate) fn to(place: Place) -> Self {
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "local");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(place.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Self::with(&sdk.build(), place)
    }

    fn with(sdk: &SdkConfig, place: Place) -> Self {
        let Endpoints { dynamodb, kinesis, s3 } = place.endpoints.clone();
        let mut dynamodb_config = aws_sdk_dynamodb::config::Builder::from(sdk);
        let mut kinesis_config = aws_sdk_kinesis::config::Builder::from(sdk);
        // Whatever is not S3 itself has no name for each bucket.
        let mut s3_config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(s3.is_some());
        if let Some(url) = dynamodb {
            dynamodb_config.set_endpoint_url(Some(url));
        }
        if let Some(url) = kinesis {
            kinesis_config.set_endpoint_url(Some(url));
        }
        if let Some(url) = s3 {
            s3_config.set_endpoint_url(Some(url));
        }
        let clients = Clients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb_config.build()),
            kinesis: aws_sdk_kinesis::Client::from_conf(kinesis_config.build()),
        };
        Self { place, clients, s3: aws_sdk_s3::Client::from_conf(s3_config.build()) }
    }

    /// How the store is used there.
    pub(crate) fn store_config(&self, feed: &Feed) -> Config {
        let mut config = Config::new(&self.place.names.prefix);
        if self.place.on == On::Dev {
            local::adjust(&mut config);
            return config;
        }
        config.retention_hours = feed.retention_hours;
        config.reads_per_second = feed.reads_per_second;
        config.shards = feed.shards.map_or(Shards::OnDemand, Shards::Provisioned);
        if feed.delivery == Delivery::FanOut {
            config.delivery = headwater_store_kinesis::Delivery::FanOut { consumer: feed.consumer.clone() };
        }
        config
    }
}

fn no_credentials(source: Box<dyn std::error::Error + Send + Sync>) -> ConnectError {
    ConnectError::NoCredentials { source }
}
