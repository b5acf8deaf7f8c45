//! A bank on Headwater: accounts with an overdraft limit, transfers, three read models, fed with real transactions.

pub mod account;
mod app;
pub mod commands;
pub mod convert;
pub mod money;
pub mod read_models;
pub mod transfer;
pub mod wires;

pub use app::app;
