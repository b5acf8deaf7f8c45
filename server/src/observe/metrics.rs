//! The metrics of the process. Labels are names that the application or the routes have; never a stream, a key or
//! anything else that clients choose.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the durations that are told apart, in seconds.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// How often what was measured is summed up: what is not summed up takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// One recorder for the process: metrics have no owner.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The metrics of the process.
#[derive(Clone)]
pub(crate) struct Metrics(Option<PrometheusHandle>);

impl Metrics {
    /// Records from here on. When the application has a recorder of its own, that one gets everything and there is
    /// nothing to show here.
    pub(crate) fn of_process() -> Self {
        let install = || {
            let recorder = PrometheusBuilder::new().set_buckets(SECONDS).ok()?.install_recorder();
            recorder
                .inspect_err(|error| tracing::info!(%error, "metrics go to the application's recorder"))
                .ok()
        };
        Self(RECORDER.get_or_init(install).clone())
    }

    /// Everything, as Prometheus reads it.
    pub(crate) fn text(&self) -> String {
        self.0.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    }

    /// Sums up now and then, until dropped.
    pub(crate) async fn keep_up(self) {
        let Some(recorder) = self.0 else { return std::future::pending().await };
        loop {
            tokio::time::sleep(UPKEEP).await;
            recorder.run_upkeep();
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
