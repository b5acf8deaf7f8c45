//! Refusals in the shape of S3.

use hyper::{Response, StatusCode, header::CONTENT_TYPE};

/// The answer to a request.
pub(crate) type Answer = Response<s3s::Body>;

/// A refusal by its code in the API.
pub(crate) fn refusal(status: StatusCode, code: &str, message: &str) -> Answer {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let mut answer = empty(status);
    *answer.body_mut() = s3s::Body::from(body);
    let xml = hyper::header::HeaderValue::from_static("application/xml");
    answer.headers_mut().insert(CONTENT_TYPE, xml);
    answer
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(s3s::Body::empty());
    *answer.status_mut() = status;
    answer
}
