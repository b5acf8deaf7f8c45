//! Problems: every error a client can get, from one catalogue, as `application/problem+json` (RFC 9457).
//!
//! - `kind.rs`: the catalogue, the only place where slug, status, exit code, cause and fix of an error are written,
//! - `answer.rs`: one problem as an answer,
//! - `from.rs`: which kind the errors of the layers below are,
//! - `pages.rs`: a page for each kind, at the address that its `type` names.

mod answer;
mod from;
mod kind;
mod pages;

pub use answer::Problem;
pub use kind::ProblemKind;

pub(crate) use pages::{list, page};
