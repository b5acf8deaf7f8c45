//! What the command line says of bad use; a whole import runs in the bank's tests.

use crate::client::app;

#[test]
fn two_aggregates_of_one_category_are_refused_at_start() {
    let twice = std::panic::catch_unwind(|| app().aggregate::<headwater::testing::counter::Counter>());
    let message = *twice.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("two aggregates have the category \"counter\""), "{message}");
}
