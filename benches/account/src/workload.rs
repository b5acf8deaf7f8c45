//! The commands of the workload, as commands of our account.

use headwater_workload::Command;

use crate::AccountCommand;

pub use headwater_workload::name;

impl From<Command> for AccountCommand {
    fn from(command: Command) -> Self {
        match command {
            Command::Open { account, owner, at } => Self::Open { account, owner, at },
            Command::Deposit { tx, amount, at } => Self::Deposit { tx, amount, at },
            Command::Withdraw { tx, amount, at } => Self::Withdraw { tx, amount, at },
        }
    }
}

/// One command of an account; number 0 opens it.
///
/// Every third withdraws 50 and the others deposit 100, so none is refused and each appends one event.
#[must_use]
pub fn command(account: usize, number: u32) -> AccountCommand {
    headwater_workload::command(account, number).into()
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
