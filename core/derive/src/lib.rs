//! The derives of Headwater. Use them through `headwater`, which re-exports them and documents the traits.
//!
//! Each derive has the same four steps: parse what is written, make a model of it, check the model, expand it. All
//! mistakes are reported together, each on its token; with them comes a stub of the impl, so that one mistake is one
//! error and not ten.

mod aggregate;
mod attribute;
mod command;
mod event;
mod mistakes;
mod name;
mod payload;
mod projection;
mod serde;
mod variants;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `headwater::Event` for an enum with struct and unit variants.
///
/// On a variant: `#[event(name = "…")]` sets the wire name, which is the variant's name otherwise;
/// `#[event(version = 2, from = OpenedV1)]` raises the version and names the payloads of the versions before, oldest
/// first (`from(OpenedV1, OpenedV2)`), each with `impl From<OpenedV1>` for the enum; `#[event(was = "Begun")]` names
/// older wire names of the same payload.
///
/// On the enum: `#[event(retired(name = "Moved", version = 1, from = MovedV1))]` keeps a type that is no longer
/// written readable; `impl From<MovedV1> for Vec<TheEnum>` says what it becomes: one event, several, or none.
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input).into()
}

/// Derives `headwater::Command` for an enum with struct and unit variants.
///
/// The wire name is the variant's name in kebab case, or `#[command(name = "…")]`.
#[proc_macro_derive(Command, attributes(command))]
pub fn derive_command(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    command::derive(&input).into()
}

/// Derives `headwater::Aggregate` for a struct that implements `headwater::Decider`.
///
/// `#[aggregate(category = "account")]` names the category of its streams. With
/// `snapshot(every = 100, version = 1)` its state rides along in a commit every 100 events; raise the version when
/// the state or `apply` changes.
#[proc_macro_derive(Aggregate, attributes(aggregate))]
pub fn derive_aggregate(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    aggregate::derive(&input).into()
}

/// Derives `headwater_projections::Projection` for a struct, the row of a read model.
///
/// `#[projection(name = "deposits-by-day", version = 1, from(Account), shared, index(total))]`: its name; the version
/// of its shape and rules, 1 when left out; the aggregates it reads; `shared` when one row is fed by several streams;
/// the fields it can be searched by.
#[proc_macro_derive(Projection, attributes(projection))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    projection::derive(&input).into()
}
