//! The store conformance suite: what every backend must do, one named check each.
//!
//! A backend says how a fresh, empty store is opened:
//!
//! ```
//! use headwater::testing::conformance::{Backend, Opened, Pages};
//!
//! /// Opens a store with so many commits a page.
//! struct MyBackend(fn(usize) -> Opened);
//!
//! #[async_trait::async_trait]
//! impl Backend for MyBackend {
//!     async fn open(&self, pages: Pages) -> Opened {
//!         (self.0)(if pages == Pages::Tiny { 2 } else { 1_000 })
//!     }
//! }
//! ```
//!
//! One line in its tests, `headwater::store_conformance!(MyBackend(open));`, then makes a test of every check. The tests
//! need tokio with its features `macros` and `rt-multi-thread`. [`checks`] gives the same checks as a list, and
//! [`failures`] runs them all and says which fail.
//!
//! Checks of commands ([`Executor`](crate::Executor)) run on the backend as well: what a store gets wrong shows there.

mod backend;
mod content;
mod executor;
mod expected;
mod feed;
mod keys;
mod limits;
mod list;
mod paging;
mod races;
mod ranges;
mod retries;
mod run;
mod scans;
mod snapshots;
mod tools;
mod transactions;

pub use backend::{Backend, Opened, Pages, Scale};
pub use list::{Check, CheckFuture, checks};
pub use run::{Failure, failures, run};
