//! The ledger: one DynamoDB table that decides.
//!
//! - `store.rs`: the table,
//! - `item.rs`: what a commit looks like in it, with sizes in bytes; `events.rs`: the events in it,
//! - `place.rs`: where a commit goes: the rule that makes holes impossible, and how an own earlier try is found,
//! - `append.rs`, `transaction.rs`: the writes and what a failed condition means,
//! - `page.rs`: how a stream is read; `requests.rs`: every read request that is sent,
//! - `scan.rs`: how the whole table is read,
//! - `heads.rs`: versions known to be the end of a commit,
//! - `error.rs`: the ledger's own error.

mod append;
mod error;
mod events;
#[cfg(test)]
mod fuzz;
mod heads;
mod item;
mod page;
mod place;
mod requests;
mod scan;
mod store;
mod transaction;

pub(crate) use error::Fault;
#[cfg(test)]
pub(crate) use item::encode;
pub(crate) use item::{Item, NUMBER, WRITER, place_of};
pub(crate) use requests::Table;
pub(crate) use scan::Cursor;
pub(crate) use store::{Ledger, table};

/// Limits of the ledger that are its own; those of commits are in [`headwater::store::limits`].
pub mod limits {
    use std::time::Duration;

    /// Bytes of an item, attribute names included; AWS sets it.
    pub const ITEM_BYTES: usize = 400 * 1024;
    /// Streams whose newest ends of commits are remembered, about 150 bytes each.
    pub const HEADS: usize = 16_384;
    /// Tries of an append that expects no exact version to find the head before another writer does.
    pub const HEAD_TRIES: u32 = 20;
    /// Tries of a write that other transactions are in the way of.
    pub const TRANSACTION_TRIES: u32 = 8;
    /// Commits of the first page of a read that stops at a snapshot.
    pub const SNAPSHOT_PAGE_COMMITS: usize = 100;
    /// How much older than the commit sent a commit id must be for the search for an own earlier try to end: more
    /// than the clocks of writers differ, and than lies between making an id and writing the commit.
    pub const SEARCH_BEFORE: Duration = Duration::from_secs(60);
    /// Commits of a page of that search; its first page is the head alone.
    pub const SEARCH_PAGE_COMMITS: i32 = 100;
    /// Most pages of that search.
    pub const SEARCH_PAGES: u32 = 20;
}
