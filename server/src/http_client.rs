//! The HTTP client of this binary: to servers of its own kind, and to whoever has the keys of tokens. HTTP/1, TLS with
//! the certificates the system trusts; limits on time and on what is taken in.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, its body included unless it is read piece by piece.
const ANSWER: Duration = Duration::from_secs(60);
/// Most bytes of an answer that is read whole.
pub(crate) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Idle connections that are kept for each server.
const IDLE: usize = 256;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A client; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// An answer that was read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("{address:?} is no address: write one such as http://127.0.0.1:8080")]
    Address { address: String },
    #[error("{name} has characters that a header cannot carry")]
    Header { name: String },
    #[error("{host} cannot be reached")]
    Unreachable { host: String, source: Source },
    #[error("{host} did not answer within {} seconds", ANSWER.as_secs())]
    TooSlow { host: String },
    #[error("the answer of {host} could not be read")]
    Answer { host: String, source: Source },
    #[error("the certificates that this system trusts cannot be read")]
    Certificates { source: std::io::Error },
}

impl HttpClient {
    pub(crate) fn new() -> Result<Self, HttpError> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let provider = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
        let tls = tls.map_err(|source| HttpError::Certificates { source })?;
        let connector = tls.https_or_http().enable_http1().wrap_connector(http);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_max_idle_per_host(IDLE);
        Ok(Self { client: client.build(connector) })
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        address: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<Answer, HttpError> {
        let host = host(address)?;
        let ask = async {
            let answer = self.open(method, address, headers, body).await?;
            let (parts, body) = whole(answer, &host).await?.into_parts();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        match tokio::time::timeout(ANSWER, ask).await {
            Ok(answer) => answer,
            Err(_) => Err(HttpError::TooSlow { host: host.clone() }),
        }
    }

    /// Sends a request as somebody else made it, and reads the whole answer. Its time is limited by whoever calls.
    #[cfg(feature = "otlp")]
    pub(crate) async fn pass(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let host = host(&request.uri().to_string())?;
        match self.client.request(request.map(Full::new)).await {
            Ok(answer) => whole(answer, &host).await,
            Err(source) => Err(HttpError::Unreachable { host, source: Box::new(source) }),
        }
    }

    /// Asks, and gives the answer as it comes: for those without an end.
    pub(crate) async fn open(
        &self,
        method: Method,
        address: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<Response<Incoming>, HttpError> {
        let host = host(address)?;
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_| HttpError::Header { name: (*name).to_owned() })?;
            request = request.header(HeaderName::from_static(name), value);
        }
        let request = request.body(Full::new(body));
        let request = request.map_err(|_| HttpError::Address { address: address.to_owned() })?;
        match tokio::time::timeout(ANSWER, self.client.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => Err(HttpError::Unreachable { host, source: Box::new(source) }),
            Err(_) => Err(HttpError::TooSlow { host }),
        }
    }
}

/// An answer with its whole body.
async fn whole(answer: Response<Incoming>, host: &str) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    let body = body.map_err(|source| HttpError::Answer { host: host.to_owned(), source })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// Scheme, name and port of an address.
pub(crate) fn host(address: &str) -> Result<String, HttpError> {
    let wrong = || HttpError::Address { address: address.to_owned() };
    let uri: Uri = address.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        // Whoever wrote a password into the address does not want to read it in an error.
        (Some(scheme @ ("http" | "https")), Some(authority)) => {
            let host = authority.as_str().rsplit('@').next().unwrap_or_default();
            Ok(format!("{scheme}://{host}"))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host_and_its_password_is_not_shown() {
        assert_eq!(host("http://u:secret@127.0.0.1:8080/v1").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(host("https://example.org/x").unwrap(), "https://example.org");
        for address in ["", "example.org", "ftp://example.org", "/v1", "http://", "http://a b"] {
            assert!(matches!(host(address), Err(HttpError::Address { .. })), "{address}");
        }
    }
}
