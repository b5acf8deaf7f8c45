//! Paths and queries of requests; what is wrong with them becomes a [`Problem`].

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use headwater::Options;
use serde::de::DeserializeOwned;

use crate::Problem;
use crate::headers::options_from;

/// The parts of a path, decoded.
pub(crate) struct PathOf<T>(pub(crate) T);

/// The parameters of a query; one that is not known is refused.
pub(crate) struct QueryOf<T>(pub(crate) T);

/// What a request says along with a command: expectation, key and metadata. Routes of the application take it to give
/// their commands the same preconditions and idempotency as the built-in one; see [`options_from`].
#[derive(Debug, Clone, Default)]
pub struct CommandOptions(pub Options);

impl<S: Send + Sync> FromRequestParts<S> for CommandOptions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        options_from(&parts.headers).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(rejection) => {
                Err(Problem::invalid(format!("the path does not fit: {}", rejection.body_text())))
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                Err(Problem::invalid(format!("the query does not fit: {}", rejection.body_text())))
            }
        }
    }
}
