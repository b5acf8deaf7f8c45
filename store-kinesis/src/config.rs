//! How a store on AWS is used.

use std::time::Duration;

use headwater_aws::Settings;

use crate::{feed, ledger, outbox, publisher};

/// How a store is used. The default is meant for production; a test or a laptop changes what it must.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the names of all tables and streams begin with: `{prefix}-ledger`, `{prefix}-control`, `{prefix}-feed`.
    pub prefix: String,
    /// Retries and timeouts of commands and reads of the ledger.
    pub commands: Settings,
    /// Retries and timeouts of publishing.
    pub publishing: Settings,
    /// Retries and timeouts of reading the feed.
    pub reading: Settings,
    /// Retries and timeouts of marks and takeovers.
    pub bookkeeping: Settings,
    /// Most commits of a page.
    pub page_commits: usize,
    /// Streams whose newest ends of commits are remembered.
    pub heads: usize,
    /// Whether every answer says how many capacity units it took: for measuring.
    pub report_capacity: bool,
    /// Most commits that are written or wait to be published at once; one more is refused as overloaded.
    pub queue_commits: usize,
    /// Most bytes of feed records that wait to be published; what would exceed them is refused as overloaded.
    pub queue_bytes: usize,
    /// How long the mark of a writer must not move before another process publishes what it left.
    pub takeover_after: Duration,
    /// How the feed is read.
    pub delivery: Delivery,
    /// Most calls of GetRecords a second for each shard. AWS allows 5 for all readers of a shard together.
    pub reads_per_second: u32,
    /// How many shards the stream of the feed gets when it is made.
    pub shards: Shards,
    /// How long the feed keeps records, in hours; AWS allows 24 to 8,760.
    pub retention_hours: u32,
}

/// How records come from Kinesis.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// Shards are asked again and again: no price beyond that of the stream.
    Polling,
    /// Kinesis pushes to a registered consumer (enhanced fan-out): its own 2 MB/s a shard, at a price a shard-hour.
    FanOut {
        /// The name of the consumer; readers of the same name share it and each shard has one of them at a time.
        consumer: String,
    },
}

/// How many shards a stream gets when it is made. Later changes are made with AWS's own tools; the feed follows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shards {
    /// As many as Kinesis thinks right, more when there is more traffic.
    OnDemand,
    /// So many.
    Provisioned(u32),
}

impl Config {
    /// A configuration for production.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            commands: Settings::commands(),
            publishing: Settings::publishing(),
            reading: Settings::reading(),
            bookkeeping: Settings::bookkeeping(),
            page_commits: headwater::store::limits::PAGE_COMMITS,
            heads: ledger::limits::HEADS,
            report_capacity: false,
            queue_commits: publisher::limits::QUEUE_COMMITS,
            queue_bytes: publisher::limits::QUEUE_BYTES,
            takeover_after: outbox::limits::TAKEOVER_AFTER,
            delivery: Delivery::Polling,
            reads_per_second: feed::limits::READS_PER_SECOND,
            shards: Shards::OnDemand,
            retention_hours: 24,
        }
    }

    /// The name of the stream of the feed.
    #[must_use]
    pub fn stream(&self) -> String {
        format!("{}-feed", self.prefix)
    }
}
