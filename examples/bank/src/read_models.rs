//! What the bank shows: balances, totals of a day, and the largest withdrawals.

use headwater::{Projection, Recorded};
use headwater_projections::{Keys, Project};
use serde::{Deserialize, Serialize};

use crate::account::{Account, AccountEvent, Day};
use crate::money::Balance;

/// The balance of each account; one row an account.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
#[projection(name = "balances", version = 1, from(Account))]
pub struct Balances {
    /// Whose account it is.
    pub owner: String,
    /// What it holds.
    pub balance: Balance,
    /// How many deposits and withdrawals it had.
    pub transactions: u64,
    /// Whether it was closed.
    pub closed: bool,
}

impl Project<Account> for Balances {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        match event.event {
            AccountEvent::Opened { owner, .. } => self.owner.clone_from(owner),
            AccountEvent::Deposited { amount, .. }
            | AccountEvent::WireReceived { amount, .. }
            | AccountEvent::WireRefunded { amount, .. } => {
                self.balance.add(*amount);
                self.transactions += 1;
            }
            AccountEvent::Withdrawn { amount, .. } | AccountEvent::WireSent { amount, .. } => {
                self.balance.subtract(*amount);
                self.transactions += 1;
            }
            AccountEvent::Closed {} => self.closed = true,
            AccountEvent::WireBounced { .. } => {}
        }
    }
}

/// What all accounts together moved on a day; one row a day, fed by every account.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
#[projection(name = "daily-totals", version = 1, from(Account), shared, index(withdrawn))]
pub struct DailyTotals {
    /// The sum of deposits in hellers.
    pub deposited: i64,
    /// The number of deposits.
    pub deposits: u64,
    /// The sum of withdrawals in hellers.
    pub withdrawn: i64,
    /// The number of withdrawals.
    pub withdrawals: u64,
}

impl Project<Account> for DailyTotals {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        match event.event {
            AccountEvent::Deposited { details, .. } | AccountEvent::Withdrawn { details, .. } => {
                Keys::one(day(details.booked_on, event).to_string())
            }
            // What moves between accounts of the bank does not come in or go out.
            _ => Keys::None,
        }
    }

    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        match event.event {
            AccountEvent::Deposited { amount, .. } => {
                self.deposited += amount.signed();
                self.deposits += 1;
            }
            AccountEvent::Withdrawn { amount, .. } => {
                self.withdrawn += amount.signed();
                self.withdrawals += 1;
            }
            _ => {}
        }
    }
}

/// Every withdrawal, to be listed by amount; one row a withdrawal.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, Projection)]
#[projection(name = "largest-withdrawals", version = 1, from(Account), shared, index(amount))]
pub struct LargestWithdrawals {
    /// The account.
    pub account: String,
    /// How much, in hellers.
    pub amount: i64,
    /// What it was for.
    pub purpose: Option<String>,
    /// The day it was booked on.
    pub booked_on: Day,
}

impl Project<Account> for LargestWithdrawals {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        match event.event {
            AccountEvent::Withdrawn { .. } => Keys::one(format!("{}-{}", event.stream.id(), event.version)),
            _ => Keys::None,
        }
    }

    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        if let AccountEvent::Withdrawn { amount, details } = event.event {
            event.stream.id().clone_into(&mut self.account);
            self.amount = amount.signed();
            self.purpose.clone_from(&details.purpose);
            self.booked_on = day(details.booked_on, event);
        }
    }
}

/// The day a transaction counts for: the one it was booked on, else the one it was recorded on, in UTC.
fn day(booked_on: Option<Day>, event: &Recorded<'_, AccountEvent>) -> Day {
    booked_on.unwrap_or_else(|| event.recorded_at.to_zoned(jiff::tz::TimeZone::UTC).date())
}
