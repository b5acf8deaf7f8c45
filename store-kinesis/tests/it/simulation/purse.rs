//! What commands are about: purses. Every event says which errand it is of and what is in the purse after it, so that
//! whoever reads the ledger can tell on which state it was decided.

use headwater::Decider;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, headwater::Aggregate)]
#[aggregate(category = "purse", snapshot(every = 4, version = 1))]
pub(crate) struct Purse {
    pub(crate) sum: u64,
    pub(crate) changes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, headwater::Event)]
pub(crate) enum PurseEvent {
    Given { errand: u64, amount: u64, sum: u64 },
    Taken { errand: u64, amount: u64, sum: u64 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, headwater::Command)]
pub(crate) enum PurseCommand {
    /// An event for each amount.
    Give {
        errand: u64,
        amounts: Vec<u64>,
    },
    Take {
        errand: u64,
        amount: u64,
    },
    /// Takes everything: no effect on a purse that is empty.
    TakeAll {
        errand: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub(crate) enum PurseRefusal {
    #[error("there is no more than {sum}")]
    TooLittle { sum: u64 },
}

impl Decider for Purse {
    type Event = PurseEvent;
    type Command = PurseCommand;
    type Refusal = PurseRefusal;

    fn decide(&self, command: PurseCommand) -> Result<Vec<PurseEvent>, PurseRefusal> {
        let sum = self.sum;
        match command {
            PurseCommand::Give { errand, amounts } => {
                let given = amounts.into_iter().scan(sum, |sum, amount| {
                    *sum += amount;
                    Some(PurseEvent::Given { errand, amount, sum: *sum })
                });
                Ok(given.collect())
            }
            PurseCommand::Take { amount, .. } if amount > sum => Err(PurseRefusal::TooLittle { sum }),
            PurseCommand::Take { errand, amount } => {
                Ok(vec![PurseEvent::Taken { errand, amount, sum: sum - amount }])
            }
            PurseCommand::TakeAll { .. } if sum == 0 => Ok(vec![]),
            PurseCommand::TakeAll { errand } => Ok(vec![PurseEvent::Taken { errand, amount: sum, sum: 0 }]),
        }
    }

    fn apply(&mut self, event: &PurseEvent) {
        self.changes += 1;
        match event {
            PurseEvent::Given { amount, .. } => self.sum += amount,
            PurseEvent::Taken { amount, .. } => self.sum = self.sum.saturating_sub(*amount),
        }
    }
}
