//! The rules of an account.

use bank::account::{Account, AccountCommand, AccountEvent, AccountRefusal, Details};
use bank::money::{Amount, Balance, Limit, MAX_AMOUNT};
use headwater::testing::given;

fn amount(hellers: u64) -> Amount {
    Amount::try_from(hellers).unwrap()
}

fn opened(limit: u64) -> AccountEvent {
    AccountEvent::Opened { owner: "ada".to_owned(), overdraft_limit: Limit::try_from(limit).unwrap() }
}

fn deposited(hellers: u64) -> AccountEvent {
    AccountEvent::Deposited { amount: amount(hellers), details: Details::default() }
}

fn withdrawn(hellers: u64) -> AccountEvent {
    AccountEvent::Withdrawn { amount: amount(hellers), details: Details::default() }
}

fn deposit(hellers: u64) -> AccountCommand {
    AccountCommand::Deposit { amount: amount(hellers), details: Details::default() }
}

fn withdraw(hellers: u64) -> AccountCommand {
    AccountCommand::Withdraw { amount: amount(hellers), details: Details::default() }
}

#[test]
fn an_account_opens_once() {
    let open = AccountCommand::Open { owner: "ada".to_owned(), overdraft_limit: Limit::default() };
    given::<Account>([]).when(open.clone()).then([opened(0)]);
    given::<Account>([opened(0)]).when(open.clone()).then_refused(&AccountRefusal::AlreadyOpen);
    given::<Account>([opened(0), AccountEvent::Closed {}]).when(open).then_refused(&AccountRefusal::Closed);
}

#[test]
fn nothing_happens_to_an_account_that_is_not_open() {
    for command in [deposit(1), withdraw(1), AccountCommand::Close {}] {
        given::<Account>([]).when(command.clone()).then_refused(&AccountRefusal::NotOpen);
        given::<Account>([opened(0), AccountEvent::Closed {}])
            .when(command)
            .then_refused(&AccountRefusal::Closed);
    }
}

#[test]
fn a_withdrawal_may_use_the_overdraft_limit_and_no_more() {
    given::<Account>([opened(50), deposited(100)]).when(withdraw(150)).then([withdrawn(150)]);
    given::<Account>([opened(50), deposited(100)])
        .when(withdraw(151))
        .then_refused(&AccountRefusal::Overdrawn { amount: amount(151), available: 150 });
    given::<Account>([opened(50), withdrawn(20)])
        .when(withdraw(31))
        .then_refused(&AccountRefusal::Overdrawn { amount: amount(31), available: 30 });
}

#[test]
fn a_balance_has_an_upper_bound() {
    let mut events = vec![opened(0)];
    events.extend(std::iter::repeat_n(deposited(MAX_AMOUNT), 9));
    given::<Account>(events)
        .when(deposit(MAX_AMOUNT))
        .then_refused(&AccountRefusal::Full { amount: amount(MAX_AMOUNT) });
}

#[test]
fn only_an_account_at_zero_is_closed() {
    given::<Account>([opened(0), deposited(5)])
        .when(AccountCommand::Close {})
        .then_refused(&AccountRefusal::NotEmpty { balance: Balance(5) });
    given::<Account>([opened(0), deposited(5), withdrawn(5)])
        .when(AccountCommand::Close {})
        .then([AccountEvent::Closed {}]);
}

#[test]
fn an_amount_is_a_positive_integer_within_bounds() {
    use headwater::Command;
    for bad in ["0", "-1", "1.5", "\"1\"", "1000000000000001", "null"] {
        let error =
            AccountCommand::decode("deposit", format!(r#"{{"amount": {bad}}}"#).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("deposit"), "{error}");
    }
}
