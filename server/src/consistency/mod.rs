//! Reading one's own writes: what a command has written comes back as a token, and a query waits until a read model has
//! applied it.
//!
//! - `token.rs`: the token, a set of streams and versions,
//! - `prefer.rs`: the header `Prefer`,
//! - `extract.rs`: both, as an extractor for routes,
//! - `reach.rs`: waiting, and what to say when the wait is in vain.

mod extract;
mod prefer;
mod reach;
mod token;

pub use extract::Consistency;
pub use reach::Freshness;
pub use token::{ConsistencyToken, MAX_TOKEN_STREAMS};

pub(crate) use prefer::Prefer;
pub(crate) use reach::applied;
pub(crate) use token::CONSISTENCY_TOKEN;
