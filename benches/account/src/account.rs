//! A bank account, as small as one can be that still has rules.

use headwater::{Aggregate, Command, Decider, Event};
use serde::{Deserialize, Serialize};

/// What has happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
pub enum AccountEvent {
    /// It was opened.
    Opened {
        /// The account's own number.
        account: String,
        /// Whose it is.
        owner: String,
        /// Its currency.
        currency: String,
        /// How far it may be overdrawn.
        limit: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Money came in.
    Deposited {
        /// The account's own number.
        account: String,
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// The balance after it.
        balance: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Money went out.
    Withdrawn {
        /// The account's own number.
        account: String,
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// The balance after it.
        balance: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
}

/// What can be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Command)]
pub enum AccountCommand {
    /// Open it.
    Open {
        /// The account's own number.
        account: String,
        /// Whose it is.
        owner: String,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Pay in.
    Deposit {
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Pay out.
    Withdraw {
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
}

/// Why an account refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum AccountRefusal {
    /// It was opened before.
    #[error("the account is open already")]
    AlreadyOpen,
    /// It was never opened.
    #[error("the account is not open")]
    NotOpen,
    /// There is not enough money.
    #[error("the account holds {balance}, less than {amount}")]
    InsufficientFunds {
        /// What it holds.
        balance: i64,
        /// What was asked for.
        amount: i64,
    },
}

/// An account.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "account", snapshot(every = 100, version = 1))]
pub struct Account {
    /// Its number.
    id: String,
    owner: String,
    open: bool,
    balance: i64,
    /// How many events it has had.
    count: u64,
}

impl Account {
    /// What it holds.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.balance
    }

    fn number(&self) -> Result<String, AccountRefusal> {
        if self.open { Ok(self.id.clone()) } else { Err(AccountRefusal::NotOpen) }
    }
}

impl Decider for Account {
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Refusal = AccountRefusal;

    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountRefusal> {
        let event = match command {
            AccountCommand::Open { .. } if self.open => {
                return Err(AccountRefusal::AlreadyOpen);
            }
            AccountCommand::Open { account, owner, at } => {
                AccountEvent::Opened { account, owner, currency: "EUR".to_owned(), limit: 0, at }
            }
            AccountCommand::Deposit { tx, amount, at } => {
                let (account, balance) = (self.number()?, self.balance + amount);
                AccountEvent::Deposited { account, tx, amount, balance, at }
            }
            AccountCommand::Withdraw { amount, .. } if amount > self.balance => {
                return Err(AccountRefusal::InsufficientFunds { balance: self.balance, amount });
            }
            AccountCommand::Withdraw { tx, amount, at } => {
                let (account, balance) = (self.number()?, self.balance - amount);
                AccountEvent::Withdrawn { account, tx, amount, balance, at }
            }
        };
        Ok(vec![event])
    }

    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened { account, owner, .. } => {
                self.id.clone_from(account);
                self.owner.clone_from(owner);
                self.open = true;
            }
            AccountEvent::Deposited { balance, .. } | AccountEvent::Withdrawn { balance, .. } => {
                self.balance = *balance;
            }
        }
        self.count += 1;
    }
}
