//! Rows: a [`RowStore`](headwater_projections::RowStore) over one DynamoDB table for each generation.
//!
//! - `store.rs`: configuration, and the operations of the trait, each in a few lines,
//! - `layout.rs`: keys and attribute names; the README of this package describes the layout,
//! - `row.rs`: a row as an item; `fields.rs`: its fields as attributes that give back the same JSON, in `fields/`
//!   numbers as DynamoDB has them and the sizes it counts; `stream.rs`: what is known of a stream as an item,
//! - `write.rs`: conditional writes and what their failures mean, `single.rs` and `transaction.rs` the two requests,
//! - `many.rs`: many new rows in one request, for filling a generation,
//! - `load.rs`: batched loads, `pages.rs`: pages that are merged from several partitions,
//! - `query.rs`: rows by index, `books.rs`: parked streams and audit entries,
//! - `shape.rs`: making, knowing and dropping tables,
//! - `error.rs`: what DynamoDB's errors mean.

mod books;
mod error;
mod fields;
mod layout;
mod load;
mod many;
mod pages;
mod query;
mod row;
mod shape;
mod single;
mod store;
mod stream;
mod transaction;
mod write;

pub use store::{Config, DynamoRows};

/// Limits of the row store that are its own; those of rows and pages are in [`headwater_projections`].
pub mod limits {
    /// Partitions over which the rows of a generation are spread, and the streams, and the values of an index.
    pub const BUCKETS: u8 = 16;
    /// Bytes of an item, attribute names included; AWS sets it.
    pub const ITEM_BYTES: usize = 400 * 1024;
    /// Bytes of the items of a transaction; AWS sets it.
    pub const TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
    /// Levels of lists and maps in an attribute; AWS allows 32.
    pub const NESTING: usize = 30;
    /// Indexes of a generation: AWS allows 20 for a table, and one is that of parked streams.
    pub const INDEXES: usize = 19;
    /// Bytes of an index's name; AWS allows 255, and attributes are named after it.
    pub const INDEX_NAME_BYTES: usize = 250;
    /// Bytes of a field's name that can be the name of an attribute; AWS allows 65,535.
    pub const FIELD_NAME_BYTES: usize = 60_000;
    /// Keys of a batched read; AWS sets it.
    pub const BATCH_KEYS: usize = 100;
    /// Batched reads under way for one load.
    pub const BATCHES_IN_FLIGHT: usize = 4;
    /// Statements of a batched write; AWS sets it.
    pub const BATCH_STATEMENTS: usize = 25;
    /// Characters of a statement; AWS sets it. A row of which the names have more is written alone.
    pub const STATEMENT_BYTES: usize = 8_192;
    /// Bytes of the rows of a batched write; a larger row is in a batch of its own.
    pub const BATCH_BYTES: usize = 1024 * 1024;
    /// Batched writes under way for one call.
    pub const INSERTS_IN_FLIGHT: usize = 8;
    /// Tries in a row of a batched read that bring nothing.
    pub const BATCH_TRIES: u32 = 8;
    /// Tries of a write that transactions are in the way of.
    pub const CONFLICT_TRIES: u32 = 8;
    /// Tries to park a stream while other owners change its record.
    pub const PARK_TRIES: u32 = 8;
    /// Times that the partitions of a page are asked before the page ends, full or not.
    pub const PAGE_ROUNDS: u32 = 64;
    /// Bytes of rows after which a page ends, full or not.
    pub const PAGE_BYTES: usize = 4 * 1024 * 1024;
    /// Generations whose tables are remembered.
    pub const SHAPES: usize = 1_024;
}
