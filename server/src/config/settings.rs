//! Every setting. The variables of AWS's own SDKs (`AWS_REGION`, `AWS_PROFILE`, `AWS_ENDPOINT_URL` …) are theirs and work
//! beside these.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::auth::AuthSettings;
use crate::backends::Names;
use crate::http_client::host;
use crate::serving::Limits;

/// Every setting of a process. A section is a table of `headwater.toml`; the variable of `section.key` is
/// `HEADWATER_SECTION__KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// What things are called in AWS.
    pub(crate) aws: Names,
    /// Who may do what.
    pub(crate) auth: AuthSettings,
    /// How a command reaches a server.
    pub(crate) client: Client,
    /// How the feed is made and read.
    pub(crate) feed: Feed,
    /// The limits of a server.
    pub(crate) limits: Limits,
    /// What is logged.
    pub(crate) log: Log,
    /// Where traces go.
    pub(crate) otlp: Otlp,
    /// Where a server listens.
    pub(crate) server: Server,
}

/// Where traces of a server go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Otlp {
    /// The address of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; none leaves
    /// that to `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) endpoint: Option<String>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Server {
    /// Address and port of `serve`; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// Whether others than this machine may ask without saying who they are.
    pub(crate) insecure: bool,
}

/// How a command reaches a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Client {
    /// The server's address.
    pub(crate) server: String,
    /// The API key or token to send.
    pub(crate) key: Option<Secret>,
}

/// How the feed is made and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Feed {
    /// How records come.
    pub(crate) delivery: Delivery,
    /// The name of the consumer that Kinesis pushes to, for `delivery = "fan-out"`.
    pub(crate) consumer: String,
    /// How long it keeps records, 24 to 8,760.
    pub(crate) retention_hours: u32,
    /// Shards it is made with; none leaves that to Kinesis.
    pub(crate) shards: Option<u32>,
    /// Most reads of a shard a second; AWS allows 5 for all readers together.
    pub(crate) reads_per_second: u32,
}

/// How records come from Kinesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Delivery {
    /// Shards are asked again and again.
    Polling,
    /// Kinesis pushes to a consumer, at a price a shard-hour.
    FanOut,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Which modules log what, such as `info,headwater_projections=debug`; `RUST_LOG` goes before it.
    pub(crate) filter: String,
    /// For people or for machines.
    pub(crate) format: LogFormat,
}

/// For whom is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// A line of text for each event.
    Human,
    /// A line of JSON for each event.
    Json,
}

impl Settings {
    /// The settings of an application that was told nothing.
    pub(crate) fn of(application: &str) -> Self {
        Self { aws: Names::of(application), ..Self::default() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            aws: Names::of("headwater"),
            auth: AuthSettings::default(),
            client: Client::default(),
            feed: Feed::default(),
            limits: Limits::default(),
            log: Log::default(),
            otlp: Otlp::default(),
            server: Server::default(),
        }
    }
}

impl Otlp {
    /// What is wrong with it, in a binary that can send traces or cannot.
    pub(super) fn check(&self, can_send: bool) -> Result<(), String> {
        match &self.endpoint {
            Some(_) if !can_send => {
                Err("this binary cannot send traces: build it with the feature `otlp` of \
                 headwater-server (`cargo build --features headwater-server/otlp`), or take the setting away"
                    .to_owned())
            }
            Some(endpoint) => host(endpoint).map(drop).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), insecure: false }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self { server: "http://127.0.0.1:8080".to_owned(), key: None }
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            delivery: Delivery::Polling,
            consumer: "headwater".to_owned(),
            retention_hours: 24,
            shards: None,
            reads_per_second: 5,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        // The local DynamoDB warns of every condition that does not hold, and that is no more than a lost race.
        Self {
            filter: "warn,headwater::audit=info,aws_config=error,dynoxide=error".to_owned(),
            format: LogFormat::Human,
        }
    }
}
