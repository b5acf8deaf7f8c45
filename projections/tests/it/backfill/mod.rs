//! Backfill: whatever the history, the memory and the moment of death, rows are those of a plain fold.

mod asked;
mod exact;
mod faults;
mod inspection;
mod operations;
mod pieces;
mod prepared;
mod table;
mod world;
