//! Asking a server over its `/v1` API.

use axum::http::{HeaderMap, Method, header};
use bytes::Bytes;
use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::error::CliError;
use crate::config::Secret;
use crate::http_client::{Answer, HttpClient};

/// What stays as it is in a segment of a path or a value of a query.
const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: HttpClient,
    server: String,
    authorization: Option<String>,
}

/// A text as a segment of a path or a value of a query.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SAFE).to_string()
}

impl Api {
    pub(super) fn new(server: &str, key: Option<&Secret>) -> Result<Self, CliError> {
        let server = server.trim_end_matches('/').to_owned();
        let client = HttpClient::new().map_err(|source| CliError::Http { server: server.clone(), source })?;
        Ok(Self { client, server, authorization: key.map(|key| format!("Bearer {}", key.reveal())) })
    }

    /// The server's address.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// What is at a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, CliError> {
        let answer = self.send(Method::GET, path, &[], Bytes::new()).await?;
        self.read(&answer)
    }

    /// Sends a document.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        document: &Value,
    ) -> Result<(HeaderMap, Value), CliError> {
        let answer = self.send(Method::POST, path, headers, document.to_string().into()).await?;
        let document = self.read(&answer)?;
        Ok((answer.headers, document))
    }

    /// Sends a request, and gives the answer whatever it is.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<Answer, CliError> {
        let mut all = self.headers(!body.is_empty());
        all.extend(headers);
        let answer = self.client.ask(method, &format!("{}{path}", self.server), &all, body).await;
        answer.map_err(|source| CliError::Http { server: self.server.clone(), source })
    }

    /// What comes from a path for as long as it comes.
    pub(crate) async fn open(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Incoming, CliError> {
        let mut all = self.headers(false);
        all.extend(headers);
        let address = format!("{}{path}", self.server);
        let answer = self.client.open(Method::GET, &address, &all, Bytes::new()).await;
        let answer = answer.map_err(|source| CliError::Http { server: self.server.clone(), source })?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        // A problem is short; asked again it is read whole.
        self.read(&self.send(Method::GET, path, headers, Bytes::new()).await?)?;
        Err(CliError::Stranger { server: self.server.clone(), status: answer.status().as_u16() })
    }

    /// The document of an answer, or the problem it tells of.
    fn read(&self, answer: &Answer) -> Result<Value, CliError> {
        let status = answer.status.as_u16();
        let document = match serde_json::from_slice(&answer.body) {
            Ok(document) => document,
            Err(_) if answer.body.is_empty() && answer.status.is_success() => Value::Null,
            Err(_) => return Err(CliError::Stranger { server: self.server.clone(), status }),
        };
        if answer.status.is_success() {
            return Ok(document);
        }
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("type"), text("detail")) {
            (Some(kind), Some(detail)) => {
                let slug = kind.rsplit('/').next().unwrap_or_default().to_owned();
                Err(CliError::Problem { slug, status, detail, body: document })
            }
            _ => Err(CliError::Stranger { server: self.server.clone(), status }),
        }
    }

    fn headers(&self, has_body: bool) -> Vec<(&'static str, &str)> {
        let mut headers = Vec::new();
        if let Some(authorization) = &self.authorization {
            headers.push((header::AUTHORIZATION.as_str(), authorization.as_str()));
        }
        if has_body {
            headers.push(("content-type", "application/json"));
        }
        headers
    }
}
