//! What may happen to a request.

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// None.
    Nothing,
    /// It is carried out and its answer is lost.
    LostAnswer,
    /// It is not carried out and nothing is ever answered.
    Silence,
    /// It is not carried out; the answer has this status, type and the rest of a JSON object.
    Answer(u16, &'static str, &'static str),
    /// Of a PutRecords every second record, the first included, is refused as throttled; the others are carried out.
    /// Other requests pass.
    HalfRefused,
}

impl Mishap {
    /// One key of a table is throttled.
    pub const THROTTLED: Self = Self::Answer(
        400,
        "ThrottlingException",
        "\"message\":\"slow down\",\"throttlingReasons\":[{\"reason\":\"TableWriteKeyRangeThroughputExceeded\",\"resource\":\"t\"}]",
    );
    /// The service fails.
    pub const FAILED: Self = Self::Answer(500, "InternalServerError", "\"message\":\"sorry\"");
    /// A transaction is in the way of a write.
    pub const IN_THE_WAY: Self = Self::Answer(400, "TransactionConflictException", "\"message\":\"busy\"");
    /// A shard or stream is throttled.
    pub const TOO_FAST: Self =
        Self::Answer(400, "ProvisionedThroughputExceededException", "\"message\":\"rate exceeded\"");
}
