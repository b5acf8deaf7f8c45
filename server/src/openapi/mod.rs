//! What the routes are, said once: the router and the OpenAPI 3.1 description are made from the same list.
//!
//! - `operation.rs`: one operation, with its handler, its types and the problems it can end in,
//! - `scope.rs`: what a caller must be allowed to do for it,
//! - `document.rs`: all of them as one OpenAPI document, types of the application included,
//! - `hoist.rs`: JSON Schemas of the application as components of that document.

mod document;
mod hoist;
mod operation;
mod scope;

pub(crate) use document::{Category, Described, document};
pub(crate) use operation::{Form, Operation};
pub(crate) use scope::Scope;
