//! The commands: which account, and what is asked of it when.

use crate::AccountCommand;

/// The id of an account: 12 bytes.
#[must_use]
pub fn name(account: usize) -> String {
    format!("acct-{account:07}")
}

/// One command of an account; number 0 opens it.
///
/// Every third withdraws 50 and the others deposit 100, so none is refused and each appends one event.
#[must_use]
pub fn command(account: usize, number: u32) -> AccountCommand {
    let at = 1_767_225_600_000 + i64::from(number) * 1_000 + (account % 1_000) as i64;
    if number == 0 {
        return AccountCommand::Open {
            account: name(account),
            owner: format!("Account Holder {account:07}"),
            at,
        };
    }
    let tx = format!("0190c5f2-8a3b-7d41-{number:05}-{account:07}");
    if number % 3 == 2 {
        AccountCommand::Withdraw { tx, amount: 50, at }
    } else {
        AccountCommand::Deposit { tx, amount: 100, at }
    }
}

#[cfg(test)]
mod tests {
    use headwater::{Decider, Event};

    use super::command;
    use crate::Account;

    #[test]
    fn no_command_is_refused_and_an_event_has_about_120_bytes() {
        let mut account = Account::default();
        for number in 0..100 {
            let events = account.decide(command(42, number)).expect("the workload keeps the rules");
            assert_eq!(events.len(), 1);
            for event in &events {
                let data = event.encode().expect("it is JSON");
                let bytes = data.name.len() + data.payload.len();
                assert!((110..=140).contains(&bytes), "{bytes} bytes: {event:?}");
                account.apply(event);
            }
        }
    }
}
