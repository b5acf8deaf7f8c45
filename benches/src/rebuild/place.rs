//! Clients for the look-alikes.

use std::sync::Arc;

use headwater_archive::Archive;
use headwater_archive::objects::S3Objects;
use headwater_local::Local;
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Clients, Config, KinesisStore, Shards};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::sdk::sdk;

const BUCKET: &str = "bench-archive";

/// Where the look-alikes are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    dynamodb: String,
    kinesis: String,
    s3: String,
}

impl Place {
    pub(super) fn of(local: &Local) -> Self {
        let owned = str::to_owned;
        Self {
            dynamodb: owned(local.dynamodb_url()),
            kinesis: owned(local.kinesis_url()),
            s3: owned(local.s3_url()),
        }
    }

    fn clients(&self) -> Clients {
        let sdk = sdk();
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk).endpoint_url(&self.dynamodb).build();
        let kinesis = aws_sdk_kinesis::config::Builder::from(&sdk).endpoint_url(&self.kinesis).build();
        Clients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
            kinesis: aws_sdk_kinesis::Client::from_conf(kinesis),
        }
    }

    fn config() -> Config {
        let mut config = Config::new("bench");
        config.shards = Shards::Provisioned(1);
        config
    }

    /// Tables, stream and bucket.
    pub(super) async fn make(&self) -> Result<(), Error> {
        headwater_store_kinesis::infra::apply(&self.clients(), &Self::config()).await?;
        self.s3().create_bucket().bucket(BUCKET).send().await?;
        Ok(())
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let s3 = aws_sdk_s3::config::Builder::from(&sdk()).endpoint_url(&self.s3).force_path_style(true);
        aws_sdk_s3::Client::from_conf(s3.build())
    }

    pub(super) fn archive(&self) -> Result<Archive, Error> {
        Ok(Archive::new(Arc::new(S3Objects::new(&self.s3(), BUCKET)), "bench")?)
    }

    pub(super) fn ledger(&self) -> KinesisStore {
        KinesisStore::open(&self.clients(), &Self::config())
    }

    pub(super) fn leases(&self) -> DynamoLeases {
        DynamoLeases::new(&self.clients().dynamodb, "bench")
    }

    pub(super) fn rows(&self) -> DynamoRows {
        let mut config = rows::Config::new("bench");
        config.settings = rows::Config::backfill_settings();
        DynamoRows::new(&self.clients().dynamodb, config)
    }
}
