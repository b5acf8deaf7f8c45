//! The reference backend of Headwater: streams and feed in memory, gone when the process ends.
//!
//! It serves tests, and it is meant to be read first by whoever writes a backend: the smallest honest implementation
//! of [`EventStore`](headwater::EventStore) and [`EventFeed`](headwater::EventFeed). Read
//!
//! - `shard.rs` for how a commit is judged and written,
//! - `transaction.rs` for several streams at once,
//! - `page.rs` for how a stream is read,
//! - `scan.rs` for how all streams are read,
//! - `feed.rs` for the log and how its readers are woken.
//!
//! ```
//! use headwater::store::{Append, Read};
//! use headwater::{EventData, EventStore, Expected, StreamName, Version};
//! use headwater_store_memory::MemoryStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new();
//! let door = StreamName::parse("door/front")?;
//! let opened = EventData { name: "Opened".into(), schema: 1, payload: "{}".into() };
//!
//! let first = store.append(Append::new(door.clone(), Expected::NoStream, vec![opened.clone()])).await?;
//! assert_eq!(first.commit.last(), Version(1));
//!
//! let late = store.append(Append::new(door.clone(), Expected::NoStream, vec![opened])).await.unwrap_err();
//! assert_eq!(late.to_string(), "stream door/front is at version 1, expected no stream");
//!
//! let page = store.read(&door, Read::all()).await?;
//! assert_eq!(page.commits, [first.commit]);
//! # Ok(())
//! # }
//! ```

mod feed;
mod page;
mod scan;
mod shard;
mod store;
mod transaction;

pub use store::MemoryStore;
