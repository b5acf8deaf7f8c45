//! Sending to a collector with the HTTP client of this binary.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient as Send, HttpError as Failed, Request, Response};
use tokio::runtime::Handle;

use crate::http_client::{HttpClient, HttpError, host};

/// A collector, as the exporter sees it.
#[derive(Debug)]
pub(super) struct Collector {
    http: HttpClient,
    runtime: Handle,
    host: String,
    within: Duration,
    /// Whether the last batch was not taken. It is said once, not for every batch.
    lost: AtomicBool,
}

impl Collector {
    pub(super) fn new(address: &str, within: Duration) -> Result<Self, HttpError> {
        let (host, http) = (host(address)?, HttpClient::new()?);
        Ok(Self { http, runtime: Handle::current(), host, within, lost: AtomicBool::new(false) })
    }

    fn warn(&self, why: &str) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                collector = self.host,
                why,
                "traces cannot be sent, and are dropped until they can"
            );
        }
    }
}

#[async_trait]
impl Send for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failed> {
        let (http, within) = (self.http.clone(), self.within);
        // The thread that asks has no runtime.
        let send = async move { tokio::time::timeout(within, http.pass(request)).await };
        let answer: Result<_, Failed> = match self.runtime.spawn(send).await {
            Ok(Ok(answer)) => answer.map_err(Into::into),
            Ok(Err(late)) => Err(late.into()),
            Err(ended) => Err(ended.into()),
        };
        match &answer {
            Ok(answer) if answer.status().is_success() => self.lost.store(false, Ordering::Relaxed),
            Ok(answer) => self.warn(answer.status().as_str()),
            Err(error) => self.warn(&crate::exit::with_causes(&**error)),
        }
        answer
    }
}
