//! The conformance suite for row stores: each check is a function; [`row_store_conformance!`] makes tests of them.
//!
//! - `writes.rs`: what is written under which condition, and loaded again,
//! - `adding.rs`: filling a new generation,
//! - `pages.rs`: rows by key,
//! - `queries.rs`: rows by index,
//! - `parking.rs`: parked streams, and what was ordered about them,
//! - `generations.rs`: making generations and dropping them,
//! - `given.rs`: what the checks have in common.
//!
//! A store may need a moment until lists and queries show what was written. The checks wait for it, within bounds.
//!
//! [`row_store_conformance!`]: crate::row_store_conformance

mod adding;
mod generations;
mod given;
mod pages;
mod parking;
mod queries;
mod writes;

pub use adding::*;
pub use generations::*;
pub use pages::*;
pub use parking::*;
pub use queries::*;
pub use writes::*;

/// Makes one tokio test of each check, on the store that the expression makes. The expression may await.
#[macro_export]
macro_rules! row_store_conformance {
    ($make:expr) => {
        $crate::row_store_conformance!(@ $make;
            a_row_is_loaded_as_it_was_written,
            a_row_of_any_shape_is_loaded_as_it_was_written,
            a_row_key_is_any_text_up_to_its_limit,
            what_does_not_exist_is_left_out,
            a_row_is_written_only_on_the_revision_expected,
            a_deleted_row_keeps_its_revision,
            rows_and_streams_of_one_name_are_apart,
            a_transaction_is_written_whole_or_not_at_all,
            a_transaction_over_a_limit_is_refused,
            a_transaction_at_the_limits_is_written,
            of_many_writers_on_one_revision_one_wins,
            of_many_transactions_over_the_same_rows_one_wins,
            as_many_rows_as_are_wanted_are_loaded,
            rows_are_added_once_and_as_they_are,
            versions_are_added_once_also_to_parked_streams,
            what_cannot_be_added_is_refused_alone,
            a_generation_is_prepared_again_and_again,
            an_index_that_was_not_there_from_the_beginning_is_refused,
            generations_are_apart,
            a_dropped_generation_is_gone_with_all_it_held,
            pages_hold_every_live_row_once_by_key,
            a_page_of_no_rows_or_too_many_is_refused,
            a_cursor_is_good_for_its_own_question_only,
            an_index_orders_numbers_as_numbers_and_texts_as_texts,
            a_query_gives_the_rows_of_its_range,
            pages_of_a_query_hold_every_row_once_in_either_direction,
            a_row_is_in_the_index_as_it_was_last_written,
            rows_without_the_field_are_not_in_the_index,
            texts_that_begin_alike_are_told_apart,
            a_query_that_cannot_be_answered_is_refused,
            a_parked_stream_keeps_the_highest_version,
            a_record_that_failed_further_on_replaces_the_one_before,
            a_stream_is_unparked_only_where_it_failed,
            parked_streams_are_listed_by_name_in_pages,
            what_was_ordered_is_listed_newest_first,
        );
    };
    (@ $make:expr; $($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let store = $make;
            $crate::testing::rows::$check(&store).await;
        }
    )*};
}
