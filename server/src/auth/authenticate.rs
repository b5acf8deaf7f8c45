//! The layer that lets a request through or not: who asks, and whether they may.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::keys::{BEGIN, Keys};
use super::need::Need;
use super::settings::AuthSettings;
use super::tokens::{Refused, Tokens};
use super::{Principal, Scope};
use crate::{Problem, ProblemKind};

/// Who is accepted.
#[derive(Debug, Clone)]
pub(crate) struct Auth(Arc<Accepted>);

#[derive(Debug)]
enum Accepted {
    /// Everybody; then only what is typed or run on this machine may ask, not a page that a browser shows.
    Everybody { anywhere: bool },
    /// Whoever has one of these.
    Holders { keys: Keys, tokens: Option<Tokens> },
}

impl Auth {
    /// As it is configured; `anywhere` is whether others than this machine can ask.
    pub(crate) fn new(settings: &AuthSettings, anywhere: bool) -> Self {
        Self(Arc::new(match settings.is_open() {
            true => Accepted::Everybody { anywhere },
            false => Accepted::Holders {
                keys: Keys::new(&settings.keys),
                tokens: settings.jwt.as_ref().map(Tokens::new),
            },
        }))
    }

    async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let (keys, tokens) = match &*self.0 {
            Accepted::Everybody { anywhere: true } => return Ok(Principal::anybody()),
            Accepted::Everybody { anywhere: false } => {
                return from_here(headers).map(|()| Principal::anybody());
            }
            Accepted::Holders { keys, tokens } => (keys, tokens),
        };
        let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::to_str);
        let Some(Ok(bearer)) = bearer else {
            return Err(nobody("nothing says who asks: send Authorization: Bearer and a key or token"));
        };
        let token = match bearer.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(nobody("the header Authorization is not Bearer and a key or token")),
        };
        match tokens {
            Some(tokens) if !token.starts_with(BEGIN) => {
                tokens.owner(token).await.map_err(|refused| match refused {
                    Refused::Token(reason) => nobody(&format!("the token is not accepted: {reason}")),
                    Refused::Keys(reason) => Problem::new(ProblemKind::Unavailable, reason),
                })
            }
            _ => keys.owner(token).ok_or_else(|| nobody("the key is not known")),
        }
    }
}

impl Default for Auth {
    /// Everybody, as routers of tests want it.
    fn default() -> Self {
        Self(Arc::new(Accepted::Everybody { anywhere: true }))
    }
}

/// Lets a request through when somebody asks who may.
pub(crate) async fn authenticate<F: Future<Output = Response>>(
    auth: &Auth,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let need = Need::of(request.method(), template, request.uri().path());
    let principal = match (auth.principal(request.headers()).await, &need) {
        (Ok(principal), _) => principal,
        (Err(_), Need::Nothing) => Principal::new("anonymous", Vec::<Scope>::new()),
        (Err(problem), _) => return problem.into_response(),
    };
    if let Need::Scopes(scopes) = &need
        && let Err(problem) = scopes.iter().try_for_each(|scope| principal.must_have(scope))
    {
        return problem.into_response();
    }
    request.extensions_mut().insert(principal);
    next(request).await
}

fn nobody(detail: &str) -> Problem {
    Problem::new(ProblemKind::Unauthenticated, detail)
}

/// Whether a request that says nothing of who asks comes from this machine and not from a page of somebody else that a
/// browser of this machine shows: such a page has another origin, or a name that was made to lead here.
fn from_here(headers: &HeaderMap) -> Result<(), Problem> {
    for (name, what) in [(header::HOST, "is for"), (header::ORIGIN, "comes from a page of")] {
        let Some(value) = headers.get(&name) else { continue };
        let value = value.to_str().unwrap_or_default();
        let host = value.split_once("://").map_or(value, |(_, host)| host);
        if !is_this_machine(host) {
            let detail = format!(
                "the request {what} {value:?}, and without API keys or tokens this server answers this machine alone: \
                 use 127.0.0.1 or localhost, or configure auth"
            );
            return Err(Problem::new(ProblemKind::Forbidden, detail));
        }
    }
    Ok(())
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "127.8.0.1", "[::1]:8080", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "null",
            "example.org",
            "localhost.example.org:80",
            "10.0.0.1",
            "127.0.0.1.example.org",
            "[::2]",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
