//! The seam to the row stores: where rows, applied versions and parked streams are kept.

mod error;
mod memory;
mod traits;

pub use error::RowError;
pub use memory::MemoryRows;
pub use traits::{
    Generation, List, LoadedRows, MAX_PAGE_ROWS, RowPage, RowStore, StoredRow, Wanted, Written,
};
