//! The list of checks. It stands here once; both [`checks`] and the tests of a backend are made from it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::Backend;

/// A running check.
pub type CheckFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One check of the suite. It panics when the backend does not pass.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name, also that of its test.
    pub name: &'static str,
    /// The law or promise it checks.
    pub law: &'static str,
    /// Runs it, without a limit of time; see [`run`](super::run).
    pub run: for<'a> fn(&'a dyn Backend) -> CheckFuture<'a>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("law", &self.law).finish_non_exhaustive()
    }
}

/// Hands the list of checks, `module::name: "law",` each, to the macro named first, with anything else before it.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_checks {
    ([$($to:tt)*] $($with:tt)*) => { $($to)*! { $($with)*
        expected::any_allows_every_version: "expected version",
        expected::no_stream_allows_only_a_stream_without_events: "expected version",
        expected::exists_allows_only_a_stream_with_events: "expected version",
        expected::exact_allows_only_the_head: "expected version",
        expected::exact_never_makes_a_hole: "L1: no hole, no overlap",
        expected::versions_start_at_one_and_follow_each_other: "L1: versions are 1..n",
        races::writers_of_an_exact_version_leave_no_gap: "L1: no hole, no overlap",
        races::writers_of_any_version_lose_nothing: "L3: acknowledged means durable",
        races::a_race_to_create_has_one_winner: "L1: no overlap",
        races::a_commit_is_never_seen_torn: "L1: no torn commit",
        races::a_strong_read_sees_what_was_acknowledged: "strong reads",
        transactions::a_transaction_writes_every_stream: "all or nothing",
        transactions::a_transaction_in_conflict_writes_nothing: "all or nothing",
        transactions::a_stream_that_is_only_checked_can_refuse_a_transaction: "check-only streams",
        transactions::checks_hold_against_a_race: "check-only streams",
        transactions::half_a_transaction_is_never_seen: "all or nothing",
        transactions::transactions_that_cross_keep_the_books: "all or nothing",
        retries::an_append_sent_again_is_recognised: "L3: a retry is safe",
        retries::an_append_sent_again_late_is_recognised: "L3: a retry is safe",
        retries::a_transaction_sent_again_is_recognised: "L3: a retry is safe",
        paging::tiny_pages_give_the_whole_stream: "paging",
        paging::a_page_keeps_its_limit: "paging",
        paging::a_big_stream_loads_whole: "paging",
        ranges::ranges_give_what_they_say: "ranges",
        ranges::a_stream_without_events_reads_empty: "ranges",
        ranges::streams_are_apart: "names",
        scans::a_scan_gives_every_commit_once_in_the_order_of_its_stream: "scans",
        scans::segments_share_the_streams_and_nothing_is_lost: "scans",
        scans::a_scan_goes_on_where_it_was: "scans",
        scans::a_scan_has_everything_acknowledged_before_it_began: "scans",
        scans::a_segment_that_does_not_exist_is_refused: "L11: bad input",
        snapshots::a_read_stops_at_the_newest_usable_snapshot: "L8: a snapshot is a cache",
        snapshots::snapshots_of_other_versions_are_ignored: "L8: a snapshot is a cache",
        snapshots::a_snapshot_and_its_tail_are_the_whole: "L8: a snapshot is a cache",
        limits::a_commit_over_a_limit_changes_nothing: "L11: bad input changes nothing",
        limits::a_transaction_over_a_limit_changes_nothing: "L11: bad input changes nothing",
        limits::a_commit_at_the_limit_is_kept: "limits",
        content::payloads_come_back_byte_for_byte: "content",
        content::names_come_back_as_they_were: "content",
        content::everything_recorded_comes_back: "content",
        feed::every_commit_reaches_the_feed: "L4: every commit reaches the feed",
        feed::a_stream_arrives_in_order: "feed order",
        feed::positions_rise_and_can_be_resumed_from: "feed positions",
        feed::one_at_a_time_equals_all_at_once: "feed batches",
        feed::a_waiting_reader_is_woken: "feed wake-ups",
        feed::waiting_ends_at_its_timeout: "feed wake-ups",
        feed::an_unknown_partition_is_refused: "L11: bad input",
        executor::state_from_snapshot_and_tail_equals_a_full_replay: "L8: a snapshot is a cache",
        executor::deleted_and_undecodable_snapshots_change_nothing: "L8: a snapshot is a cache",
        executor::commands_at_once_are_all_counted: "execute",
        executor::a_refusal_on_a_stale_read_is_confirmed: "execute",
        executor::a_precondition_on_a_stale_read_is_not_false: "execute",
        keys::the_same_key_twice_changes_nothing: "command keys",
        keys::the_same_key_for_another_command_is_refused: "command keys",
        keys::keys_are_remembered_across_snapshots: "command keys",
        keys::a_key_that_races_with_itself_is_carried_out_once: "command keys",
    } };
}

macro_rules! list {
    ($($module:ident :: $name:ident : $law:literal,)*) => {
        /// Every check of the suite.
        #[must_use]
        pub fn checks() -> &'static [Check] {
            &[$(Check {
                name: stringify!($name),
                law: $law,
                run: |backend| Box::pin(super::$module::$name(backend)),
            }),*]
        }
    };
}
__store_checks!([list]);

/// Makes a test of every check of the suite, for the backend that the expression gives.
///
/// With `ledger:` before the expression it leaves out the checks of the feed: for a backend that is a ledger only, see
/// [`Opened::ledger`](crate::testing::conformance::Opened::ledger).
///
/// See [`testing::conformance`](crate::testing::conformance).
#[macro_export]
macro_rules! store_conformance {
    (ledger: $backend:expr $(,)?) => {
        $crate::__store_checks!([$crate::__ledger_tests][$backend]);
    };
    ($backend:expr $(,)?) => {
        $crate::__store_checks!([$crate::__store_tests][$backend]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ([$backend:expr] $($module:ident :: $name:ident : $law:literal,)*) => {
        $($crate::__store_test!(check $name $law $backend);)*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ledger_tests {
    ([$backend:expr] $($module:ident :: $name:ident : $law:literal,)*) => {
        $($crate::__store_test!($module $name $law $backend);)*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_test {
    (feed $name:ident $law:literal $backend:expr) => {};
    ($module:ident $name:ident $law:literal $backend:expr) => {
        #[doc = $law]
        #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $name() {
            $crate::testing::conformance::run(stringify!($name), &$backend).await;
        }
    };
}
