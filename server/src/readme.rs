//! The README's service is compiled here as a doc test, so that it cannot go stale.

#[doc = include_str!("../../README.md")]
struct Readme;

/// So are the examples of the page about rules and events.
#[doc = include_str!("../../docs/events.md")]
struct Events;
