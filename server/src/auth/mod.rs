//! Who asks, and what they may do.
//!
//! - `scope.rs`: what may be allowed, `need.rs`: what a route needs,
//! - `principal.rs`: who asks, for routes and for the audit log,
//! - `settings.rs`: keys and tokens that are accepted, `keys.rs`: API keys, `tokens.rs`: JWTs, `jwks.rs`: the keys they
//!   are signed with, `signature.rs`: checking signatures,
//! - `authenticate.rs`: the layer that lets a request through or not,
//! - `audit.rs`: the layer that writes down who changed what.

mod audit;
mod authenticate;
mod jwks;
mod keys;
mod need;
mod principal;
mod scope;
mod settings;
mod signature;
#[cfg(test)]
mod tests;
mod tokens;

pub use principal::Principal;
pub use scope::{Scope, ScopeError};

pub(crate) use audit::audit;
pub(crate) use authenticate::{Auth, authenticate};
pub(crate) use keys::new_key;
pub(crate) use settings::{AuthMistake, AuthSettings};
