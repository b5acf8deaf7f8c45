//! Backfill: the rows of a projection built anew from history, beside those that are live.

mod source;

pub use source::{Damage, History, HistoryError, HistoryEvent, Lane, Part, Survey, Visit};
