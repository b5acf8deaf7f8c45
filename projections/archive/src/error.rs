//! Errors of the archive.

use headwater::store::{Conflict, PartitionId, Position, StoreError};
use headwater::{StreamName, Version};

use crate::objects::ObjectError;

/// Why the archive cannot be used as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A prefix that cannot be the beginning of keys.
    #[error(
        "archive prefix {prefix:?} is not valid: use at most 30 lower-case letters, digits, hyphens and single slashes \
         between them"
    )]
    Prefix {
        /// The prefix.
        prefix: String,
    },
    /// The store of the files cannot be reached, or a file is gone.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Something is missing or is not what it was when it was written.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// A file that is not whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "file {key} of the archive is broken: {reason}; bring it back from a version or a replica of the bucket"
)]
pub struct Broken {
    /// The file.
    pub key: String,
    /// Its partition, if that is known.
    pub partition: Option<PartitionId>,
    /// What is wrong.
    pub reason: String,
}

/// A place where a chain of files is not whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Link {
    /// Files are missing.
    #[error(
        "files of partition {partition} are missing in front of {key}: it follows position {after}, and the file \
         before it ends at {}",
        before.as_ref().map_or("none", |before| &*before.0)
    )]
    Missing {
        /// The partition.
        partition: PartitionId,
        /// The file behind the gap.
        key: String,
        /// The position it follows.
        after: Position,
        /// Where the file before it ends, if there is one.
        before: Option<Position>,
    },
    /// Two files have the same commits.
    #[error("file {key} of partition {partition} overlaps {other}")]
    Overlap {
        /// The partition.
        partition: PartitionId,
        /// The later file.
        key: String,
        /// The earlier one.
        other: String,
    },
    /// The feed had lost records before they were archived.
    #[error(
        "the feed had lost records of partition {partition} before they came into {key}: only the ledger has them"
    )]
    Lost {
        /// The partition.
        partition: PartitionId,
        /// The file behind the gap.
        key: String,
    },
    /// What is said about a file is not what is said about files of the archive.
    #[error(transparent)]
    Broken(Broken),
}

impl Link {
    /// The file it is about.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Missing { key, .. } | Self::Overlap { key, .. } | Self::Lost { key, .. } => key,
            Self::Broken(broken) => &broken.key,
        }
    }

    /// The partition it is about, if that is known.
    #[must_use]
    pub fn partition(&self) -> Option<&PartitionId> {
        match self {
            Self::Missing { partition, .. }
            | Self::Overlap { partition, .. }
            | Self::Lost { partition, .. } => Some(partition),
            Self::Broken(broken) => broken.partition.as_ref(),
        }
    }
}

/// Why a ledger was not restored, or not to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The ledger is not empty.
    #[error(
        "the ledger is not empty: it has stream {stream}; restore into new tables, or go on with a restore that was \
         interrupted by asking to resume it"
    )]
    NotEmpty {
        /// One of its streams.
        stream: StreamName,
    },
    /// The archive is not whole; nothing was written.
    #[error("the archive is not whole, so nothing was restored: {}", list(links))]
    Chain {
        /// What is wrong with it.
        links: Vec<Link>,
    },
    /// The ledger has another commit in a place than the archive.
    #[error(
        "the ledger has another commit in stream {} than the archive: it was written to, so this is not a restore \
         that was interrupted", .conflict.stream
    )]
    Other {
        /// The commit that is there.
        conflict: Box<Conflict>,
    },
    /// The archive does not have a version.
    #[error(
        "the archive does not have version {version} of stream {stream}, though it has later ones; what was restored \
         stays, and the stream ends before it"
    )]
    Incomplete {
        /// The stream.
        stream: StreamName,
        /// The first version that is missing.
        version: Version,
    },
    /// The archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] StoreError),
}

/// The first few, and how many there are.
fn list(links: &[Link]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<_> = links.iter().take(SHOWN).map(ToString::to_string).collect();
    let rest = links.len().saturating_sub(SHOWN);
    let more = if rest == 0 { String::new() } else { format!("; and {rest} more") };
    format!("{}{more}", shown.join("; "))
}
