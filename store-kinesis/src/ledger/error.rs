//! The ledger's own error, and its one way into [`StoreError`].

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use headwater::store::{Conflict, Invalid, Source, StoreError};
use headwater::{CommitId, StreamName, Version};
use headwater_aws::{Attempts, Failure, write_failure};

/// What went wrong, as the ledger sees it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The stream is not as expected.
    Conflict(Box<Conflict>),
    /// Over a limit; nothing was sent.
    Invalid(Invalid),
    /// Nothing was done, because the table could not be asked, throttles, or did not accept the request.
    Undone(Failure),
    /// An answer was lost.
    Unknown { stream: StreamName, commit: CommitId, source: Source },
    /// An item that cannot be understood, or one that is not there.
    Corrupt { stream: StreamName, version: Version, reason: String },
}

impl Fault {
    /// Other writers are in the way.
    pub(crate) fn busy(reason: String) -> Self {
        Self::Undone(Failure::Busy { reason })
    }
}

impl Fault {
    /// The same fault, unless an earlier try of the write may have been carried out: then nobody can say that nothing
    /// was done.
    pub(crate) fn unless_done(self, attempts: &Attempts, stream: &StreamName, commit: CommitId) -> Self {
        match self {
            Self::Undone(failure) if attempts.maybe_done() => {
                Self::Unknown { stream: stream.clone(), commit, source: Box::new(failure) }
            }
            fault => fault,
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Undone(failure)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Conflict(conflict) => Self::Conflict(conflict),
            Fault::Invalid(invalid) => Self::Invalid(invalid),
            Fault::Undone(failure) => failure.into(),
            Fault::Unknown { stream, commit, source } => Self::OutcomeUnknown { stream, commit, source },
            Fault::Corrupt { stream, version, reason } => Self::Corrupt { stream, version, reason },
        }
    }
}

/// The fault of a write. `maybe_done` says that an earlier try of the SDK may have been carried out.
pub(crate) fn write_fault<E>(
    error: SdkError<E, HttpResponse>,
    resource: &str,
    stream: &StreamName,
    commit: CommitId,
    maybe_done: bool,
) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match write_failure(error, format!("append to {stream}"), resource, maybe_done) {
        Failure::Lost { source, .. } => Fault::Unknown { stream: stream.clone(), commit, source },
        failure => failure.into(),
    }
}
