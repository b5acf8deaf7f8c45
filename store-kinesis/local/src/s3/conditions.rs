//! Conditions of reads: `If-Match` and `If-None-Match` on GET and HEAD.

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_LENGTH, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH},
};

use super::answers::{Answer, empty, refusal};

/// What a read is conditional on.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    head: bool,
    matches: Option<String>,
    none_matches: Option<String>,
}

impl Conditions {
    /// The conditions of a request; none unless it reads.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Self::default();
        }
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        Self { head: *method == Method::HEAD, matches: text(IF_MATCH), none_matches: text(IF_NONE_MATCH) }
    }

    /// The answer, if the object that it shows meets the conditions; otherwise what S3 says instead.
    pub(crate) fn apply(&self, answer: Answer) -> Answer {
        let tag = answer.headers().get(ETAG).filter(|_| answer.status().is_success()).cloned();
        let Some(tag) = tag else { return answer };
        let names = |list: &str| {
            list.split(',').map(str::trim).any(|one| one == "*" || one.as_bytes() == tag.as_bytes())
        };
        if self.matches.as_deref().is_some_and(|list| !names(list)) {
            let mut refused = refusal(
                StatusCode::PRECONDITION_FAILED,
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
            );
            if self.head {
                refused = empty(StatusCode::PRECONDITION_FAILED);
            }
            return refused;
        }
        if self.none_matches.as_deref().is_some_and(names) {
            let mut unchanged = empty(StatusCode::NOT_MODIFIED);
            unchanged.headers_mut().insert(ETAG, tag);
            unchanged.headers_mut().remove(CONTENT_LENGTH);
            return unchanged;
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_answered_when_its_conditions_hold() {
        for (name, list, expected) in [
            (IF_MATCH, "\"a\"", 200),
            (IF_MATCH, "\"b\"", 412),
            (IF_MATCH, "\"b\", \"a\"", 200),
            (IF_MATCH, "*", 200),
            (IF_NONE_MATCH, "\"a\"", 304),
            (IF_NONE_MATCH, "\"b\"", 200),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(&name, list.parse().unwrap());
            let mut answer = empty(StatusCode::OK);
            answer.headers_mut().insert(ETAG, "\"a\"".parse().unwrap());
            let answer = Conditions::of(&Method::GET, &headers).apply(answer);
            assert_eq!(answer.status(), expected, "{name} {list}");
        }
    }

    #[test]
    fn a_refusal_stays_as_it_is() {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, "*".parse().unwrap());
        let answer = Conditions::of(&Method::GET, &headers).apply(empty(StatusCode::NOT_FOUND));
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}
