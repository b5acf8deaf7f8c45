//! What a route needs.

use axum::http::Method;

use super::Scope;

/// What somebody must have to be let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: not even a name.
    Nothing,
    /// A name; the route itself looks at the scopes.
    Name,
    /// Every one of these.
    Scopes(Vec<Scope>),
}

impl Need {
    /// What a route needs, by its template, such as `/v1/read-models/{name}`, and by the path itself, whose segments are
    /// still percent-encoded. A path that leads nowhere has no template.
    pub(super) fn of(method: &Method, template: Option<&str>, path: &str) -> Self {
        let Some(template) = template else { return Self::Name };
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let named = |index: usize| segment(path, index);
        let segments: Vec<&str> = template.split('/').skip(1).collect();
        match segments.as_slice() {
            ["livez" | "readyz" | "openapi.json" | "docs" | "problems", ..] => Self::Nothing,
            ["metrics"] => Self::Scopes(vec![Scope::AdminRead]),
            ["v1", "admin", ..] if reads => Self::Scopes(vec![Scope::AdminRead]),
            ["v1", "admin", ..] => Self::Scopes(vec![Scope::Admin]),
            ["v1", "streams", "{category}", "{id}", "commands", ..] => {
                Self::Scopes(vec![Scope::Command(Some(named(2)))])
            }
            // What is known of a stream without what is in it.
            ["v1", "streams", "{category}", "{id}"] => Self::Scopes(vec![Scope::Query(None)]),
            ["v1", "streams" | "events", ..] => Self::Scopes(vec![Scope::Query(None), Scope::Payload]),
            ["v1", "read-models", "{name}", ..] => Self::Scopes(vec![Scope::Query(Some(named(2)))]),
            // Each command of a batch is looked at by the route, the catalogue shows names only, and routes of the
            // application have rules of their own.
            _ => Self::Name,
        }
    }
}

/// A segment of a path, decoded: what is compared with a scope is what the route will see.
fn segment(path: &str, index: usize) -> String {
    let raw = path.split('/').skip(1).nth(index).unwrap_or_default();
    percent_encoding::percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_needs_its_scopes() {
        let cases = [
            ("GET", "/livez", "/livez", None),
            ("GET", "/metrics", "/metrics", Some("admin:read")),
            (
                "POST",
                "/v1/streams/{category}/{id}/commands/{name}",
                "/v1/streams/account/7/commands/open",
                Some("command:account"),
            ),
            (
                "POST",
                "/v1/streams/{category}/{id}/commands/{name}",
                "/v1/streams/acc%6funt/7/commands/open",
                Some("command:account"),
            ),
            ("GET", "/v1/streams/{category}/{id}", "/v1/streams/account/7", Some("query")),
            (
                "GET",
                "/v1/streams/{category}/{id}/events",
                "/v1/streams/account/7/events",
                Some("query payload"),
            ),
            (
                "GET",
                "/v1/streams/{category}/{id}/state",
                "/v1/streams/account/7/state",
                Some("query payload"),
            ),
            (
                "GET",
                "/v1/streams/{category}/{id}/events/{version}",
                "/v1/streams/account/7/events/1",
                Some("query payload"),
            ),
            ("GET", "/v1/events", "/v1/events", Some("query payload")),
            ("GET", "/v1/read-models/{name}/{key}", "/v1/read-models/balances/7", Some("query:balances")),
            ("GET", "/v1/read-models/{name}", "/v1/read-models/balances", Some("query:balances")),
            ("GET", "/v1/admin/projections", "/v1/admin/projections", Some("admin:read")),
            ("HEAD", "/v1/admin/projections", "/v1/admin/projections", Some("admin:read")),
            ("POST", "/v1/admin/projections/{p}/pause", "/v1/admin/projections/x/pause", Some("admin")),
            ("POST", "/v1/admin/projections/{p}/promote", "/v1/admin/projections/x/promote", Some("admin")),
            ("POST", "/v1/admin/projections/{p}/rollback", "/v1/admin/projections/x/rollback", Some("admin")),
            ("POST", "/v1/admin/projections/{p}/rebuilds", "/v1/admin/projections/x/rebuilds", Some("admin")),
            ("GET", "/v1/admin/operations/{id}", "/v1/admin/operations/x-1", Some("admin:read")),
            ("POST", "/v1/admin/operations/{id}/cancel", "/v1/admin/operations/x-1/cancel", Some("admin")),
        ];
        for (method, template, path, expected) in cases {
            let need = Need::of(&method.parse().unwrap(), Some(template), path);
            let expected = match expected {
                None => Need::Nothing,
                Some(scopes) => Need::Scopes(scopes.split(' ').map(|scope| scope.parse().unwrap()).collect()),
            };
            assert_eq!(need, expected, "{method} {path}");
        }
    }

    #[test]
    fn what_is_not_known_needs_a_name() {
        for template in [None, Some("/transfers"), Some("/v1/commands"), Some("/v1/read-models"), Some("/")] {
            assert_eq!(Need::of(&Method::GET, template, "/x"), Need::Name, "{template:?}");
        }
    }
}
