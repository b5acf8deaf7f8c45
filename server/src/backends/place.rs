//! Where everything is: what `GET /v1/admin/config` shows, and what other commands ask a running `dev` for.

use headwater_local::{Local, REGION};
use serde::{Deserialize, Serialize};

/// What the things of an application are called in AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    /// What the names of tables and streams begin with.
    pub(crate) prefix: String,
    /// The bucket of the archive.
    pub(crate) bucket: String,
}

impl Names {
    /// The names of an application that was told none.
    pub(crate) fn of(application: &str) -> Self {
        Self { prefix: application.to_owned(), bucket: format!("{application}-archive") }
    }
}

/// What a process runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum On {
    /// Memory; nobody else can reach it.
    Memory,
    /// Look-alikes in the process of `dev`.
    Dev,
    /// AWS, or whatever answers at the endpoints the environment names.
    Aws,
}

/// Where everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) on: On,
    pub(crate) region: String,
    pub(crate) names: Names,
    pub(crate) endpoints: Endpoints,
}

/// Addresses that are not those of AWS in the region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) dynamodb: Option<String>,
    pub(crate) kinesis: Option<String>,
    pub(crate) s3: Option<String>,
}

impl Place {
    /// In the memory of this process.
    pub(crate) fn memory(application: &str) -> Self {
        Self {
            on: On::Memory,
            region: "memory".to_owned(),
            names: Names::of(application),
            endpoints: Endpoints::default(),
        }
    }

    /// On look-alikes that run.
    pub(crate) fn local(names: Names, local: &Local) -> Self {
        let url = |url: &str| Some(url.to_owned());
        let endpoints = Endpoints {
            dynamodb: url(local.dynamodb_url()),
            kinesis: url(local.kinesis_url()),
            s3: url(local.s3_url()),
        };
        Self { on: On::Dev, region: REGION.to_owned(), names, endpoints }
    }
}

impl Endpoints {
    /// What the environment says, by the variables that every SDK of AWS knows.
    pub(crate) fn of_environment() -> Self {
        let of = |service: &str| {
            let own = std::env::var(format!("AWS_ENDPOINT_URL_{service}")).ok();
            own.or_else(|| std::env::var("AWS_ENDPOINT_URL").ok()).filter(|url| !url.is_empty())
        };
        Self { dynamodb: of("DYNAMODB"), kinesis: of("KINESIS"), s3: of("S3") }
    }
}
