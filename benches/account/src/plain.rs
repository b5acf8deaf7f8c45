//! The same account without snapshots.

use headwater::{Aggregate, Decider};
use serde::{Deserialize, Serialize};

use crate::{Account, AccountCommand, AccountEvent, AccountRefusal};

/// An account of which no snapshot is ever taken.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "plain-account")]
pub struct PlainAccount {
    account: Account,
}

impl Decider for PlainAccount {
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Refusal = AccountRefusal;

    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountRefusal> {
        self.account.decide(command)
    }

    fn apply(&mut self, event: &AccountEvent) {
        self.account.apply(event);
    }
}

/// What the benchmarks ask of an account.
pub trait Balance:
    Aggregate<Event = AccountEvent, Command = AccountCommand, Refusal = AccountRefusal>
{
    /// What it holds.
    fn balance(&self) -> i64;
}

impl Balance for Account {
    fn balance(&self) -> i64 {
        Account::balance(self)
    }
}

impl Balance for PlainAccount {
    fn balance(&self) -> i64 {
        self.account.balance()
    }
}
