//! The read model: a row for each account.

use headwater::Recorded;
use headwater_projections::rows::LoadedRows;
use headwater_projections::{Batch, Definition, Memory, Project, Step, Writes, step};
use headwater_workload::Row;
use serde::{Deserialize, Serialize};

use crate::{Account, AccountEvent};

/// What a row says of an account.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "account-rows", version = 1, from(Account))]
pub struct AccountRow {
    balance: i64,
    events: u64,
    version: u64,
}

impl Project<Account> for AccountRow {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        match event.event {
            AccountEvent::Opened { .. } => {}
            AccountEvent::Deposited { amount, .. } => self.balance += amount,
            AccountEvent::Withdrawn { amount, .. } => self.balance -= amount,
        }
        self.events += 1;
        self.version = event.version.0;
    }
}

impl AccountRow {
    /// The row, to be added up.
    #[must_use]
    pub fn row(&self) -> Row {
        Row { balance: self.balance, events: self.events, version: self.version }
    }
}

/// Carries out the step of a batch with nothing stored yet: every row is new.
///
/// # Panics
/// When versions are missing, or an event cannot be applied: the workload has neither.
pub fn take_in(
    definition: &Definition<AccountRow>,
    memory: &mut Memory<AccountRow>,
    batch: &Batch,
) -> Writes {
    loop {
        match step(definition, memory, batch) {
            Step::Needs(wanted, gaps) => {
                assert!(gaps.is_empty(), "a scan has no gaps");
                memory.learn(&wanted, LoadedRows::default());
            }
            Step::Writes(writes) => {
                assert!(writes.parked.is_empty(), "every event can be applied");
                return writes;
            }
        }
    }
}
