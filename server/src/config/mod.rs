//! Configuration: flags over environment over `headwater.toml` over defaults. Read once, checked once, at the edge.
//!
//! - `settings.rs`: every setting, with its default,
//! - `load.rs`: reading them, and where each is from,
//! - `mistake.rs`: what is wrong with one, in words that say what to do,
//! - `show.rs`: what is shown of them; `secret.rs`: what is not.

mod load;
mod mistake;
mod secret;
mod settings;
mod show;
#[cfg(test)]
mod tests;

pub(crate) use load::{Config, Flag};
pub(crate) use mistake::ConfigError;
pub(crate) use secret::Secret;
pub(crate) use settings::{Delivery, Feed, LogFormat, Otlp, Settings};
pub(crate) use show::Shown;
