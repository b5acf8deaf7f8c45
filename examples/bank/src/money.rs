//! Money in hellers, a hundredth of a koruna: integers within bounds, so that sums cannot overflow.

use std::fmt;

use headwater::JsonSchema;
use serde::{Deserialize, Serialize};

/// The largest amount of one transaction and the largest overdraft limit, in hellers.
pub const MAX_AMOUNT: u64 = 1_000_000_000_000_000;

/// The largest balance, in hellers: a browser still shows it without rounding (2^53 - 1).
pub const MAX_BALANCE: i64 = 9_007_199_254_740_991;

/// What a transaction moves: 1 to [`MAX_AMOUNT`] hellers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(extend("minimum" = 1, "maximum" = MAX_AMOUNT))]
pub struct Amount(u64);

/// How far a balance may go below zero: 0 to [`MAX_AMOUNT`] hellers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64")]
#[schemars(extend("maximum" = MAX_AMOUNT))]
pub struct Limit(u64);

/// What an account holds, in hellers; below zero it is overdrawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Balance(pub i64);

/// An amount or limit is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{hellers} hellers is out of bounds: give {least} to {MAX_AMOUNT}")]
pub struct OutOfBounds {
    hellers: u64,
    least: u64,
}

impl TryFrom<u64> for Amount {
    type Error = OutOfBounds;
    fn try_from(hellers: u64) -> Result<Self, OutOfBounds> {
        match hellers {
            1..=MAX_AMOUNT => Ok(Self(hellers)),
            _ => Err(OutOfBounds { hellers, least: 1 }),
        }
    }
}

impl TryFrom<u64> for Limit {
    type Error = OutOfBounds;
    fn try_from(hellers: u64) -> Result<Self, OutOfBounds> {
        match hellers {
            0..=MAX_AMOUNT => Ok(Self(hellers)),
            _ => Err(OutOfBounds { hellers, least: 0 }),
        }
    }
}

impl Amount {
    /// In hellers.
    #[must_use]
    pub fn hellers(self) -> u64 {
        self.0
    }

    /// In hellers, as part of a balance.
    #[must_use]
    pub fn signed(self) -> i64 {
        i64::try_from(self.0).expect("an amount is at most 10^15")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Balance {
    /// The balance after a deposit, if an account can hold it.
    #[must_use]
    pub fn plus(self, amount: Amount) -> Option<Self> {
        let sum = self.0 + amount.signed();
        (sum <= MAX_BALANCE).then_some(Self(sum))
    }

    /// What can be withdrawn within an overdraft limit.
    #[must_use]
    pub fn available(self, limit: Limit) -> u64 {
        let limit = i64::try_from(limit.0).expect("a limit is at most 10^15");
        u64::try_from(self.0 + limit).unwrap_or(0)
    }

    /// Adds a deposit.
    pub fn add(&mut self, amount: Amount) {
        self.0 += amount.signed();
    }

    /// Takes a withdrawal away.
    pub fn subtract(&mut self, amount: Amount) {
        self.0 -= amount.signed();
    }
}
