//! The README's service is compiled here as a doc test, so that it cannot go stale.

#[doc = include_str!("../../README.md")]
struct Readme;
