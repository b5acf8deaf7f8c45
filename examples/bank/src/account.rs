//! The rules of an account: what can be asked of it, what can happen to it, and why it refuses.

use headwater::{Aggregate, Command, Decider, Event, JsonSchema};
use serde::{Deserialize, Serialize};

use crate::money::{Amount, Balance, Limit};

/// The day a transaction is booked on.
pub type Day = jiff::civil::Date;

/// The other side of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// The bank; absent for an account of this bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank: Option<String>,
    /// The account.
    pub account: String,
}

/// What a deposit or withdrawal says besides its amount; all of it may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How it is made, such as `cash_deposit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Where it comes from or goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<Partner>,
    /// The day it is booked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked_on: Option<Day>,
}

/// What has happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
pub enum AccountEvent {
    /// The account was opened.
    Opened {
        /// Whose it is.
        owner: String,
        /// How far its balance may go below zero.
        overdraft_limit: Limit,
    },
    /// Money came in.
    Deposited {
        /// How much.
        amount: Amount,
        /// What else is known.
        #[serde(flatten)]
        details: Details,
    },
    /// Money went out.
    Withdrawn {
        /// How much.
        amount: Amount,
        /// What else is known.
        #[serde(flatten)]
        details: Details,
    },
    /// The account was closed.
    Closed {},
    /// Money is on its way to another account of this bank.
    WireSent {
        /// The account it is for.
        to: String,
        /// How much.
        amount: Amount,
    },
    /// Money came from another account of this bank.
    WireReceived {
        /// The account it comes from.
        from: String,
        /// How much.
        amount: Amount,
    },
    /// Money came that this account cannot take: it goes back.
    WireBounced {
        /// The account it comes from.
        from: String,
        /// How much.
        amount: Amount,
        /// Why.
        reason: String,
    },
    /// Money that the other account could not take is back.
    WireRefunded {
        /// The account it was for.
        to: String,
        /// How much.
        amount: Amount,
    },
}

/// What can be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Command)]
pub enum AccountCommand {
    /// Open it.
    Open {
        /// Whose it is.
        owner: String,
        /// How far its balance may go below zero.
        overdraft_limit: Limit,
    },
    /// Pay in.
    Deposit {
        /// How much.
        amount: Amount,
        /// What else is known.
        #[serde(flatten)]
        details: Details,
    },
    /// Pay out.
    Withdraw {
        /// How much.
        amount: Amount,
        /// What else is known.
        #[serde(flatten)]
        details: Details,
    },
    /// Close it; its balance must be zero.
    Close {},
    /// Send money to another account of this bank.
    SendWire {
        /// The account it is for.
        to: String,
        /// How much.
        amount: Amount,
    },
    /// Take in money from another account, or say why not: it is an event in either case, so that asking twice gives the
    /// same answer.
    ReceiveWire {
        /// The account it comes from.
        from: String,
        /// How much.
        amount: Amount,
    },
    /// Take back money that the other account could not take. It is never refused: a closed account owes it to its owner.
    RefundWire {
        /// The account it was for.
        to: String,
        /// How much.
        amount: Amount,
    },
}

/// Why an account refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum AccountRefusal {
    /// It was opened before.
    #[error("the account is open already")]
    AlreadyOpen,
    /// It was never opened, or closed since.
    #[error("the account is not open")]
    NotOpen,
    /// It was closed; a closed account stays closed.
    #[error("the account is closed")]
    Closed,
    /// The balance would go below the overdraft limit.
    #[error("a withdrawal of {amount} hellers is not covered: {available} are available")]
    Overdrawn {
        /// What was asked for.
        amount: Amount,
        /// What could be withdrawn.
        available: u64,
    },
    /// The balance would be more than an account can hold.
    #[error("a deposit of {amount} hellers would take the balance over what an account can hold")]
    Full {
        /// What was asked for.
        amount: Amount,
    },
    /// There is no account by this name.
    #[error("{to:?} cannot be the name of another account")]
    NotAnAccount {
        /// The name.
        to: String,
    },
    /// It is not empty.
    #[error("the account has a balance of {balance} hellers: only an account at zero can be closed")]
    NotEmpty {
        /// The balance.
        balance: Balance,
    },
}

/// Whether an account can be used.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not opened yet.
    #[default]
    New,
    /// Open.
    Open,
    /// Closed for good.
    Closed,
}

/// An account.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "account", snapshot(every = 100, version = 1))]
pub struct Account {
    status: Status,
    balance: Balance,
    overdraft_limit: Limit,
}

impl Account {
    fn must_cover(&self, amount: Amount) -> Result<(), AccountRefusal> {
        let available = self.balance.available(self.overdraft_limit);
        if amount.hellers() > available {
            Err(AccountRefusal::Overdrawn { amount, available })
        } else {
            Ok(())
        }
    }

    fn must_take(&self, amount: Amount) -> Result<(), AccountRefusal> {
        self.must_be_open()?;
        self.balance.plus(amount).map(drop).ok_or(AccountRefusal::Full { amount })
    }

    fn must_be_open(&self) -> Result<(), AccountRefusal> {
        match self.status {
            Status::New => Err(AccountRefusal::NotOpen),
            Status::Open => Ok(()),
            Status::Closed => Err(AccountRefusal::Closed),
        }
    }
}

impl Decider for Account {
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Refusal = AccountRefusal;

    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountRefusal> {
        let event = match command {
            AccountCommand::Open { owner, overdraft_limit } => match self.status {
                Status::New => AccountEvent::Opened { owner, overdraft_limit },
                Status::Open => return Err(AccountRefusal::AlreadyOpen),
                Status::Closed => return Err(AccountRefusal::Closed),
            },
            AccountCommand::Deposit { amount, details } => {
                self.must_take(amount)?;
                AccountEvent::Deposited { amount, details }
            }
            AccountCommand::Withdraw { amount, details } => {
                self.must_be_open()?;
                self.must_cover(amount)?;
                AccountEvent::Withdrawn { amount, details }
            }
            AccountCommand::Close {} => {
                self.must_be_open()?;
                if self.balance != Balance::default() {
                    return Err(AccountRefusal::NotEmpty { balance: self.balance });
                }
                AccountEvent::Closed {}
            }
            AccountCommand::SendWire { to, amount } => {
                self.must_be_open()?;
                if headwater::Id::<Self>::new(&to).is_err() {
                    return Err(AccountRefusal::NotAnAccount { to });
                }
                self.must_cover(amount)?;
                AccountEvent::WireSent { to, amount }
            }
            AccountCommand::ReceiveWire { from, amount } => match self.must_take(amount) {
                Ok(()) => AccountEvent::WireReceived { from, amount },
                Err(refusal) => AccountEvent::WireBounced { from, amount, reason: refusal.to_string() },
            },
            AccountCommand::RefundWire { to, amount } => AccountEvent::WireRefunded { to, amount },
        };
        Ok(vec![event])
    }

    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened { overdraft_limit, .. } => {
                self.status = Status::Open;
                self.overdraft_limit = *overdraft_limit;
            }
            AccountEvent::Deposited { amount, .. }
            | AccountEvent::WireReceived { amount, .. }
            | AccountEvent::WireRefunded { amount, .. } => self.balance.add(*amount),
            AccountEvent::Withdrawn { amount, .. } | AccountEvent::WireSent { amount, .. } => {
                self.balance.subtract(*amount);
            }
            AccountEvent::Closed {} => self.status = Status::Closed,
            AccountEvent::WireBounced { .. } => {}
        }
    }
}
