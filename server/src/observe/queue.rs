//! The bound of the spans that wait to be sent, and a count of those that were not: what is lost must be seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::counter;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// Spans that were taken and not tried to be sent yet.
pub(super) type Waiting = Arc<AtomicUsize>;

/// Takes spans up to a bound, and never waits: what is above it is dropped and counted.
#[derive(Debug)]
pub(super) struct Bounded {
    /// Its own queue must have room for as many.
    pub(super) batches: BatchSpanProcessor,
    pub(super) waiting: Waiting,
    pub(super) bound: usize,
}

/// Sends batches, and counts what became of them.
#[derive(Debug)]
pub(super) struct Counted<E> {
    pub(super) exporter: E,
    pub(super) waiting: Waiting,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let place = |waiting| (waiting < self.bound).then_some(waiting + 1);
        if self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, place).is_ok() {
            self.batches.on_end(span);
        } else {
            counter!("headwater_spans_dropped_total", "reason" => "queue-full").increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.waiting.fetch_sub(count, Ordering::AcqRel);
        let sent = self.exporter.export(batch).await;
        match &sent {
            Ok(()) => counter!("headwater_spans_sent_total"),
            Err(_) => counter!("headwater_spans_dropped_total", "reason" => "not-taken"),
        }
        .increment(count as u64);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
