//! What Kinesis answered, as far as it matters to the publisher.

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// One outcome for each record, in the order of the request.
    Each(Vec<Outcome>),
    /// The whole request was throttled.
    Throttled,
    /// The whole request failed, or its answer was lost. Sending it again may help.
    Failed(String),
    /// The whole request was refused because of something in it. Without what is in the way the rest would go.
    Refused(String),
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in the stream.
    Published(Place),
    /// Its shard is throttled.
    Throttled,
    /// It was not taken for another reason.
    Failed(String),
}

/// Where a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) shard: String,
    pub(super) sequence: String,
}
