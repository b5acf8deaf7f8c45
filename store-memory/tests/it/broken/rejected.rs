//! For each broken store, the checks that must reject it.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater::testing::conformance::{Opened, failures};
use headwater_store_memory::MemoryStore;

use super::{feed, scans, streams, transactions};
use crate::backend;

/// Runs the suite against a broken store; these checks at least must fail.
#[expect(clippy::print_stdout, reason = "with --nocapture it shows what every broken store is rejected for")]
async fn rejected_by(change: fn(MemoryStore) -> Opened, expected: &[&str]) {
    let failures = failures(backend::broken(change)).await;
    for failure in &failures {
        println!("{failure}");
    }
    let failed: BTreeSet<_> = failures.iter().map(|failure| failure.check.name).collect();
    for check in expected {
        assert!(failed.contains(check), "{check} must fail, but only these did: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_that_is_not_broken_is_not_rejected() {
    let failures = failures(Arc::new(backend::memory())).await;
    assert!(failures.is_empty(), "{failures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_leaves_a_hole_is_rejected() {
    rejected_by(streams::leaves_a_hole, &["exact_never_makes_a_hole"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_tears_commits_is_rejected() {
    rejected_by(streams::tears_commits, &["a_commit_is_never_seen_torn"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_never_conflicts_is_rejected() {
    let checks = [
        "exact_allows_only_the_head",
        "writers_of_an_exact_version_leave_no_gap",
        "no_stream_allows_only_a_stream_without_events",
        "exists_allows_only_a_stream_with_events",
        "a_race_to_create_has_one_winner",
        "a_transaction_in_conflict_writes_nothing",
    ];
    rejected_by(streams::never_conflicts, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_overwrites_is_rejected() {
    let checks = ["writers_of_an_exact_version_leave_no_gap", "writers_of_any_version_lose_nothing"];
    rejected_by(streams::loses_a_commit, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_ends_pages_too_early_is_rejected() {
    rejected_by(streams::ends_pages_early, &["tiny_pages_give_the_whole_stream", "a_page_keeps_its_limit"])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_forgets_its_own_retries_is_rejected() {
    let checks = [
        "an_append_sent_again_is_recognised",
        "an_append_sent_again_late_is_recognised",
        "a_transaction_sent_again_is_recognised",
    ];
    rejected_by(streams::forgets_own_retries, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_with_stale_strong_reads_is_rejected() {
    rejected_by(streams::reads_stale, &["a_strong_read_sees_what_was_acknowledged"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_uses_any_snapshot_is_rejected() {
    rejected_by(streams::stops_at_any_snapshot, &["snapshots_of_other_versions_are_ignored"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_tidies_payloads_is_rejected() {
    rejected_by(streams::tidies_payloads, &["payloads_come_back_byte_for_byte"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_with_transactions_in_pieces_is_rejected() {
    let checks = ["a_transaction_in_conflict_writes_nothing", "half_a_transaction_is_never_seen"];
    rejected_by(transactions::in_pieces, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_ignores_check_only_streams_is_rejected() {
    let checks = ["a_stream_that_is_only_checked_can_refuse_a_transaction", "checks_hold_against_a_race"];
    rejected_by(transactions::ignores_checks, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_ends_scans_too_early_is_rejected() {
    let checks = [
        "a_scan_gives_every_commit_once_in_the_order_of_its_stream",
        "a_scan_has_everything_acknowledged_before_it_began",
    ];
    rejected_by(scans::ends_scans_early, &checks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_scans_backward_is_rejected() {
    rejected_by(scans::scans_backward, &["a_scan_gives_every_commit_once_in_the_order_of_its_stream"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_ignores_segments_is_rejected() {
    rejected_by(scans::ignores_segments, &["segments_share_the_streams_and_nothing_is_lost"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_skips_a_page_of_a_scan_is_rejected() {
    rejected_by(scans::skips_a_page, &["a_scan_goes_on_where_it_was"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_feed_that_drops_a_commit_is_rejected() {
    rejected_by(feed::drops_a_commit, &["every_commit_reaches_the_feed"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_feed_that_swaps_commits_is_rejected() {
    rejected_by(feed::swaps_commits, &["a_stream_arrives_in_order"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_feed_that_wakes_nobody_is_rejected() {
    rejected_by(feed::wakes_nobody, &["a_waiting_reader_is_woken"]).await;
}
