//! What a query says about how fresh its answer must be, as an extractor.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use super::reach::reach;
use super::{ConsistencyToken, Freshness, Prefer};
use crate::{Problem, Services};

/// How fresh the answer of a query must be: `Consistency-Token` and `Prefer: wait=…, handling=lenient`.
///
/// Routes of the application take it to let their clients read their own writes, as the built-in ones do:
///
/// ```
/// # use axum::extract::State;
/// # use axum::response::{IntoResponse, Response};
/// # use headwater_server::{Consistency, Problem, Services};
/// async fn richest(
///     State(services): State<Services>,
///     consistency: Consistency,
/// ) -> Result<Response, Problem> {
///     let freshness = consistency.reached(&services, "balances").await?;
///     let mut response = "…".into_response();
///     freshness.mark(&mut response);
///     Ok(response)
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Consistency {
    token: ConsistencyToken,
    prefer: Prefer,
}

impl Consistency {
    /// Waits until a read model has applied what the token names, as long as the client wants to wait.
    ///
    /// # Errors
    /// [`Problem`] of the kinds `projection-behind`, `projection-paused`, `rebuild-needed` and `stream-parked`, unless the client takes an
    /// older answer; others when the read model is unknown or cannot be read.
    ///
    /// # Cancel safety
    /// Safe: it keeps nothing.
    pub async fn reached(&self, services: &Services, projection: &str) -> Result<Freshness, Problem> {
        match reach(services, projection, &self.token, self.prefer.wait).await {
            Ok(()) => Ok(Freshness::Reached),
            Err(problem)
                if self.prefer.lenient && problem.kind.status() == axum::http::StatusCode::CONFLICT =>
            {
                Ok(Freshness::Stale)
            }
            Err(problem) => Err(problem),
        }
    }
}

impl Freshness {
    /// Says in an answer that it is older than asked for; nothing when it is not.
    pub fn mark(self, response: &mut Response) {
        if self == Self::Stale {
            let value = axum::http::HeaderValue::from_static("stale");
            response.headers_mut().insert(axum::http::HeaderName::from_static("read-model-freshness"), value);
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Consistency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = ConsistencyToken::from_headers(&parts.headers)?;
        Ok(Self { token, prefer: Prefer::from_headers(&parts.headers)? })
    }
}
