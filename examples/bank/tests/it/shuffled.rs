//! Rows fed by many accounts do not depend on the order between accounts.

use bank::account::{Account, AccountEvent, Details};
use bank::money::{Amount, Limit};
use bank::read_models::{Balances, DailyTotals, LargestWithdrawals};
use headwater_projections::testing::fold;

fn events(owner: &str) -> Vec<AccountEvent> {
    let amount = |hellers: u64| Amount::try_from(hellers).unwrap();
    let on = |day: &str| Details { booked_on: Some(day.parse().unwrap()), ..Details::default() };
    vec![
        AccountEvent::Opened { owner: owner.to_owned(), overdraft_limit: Limit::default() },
        AccountEvent::Deposited { amount: amount(100), details: on("1993-01-01") },
        AccountEvent::Withdrawn { amount: amount(30), details: on("1993-01-02") },
        AccountEvent::Withdrawn { amount: amount(20), details: on("1993-01-02") },
    ]
}

#[test]
fn totals_of_a_day_are_the_same_in_any_order_of_accounts() {
    fold::<DailyTotals>()
        .given::<Account>("a", events("ada"))
        .given::<Account>("b", events("bob"))
        .given::<Account>("c", events("cy"))
        .expect("1993-01-01", DailyTotals { deposited: 300, deposits: 3, withdrawn: 0, withdrawals: 0 })
        .expect("1993-01-02", DailyTotals { deposited: 0, deposits: 0, withdrawn: 150, withdrawals: 6 })
        .expect_same_in_any_order();
}

#[test]
fn every_withdrawal_has_a_row() {
    let scenario = fold::<LargestWithdrawals>()
        .given::<Account>("a", events("ada"))
        .given::<Account>("b", events("bob"))
        .expect_same_in_any_order();
    let keys: Vec<String> = scenario.rows().into_keys().collect();
    assert_eq!(keys, ["a-3", "a-4", "b-3", "b-4"]);
}

#[test]
fn a_balance_is_the_sum_of_its_account() {
    let scenario = fold::<Balances>().given::<Account>("a", events("ada")).expect_same_in_any_order();
    let row = &scenario.rows()["a"];
    assert_eq!((row.owner.as_str(), row.balance.0, row.transactions, row.closed), ("ada", 50, 3, false));
}
