//! The tests of the crate from outside: one binary, one module for each part.

#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail the test by panicking"
)]

mod codec;
mod derive;
mod lock;
mod schema;
mod torn;
mod ui;
