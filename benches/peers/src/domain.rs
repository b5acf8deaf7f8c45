//! The bank account for all of them: the same fields, the same rules, the same JSON of 110 to 135 bytes.

use headwater_workload::Command;
use serde::{Deserialize, Serialize};

/// What has happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Headwater's own account says what the fields are")]
pub enum Event {
    Opened { account: String, owner: String, currency: String, limit: i64, at: i64 },
    Deposited { account: String, tx: String, amount: i64, balance: i64, at: i64 },
    Withdrawn { account: String, tx: String, amount: i64, balance: i64, at: i64 },
}

/// Why an account refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was opened before.
    #[error("the account is open already")]
    AlreadyOpen,
    /// It was never opened.
    #[error("the account is not open")]
    NotOpen,
    /// There is not enough money.
    #[error("the account holds less than that")]
    InsufficientFunds,
}

/// An account.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    id: String,
    owner: String,
    open: bool,
    /// What it holds.
    pub balance: i64,
    /// How many events it has had.
    pub count: u64,
}

impl Event {
    /// What the type is called at rest.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "Opened",
            Self::Deposited { .. } => "Deposited",
            Self::Withdrawn { .. } => "Withdrawn",
        }
    }

    /// What it does to the balance.
    #[must_use]
    pub fn change(&self) -> i64 {
        match self {
            Self::Opened { .. } => 0,
            Self::Deposited { amount, .. } => *amount,
            Self::Withdrawn { amount, .. } => -amount,
        }
    }
}

impl Account {
    /// The event that a command leads to.
    ///
    /// # Errors
    /// [`Refusal`] when the rules do not allow it.
    pub fn decide(&self, command: Command) -> Result<Event, Refusal> {
        let account = || if self.open { Ok(self.id.clone()) } else { Err(Refusal::NotOpen) };
        match command {
            Command::Open { .. } if self.open => Err(Refusal::AlreadyOpen),
            Command::Open { account, owner, at } => {
                Ok(Event::Opened { account, owner, currency: "EUR".to_owned(), limit: 0, at })
            }
            Command::Deposit { tx, amount, at } => {
                let balance = self.balance + amount;
                Ok(Event::Deposited { account: account()?, tx, amount, balance, at })
            }
            Command::Withdraw { amount, .. } if self.open && amount > self.balance => {
                Err(Refusal::InsufficientFunds)
            }
            Command::Withdraw { tx, amount, at } => {
                let balance = self.balance - amount;
                Ok(Event::Withdrawn { account: account()?, tx, amount, balance, at })
            }
        }
    }

    /// Takes an event in that stays where it is.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::Opened { account, owner, .. } => {
                (self.id, self.owner, self.open) = (account.clone(), owner.clone(), true);
            }
            Event::Deposited { balance, .. } | Event::Withdrawn { balance, .. } => self.balance = *balance,
        }
        self.count += 1;
    }

    /// Takes an event in that goes.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Opened { account, owner, .. } => {
                (self.id, self.owner, self.open) = (account, owner, true);
            }
            Event::Deposited { balance, .. } | Event::Withdrawn { balance, .. } => self.balance = balance,
        }
        self.count += 1;
    }

    /// The events of the first commands of an account, from its beginning.
    #[must_use]
    pub fn history(account: usize, commands: u32) -> Vec<Event> {
        let mut state = Self::default();
        let commands = (0..commands).map(|number| headwater_workload::command(account, number));
        commands
            .map(|command| {
                let event = state.decide(command).expect("the workload keeps the rules");
                state.see(&event);
                event
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use headwater_workload::{balance_after, command};

    use super::*;

    #[test]
    fn events_have_110_to_135_bytes_and_the_balance_is_the_expected_one() {
        let mut account = Account::default();
        for event in Account::history(42, 100) {
            let json = serde_json::to_string(&event).unwrap();
            assert!((110..=135).contains(&json.len()), "{json}");
            account.take(serde_json::from_str(&json).unwrap());
        }
        assert_eq!((account.balance, account.count), (balance_after(100), 100));
    }

    #[test]
    fn the_rules_refuse() {
        let mut account = Account::default();
        assert_eq!(account.decide(command(1, 1)), Err(Refusal::NotOpen));
        account.take(account.decide(command(1, 0)).unwrap());
        assert_eq!(account.decide(command(1, 0)), Err(Refusal::AlreadyOpen));
        assert_eq!(account.decide(command(1, 2)), Err(Refusal::InsufficientFunds));
    }
}
