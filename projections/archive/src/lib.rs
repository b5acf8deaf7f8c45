//! The archive: every commit of the feed in Parquet files on S3, for rebuilds, for restoring a ledger, and for anybody
//! who reads Parquet.
//!
//! [`Archive`] is where the files are. A [group](Archive::group) writes them, one chain of files for each partition of
//! the feed; [`Archive::files`] lists them and checks the chains; [`Archive::read`] reads one. [`ArchiveHistory`] is what
//! backfills read. [`restore`] brings a ledger
//! back, and [`compare`] proves that archive and ledger hold the same.
//!
//! A file holds commits exactly as the feed handed them out, repeats included. Whoever reads drops repeats by version and
//! turns to the ledger for what is missing, as all readers of the feed do.

mod archive;
pub mod athena;
mod chain;
mod commits;
mod compare;
mod decode;
mod encode;
mod error;
mod file;
#[cfg(test)]
mod fuzz;
mod history;
mod hold;
pub mod limits;
pub mod objects;
mod open;
mod partition;
mod replay;
mod restore;
mod schema;
mod source;
mod work;

pub use archive::{Archive, Files};
pub use compare::{Comparison, Difference, compare};
pub use decode::{ArchivedEvent, Columns, Rest};
pub use error::{ArchiveError, Broken, Link, RestoreError};
pub use file::ArchiveFile;
pub use restore::{Restored, restore};
pub use source::ArchiveHistory;
pub use work::{GROUP, Rotation};
