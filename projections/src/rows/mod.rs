//! The seam to the row stores: where rows, applied versions and parked streams are kept.

mod check;
pub mod cursor;
mod error;
pub mod index;
mod memory;
mod query;
mod traits;

pub use check::check_keys;
pub use error::RowError;
pub use memory::MemoryRows;
pub use query::{Direction, List, MAX_PAGE_ROWS, Query, Range, RowPage, Scalar, check_limit};
pub use traits::{AuditPage, Generation, LoadedRows, RowStore, StoredRow, Wanted, Written};
