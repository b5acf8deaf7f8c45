//! The bank after a change of code: what the walk-through of `docs/backfill.md` deploys. Its balances also know the
//! largest amount that moved, so their version is raised.

use bank::account::{Account, AccountEvent};
use headwater::{Projection, Recorded};
use headwater_projections::Project;
use headwater_server::App;
use serde::{Deserialize, Serialize};

/// The balance of each account, and the largest amount that moved.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "balances", version = 2, from(Account))]
struct Balances {
    balance: i64,
    largest: i64,
    transactions: u64,
}

impl Project<Account> for Balances {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        let moved = match event.event {
            AccountEvent::Deposited { amount, .. } => amount.signed(),
            AccountEvent::Withdrawn { amount, .. } => -amount.signed(),
            _ => return,
        };
        self.balance += moved;
        self.largest = self.largest.max(moved.abs());
        self.transactions += 1;
    }
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    App::new("bank").aggregate::<Account>().projection::<Balances>().run().await
}
