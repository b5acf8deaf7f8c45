//! The seam to the backends: bytes below, types above. Object-safe, no type parameters.

mod append;
mod capabilities;
mod error;
mod feed;
mod read;
mod scan;
mod traits;

pub(crate) use append::each_once;
pub use append::{Append, Appended, Check, Invalid, Transaction};
pub use capabilities::{Capabilities, limits};
pub use error::{Conflict, ErrorKind, Source, StoreError};
pub use feed::{Behind, EventFeed, FeedBatch, FeedRecord, Partition, PartitionId, Position};
pub use read::{Consistency, Direction, Loaded, Page, Read};
pub use scan::{Scan, ScanCursor, ScanPage};
pub use traits::{EventStore, EventStoreExt};
