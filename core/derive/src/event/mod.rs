//! `#[derive(Event)]`.

mod derive;
mod expand;
mod model;

pub(crate) use derive::derive;
