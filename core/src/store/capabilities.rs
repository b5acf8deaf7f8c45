//! What a backend can do, declared by the backend and read by everything above it.

/// The limits every backend that ships with Headwater keeps, so that what passes in memory passes on AWS.
pub mod limits {
    /// Bytes of one commit: a DynamoDB item holds 400 KB, attribute names included.
    pub const COMMIT_BYTES: usize = 380 * 1024;
    /// Events of one commit.
    pub const COMMIT_EVENTS: usize = 1_000;
    /// Streams of one transaction: TransactWriteItems takes 100 actions.
    pub const TRANSACTION_STREAMS: usize = 100;
    /// Bytes of one transaction: TransactWriteItems takes 4 MB.
    pub const TRANSACTION_BYTES: usize = 3_800 * 1024;
    /// Commits of one page of a stream or a feed.
    pub const PAGE_COMMITS: usize = 1_000;
    /// Segments that a ledger can be read in at once. DynamoDB would take 1,000,000.
    pub const SCAN_SEGMENTS: u32 = 1_024;
}

/// What a backend can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Its name, for messages.
    pub backend: &'static str,
    /// Whether an acknowledged commit survives the end of the process.
    pub durable: bool,
    /// Whether a read with [`Consistency::Eventual`](super::Consistency::Eventual) may miss the newest commits.
    pub stale_reads: bool,
    /// Most events of one commit.
    pub commit_events: usize,
    /// Most bytes of one commit.
    pub commit_bytes: usize,
    /// Most streams of one transaction.
    pub transaction_streams: usize,
    /// Most bytes of one transaction.
    pub transaction_bytes: usize,
    /// Most commits of one page.
    pub page_commits: usize,
}

impl Capabilities {
    /// A backend with the common [`limits`], not durable, without stale reads.
    #[must_use]
    pub fn new(backend: &'static str) -> Self {
        Self {
            backend,
            durable: false,
            stale_reads: false,
            commit_events: limits::COMMIT_EVENTS,
            commit_bytes: limits::COMMIT_BYTES,
            transaction_streams: limits::TRANSACTION_STREAMS,
            transaction_bytes: limits::TRANSACTION_BYTES,
            page_commits: limits::PAGE_COMMITS,
        }
    }
}
