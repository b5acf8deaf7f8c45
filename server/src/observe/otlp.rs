//! Traces for a collector: a span for each request, below that of its `traceparent`, over OTLP (HTTP, protobuf).
//!
//! Spans wait in a queue with a bound, and a thread of its own sends them. What does not fit is dropped and counted: a
//! collector that is slow or gone never holds up a request. A request that a caller did not sample (`traceparent` ends in `00`) is not sent.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;

use super::collector::Collector;
use super::queue::{Bounded, Counted, Waiting};
use crate::config::{ConfigError, Otlp};

/// Spans that wait to be sent; those above it are dropped.
const QUEUE: usize = 2048;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// How long spans wait for others to be sent with.
const PAUSE: Duration = Duration::from_secs(5);
/// How long sending a batch may take, tries after the first one included.
const SEND: Duration = Duration::from_secs(5);
/// How long sending what is left may take at the end.
const LAST: Duration = Duration::from_secs(5);
/// Where collectors take traces, below their address.
const PATH: &str = "/v1/traces";
/// Read when the setting is not there: the variable that all of OpenTelemetry knows.
const VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The name under which a service is shown, when it is not that of its application.
const NAME: &str = "OTEL_SERVICE_NAME";
/// The look-alikes of `dev` are no part of the application.
const NOT_OURS: &str = "dynoxide";

/// The way of traces out of the process, if there is one. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// None are sent.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Sends to the collector of the setting, or of the variable; without both none are sent.
    ///
    /// # Errors
    /// [`ConfigError`] when the variable holds no address, or there can be no client.
    pub(crate) fn start(application: &'static str, otlp: &Otlp) -> Result<Self, ConfigError> {
        let (from, endpoint) = match (&otlp.endpoint, std::env::var(VARIABLE)) {
            (Some(endpoint), _) => ("setting otlp.endpoint".to_owned(), endpoint.clone()),
            (None, Ok(endpoint)) if !endpoint.is_empty() => (format!("variable {VARIABLE}"), endpoint),
            (None, _) => return Ok(Self::off()),
        };
        Self::to(application, &endpoint).map_err(|error| ConfigError::Value {
            setting: "otlp.endpoint".to_owned(),
            source_name: from,
            reason: crate::exit::with_causes(&*error),
        })
    }

    fn to(application: &'static str, endpoint: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let base = endpoint.trim_end_matches('/');
        let address = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(&address, SEND)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(SEND)
            .build()?;
        let bounds = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(PAUSE)
            .build();
        let waiting = Waiting::default();
        let exporter = Counted { exporter, waiting: Arc::clone(&waiting) };
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(bounds).build();
        // It reads what the variables of OpenTelemetry say of a service, and would call one without a name unknown.
        let resource = Resource::builder();
        let resource = match std::env::var(NAME) {
            Ok(name) if !name.is_empty() => resource,
            _ => resource.with_service_name(application),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_span_processor(Bounded { batches, waiting, bound: QUEUE });
        Ok(Self(Some(provider.build())))
    }

    /// What takes spans from `tracing`. Events stay in the log: they may hold what is nobody's business elsewhere.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.0.as_ref()?.tracer("headwater");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        Some(layer.with_filter(FilterFn::new(is_sent).with_max_level_hint(LevelFilter::INFO)))
    }

    /// Sends what is left, within this limit and one of its own. What cannot be sent is lost, and a warning says so.
    ///
    /// # Cancel safety
    /// Safe: sending goes on until its limit, and nobody hears what came of it.
    pub(crate) async fn end(self, within: Duration) {
        let Some(provider) = self.0 else { return };
        let within = within.min(LAST);
        let (told, ended) = tokio::sync::oneshot::channel();
        // It blocks, and neither the runtime, by which it sends, nor the end of the process may wait for it.
        std::thread::spawn(move || told.send(provider.shutdown_with_timeout(within)));
        match ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last traces were not sent"),
            Err(_) => tracing::warn!("the last traces were not sent"),
        }
    }
}

fn is_sent(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO && !metadata.target().starts_with(NOT_OURS)
}

/// Puts the span of a request below the one its caller named. Before anything is done in it: later is too late.
pub(super) fn begin(span: &Span, headers: &HeaderMap, method: &str, route: &str) {
    let caller =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    if span.set_parent(caller).is_ok() {
        span.record("otel.kind", "server");
        span.record("otel.name", format!("{method} {route}"));
    }
}

/// Writes down how a request ended.
pub(super) fn finish(span: &Span, status: StatusCode, command: Option<&(&'static str, &'static str)>) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if let Some((category, command)) = command {
        span.set_attribute("headwater.category", *category);
        span.set_attribute("headwater.command", *command);
    }
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
}

#[cfg(test)]
#[path = "otlp_tests.rs"]
mod tests;
