//! What is looked up when metrics are asked for, because it is a state and not an event.

use std::sync::Arc;

use headwater_projections::{Control, PartitionState};
use headwater_store_kinesis::KinesisStore;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};

/// Where to look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vitals {
    pub(crate) store: Option<Arc<KinesisStore>>,
    pub(crate) readers: Option<Control>,
}

impl Vitals {
    /// Looks, and sets the gauges.
    pub(crate) fn look(&self) {
        if let Some(store) = &self.store {
            let state = store.publisher();
            gauge!("headwater_publisher_waiting_commits").set(count(state.waiting_commits));
            gauge!("headwater_publisher_waiting_bytes").set(count(state.waiting_bytes));
            gauge!("headwater_publisher_silent_seconds")
                .set(state.silent_for.map_or(0.0, |silent| silent.as_secs_f64()));
        }
        let Some(readers) = &self.readers else { return };
        let status = readers.status();
        gauge!("headwater_workers").set(count(status.workers));
        gauge!("headwater_paused_projections").set(count(status.paused.len()));
        let mut here = 0;
        let mut unread = 0;
        let (mut behind, mut unknown) = (0.0_f64, 0);
        let (mut in_hand, mut losses) = (0, 0);
        for partition in status.partitions.values() {
            in_hand += partition.in_hand;
            losses += partition.losses;
            match partition.state {
                PartitionState::Reading | PartitionState::CaughtUp | PartitionState::CatchingUp => here += 1,
                PartitionState::Free | PartitionState::Uncovered => unread += 1,
                PartitionState::Unreadable { .. } => unknown += 1,
                _ => {}
            }
            behind = behind.max(partition.behind.map_or(0.0, |behind| behind.as_secs_f64()));
        }
        gauge!("headwater_partitions_read_here").set(count(here));
        gauge!("headwater_partitions_unread").set(count(unread));
        // Lag is only what can be seen: a source that does not answer is counted apart, and never as no lag.
        gauge!("headwater_partitions_unreadable").set(count(unknown));
        gauge!("headwater_projection_lag_seconds_max").set(behind);
        gauge!("headwater_records_in_hand").set(count(in_hand));
        gauge!("headwater_checkpoints_lost").set(losses as f64);
    }
}

fn count(number: usize) -> f64 {
    number as f64
}

/// Says what each metric is.
pub(crate) fn describe() {
    describe_histogram!(
        "headwater_http_request_seconds",
        Unit::Seconds,
        "time to the head of an answer, by route"
    );
    describe_counter!("headwater_http_requests_total", "requests, by route and status");
    describe_gauge!("headwater_http_requests_under_way", "requests under way");
    describe_counter!("headwater_commands_total", "commands, by category, command and outcome");
    describe_counter!("headwater_requests_shed_total", "requests refused because too many were under way");
    describe_gauge!("headwater_connections", "connections");
    describe_counter!("headwater_connections_refused_total", "connections above the limit");
    describe_gauge!("headwater_publisher_waiting_commits", "commits that are not published yet");
    describe_gauge!("headwater_publisher_waiting_bytes", "bytes of commits that are not published yet");
    describe_gauge!(
        "headwater_publisher_silent_seconds",
        "how long something waits and nothing was published"
    );
    describe_gauge!("headwater_workers", "workers of the group that are alive");
    describe_gauge!("headwater_paused_projections", "projections that are paused here");
    describe_gauge!("headwater_partitions_read_here", "partitions that this process reads");
    describe_gauge!("headwater_partitions_unread", "partitions that nobody reads");
    describe_gauge!(
        "headwater_partitions_unreadable",
        "partitions that cannot be read; how far is not known"
    );
    describe_gauge!(
        "headwater_projection_lag_seconds_max",
        "how far the partition furthest behind is, of those read here"
    );
    describe_counter!("headwater_spans_sent_total", "spans that a collector of traces has taken");
    describe_counter!("headwater_spans_dropped_total", "spans that were lost, by reason");
    describe_gauge!("headwater_records_in_hand", "records that were read and are not done yet");
    describe_gauge!("headwater_checkpoints_lost", "checkpoints that the feed did not know any more");
}
