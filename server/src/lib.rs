//! Headwater over HTTP and on the command line: link it, name your aggregates and read models, and have a service.
//!
//! [`App`] is the whole of it. Routes of your own take [`Services`], [`CommandOptions`], [`Consistency`] and [`JsonBody`],
//! and answer with [`executed_response`] or [`Problem`], to behave as the built-in ones do.

mod accept;
mod aggregates;
mod app;
mod archive;
mod auth;
mod backends;
mod body;
mod cli;
mod config;
mod consistency;
mod doctor;
mod exit;
mod extract;
mod feed;
mod headers;
mod http_client;
mod import;
mod observe;
mod openapi;
mod prepare;
mod problem;
#[cfg(doctest)]
mod readme;
mod rebuild;
mod routes;
mod services;
mod serving;
mod stopping;

pub use app::{App, Handler};
pub use auth::{Principal, Scope, ScopeError};
pub use body::JsonBody;
pub use consistency::{Consistency, ConsistencyToken, Freshness, MAX_TOKEN_STREAMS};
pub use extract::CommandOptions;
pub use headers::options_from;
pub use prepare::Preparing;
pub use problem::{Problem, ProblemKind};
pub use routes::{MAX_BODY_BYTES, batch_response, executed_response};
pub use services::{ServiceParts, Services};
pub use stopping::Stopping;
