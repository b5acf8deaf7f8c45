//! Clients for a place. Nothing is sent yet but what finding credentials takes.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use headwater_local::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use headwater_store_kinesis::{Clients, Config};

use super::local;
use super::place::{Endpoints, Names, On, Place};

/// How long a `dev` on this machine may take to say where its backends are.
const ASKING: Duration = Duration::from_secs(5);

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
    NoDev { url: String, source: Option<Box<dyn std::error::Error + Send + Sync>> },
    #[error("the server at {url} keeps everything in its memory, where other processes cannot reach it")]
    InMemory { url: String },
    #[error("the server at {url} does not run on look-alikes: use its AWS settings, without --dev")]
    NotDev { url: String },
}

/// What a command that works beside a server talks to: the look-alikes of the `dev` at this port of this machine, or
/// AWS as the environment says.
pub(crate) async fn reach(dev: Option<u16>, names: Names) -> Result<Connection, ConnectError> {
    match dev {
        Some(port) => Connection::of_dev(port).await,
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
    pub(crate) async fn of_dev(port: u16) -> Result<Self, ConnectError> {
        #[derive(serde::Deserialize)]
        struct Shown {
            backends: Place,
        }
        let url = format!("http://127.0.0.1:{port}");
        let ask = async {
            let client = reqwest::Client::builder().timeout(ASKING).no_proxy().build()?;
            let answer = client.get(format!("{url}/v1/admin/config")).send().await?;
            answer.error_for_status()?.json::<Shown>().await
        };
        match ask.await {
            Ok(Shown { backends }) if backends.on == On::Dev => Ok(Self::to(backends)),
            Ok(Shown { backends }) if backends.on == On::Memory => Err(ConnectError::InMemory { url }),
            Ok(_) => Err(ConnectError::NotDev { url }),
            Err(error) => Err(ConnectError::NoDev { url, source: Some(Box::new(error)) }),
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
    pub(crate) fn store_config(&self) -> Config {
        let mut config = Config::new(&self.place.names.prefix);
        if self.place.on == On::Dev {
            local::adjust(&mut config);
        }
        config
    }
}

fn no_credentials(source: Box<dyn std::error::Error + Send + Sync>) -> ConnectError {
    ConnectError::NoCredentials { source }
}
