//! Who asks.

use std::sync::{Arc, LazyLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::Scope;
use crate::{Problem, ProblemKind};

/// Who asks, and what they may do. Routes of the application take it as an argument.
///
/// ```
/// use axum::Router;
/// use axum::routing::post;
/// use headwater_server::{Principal, Problem, Scope, Services};
///
/// async fn close_the_books(principal: Principal) -> Result<&'static str, Problem> {
///     principal.must_have(&Scope::Command(Some("ledger".to_owned())))?;
///     Ok("closed")
/// }
/// let routes: Router<Services> = Router::new().route("/close", post(close_the_books));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    scopes: Arc<[Scope]>,
}

impl Principal {
    /// Somebody with these scopes.
    #[must_use]
    pub fn new(name: &str, scopes: impl Into<Arc<[Scope]>>) -> Self {
        Self { name: name.into(), scopes: scopes.into() }
    }

    /// Whoever asks a server that wants to know no names: only this machine can, unless it was told otherwise.
    #[must_use]
    pub fn anybody() -> Self {
        static ANYBODY: LazyLock<Principal> = LazyLock::new(|| Principal::new("anybody", Scope::all()));
        ANYBODY.clone()
    }

    /// The name: of the API key, or the subject of the token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is allowed.
    #[must_use]
    pub fn has(&self, scope: &Scope) -> bool {
        self.scopes.iter().any(|mine| mine.covers(scope))
    }

    /// Checks that this is allowed.
    ///
    /// # Errors
    /// [`ProblemKind::Forbidden`] naming the scope.
    pub fn must_have(&self, scope: &Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let detail = format!("{} may not do this: it needs the scope {scope}", self.name);
        Err(Problem::new(ProblemKind::Forbidden, detail).with("scope", scope.to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // The layer puts one into every request that it lets through.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(
                ProblemKind::Unauthenticated,
                "nobody was recognised: this route stands outside the server",
            )
        })
    }
}
