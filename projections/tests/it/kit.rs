//! The test kit, tested: it accepts what is right and rejects what is wrong.

use std::panic::catch_unwind;

use headwater::Recorded;
use headwater_projections::testing::fold;
use headwater_projections::{Keys, Project};
use serde::{Deserialize, Serialize};

use crate::model::{Account, AccountEvent, Balance, Total, account, deposited, stored};

#[test]
fn rows_are_expected_by_key() {
    let scenario = fold::<Total>()
        .given::<Account>("1", [deposited(10, "mon"), deposited(5, "tue")])
        .given::<Account>("2", [deposited(1, "mon")])
        .expect("mon", Total { total: 11, count: 2 })
        .expect("all", Total { total: 16, count: 3 })
        .expect_none("wed")
        .expect_same_in_any_order();
    assert_eq!(scenario.rows().len(), 3);
}

#[test]
fn old_events_are_given_as_they_are_stored() {
    let scenario = fold::<Balance>().stored(&account("1"), vec![stored("Split", "{}")]);
    assert_eq!(scenario.rows()["1"].balance, 3);
}

#[test]
fn another_row_than_expected_fails_with_both() {
    let message = failure(|| {
        fold::<Total>().given::<Account>("1", [deposited(1, "mon")]).expect("mon", Total::default());
    });
    assert!(message.contains(r#"got: {"count":1,"total":1}"#), "{message}");
    let message = failure(|| {
        fold::<Total>().given::<Account>("1", [deposited(1, "mon")]).expect_none("mon");
    });
    assert!(message.contains("exists"), "{message}");
}

#[test]
fn an_event_that_cannot_be_applied_fails_with_its_cause() {
    let message = failure(|| {
        let _ = fold::<Balance>().given::<Account>("1", [AccountEvent::Poison {}]).rows();
    });
    assert!(message.contains("cannot apply version 1 of account/1: poison"), "{message}");
}

/// Keeps the last amount, whichever stream it comes from: depends on the order.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "last", version = 1, from(Account), shared)]
struct Last {
    amount: i64,
}

impl Project<Account> for Last {
    fn keys(_: &Recorded<'_, AccountEvent>) -> Keys {
        Keys::one("last")
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        if let AccountEvent::Deposited { amount, .. } = event.event {
            self.amount = *amount;
        }
    }
}

#[test]
fn the_shuffle_check_finds_rows_that_depend_on_the_order_between_streams() {
    let one_stream = [deposited(1, "mon"), deposited(2, "mon"), deposited(3, "mon")];
    let scenario = fold::<Last>().given::<Account>("1", one_stream.clone()).expect_same_in_any_order();
    let message = failure(move || {
        scenario.given::<Account>("2", one_stream.map(|_| deposited(9, "mon"))).expect_same_in_any_order();
    });
    for part in ["\"last\"", "seed", "depends on the order"] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
}

fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(test).expect_err("it must fail");
    panic.downcast_ref::<String>().cloned().expect("assertions give text")
}
