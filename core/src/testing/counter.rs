//! A small aggregate for tests of stores: a number that never goes below zero.

use serde::{Deserialize, Serialize};

use crate::{Aggregate, Command, Decider, Event};

/// The state: a number and how often it changed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "counter", snapshot(every = 10, version = 1))]
pub struct Counter {
    /// The number.
    pub value: u64,
    /// How often it changed.
    pub changes: u64,
}

/// What has happened to a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
pub enum CounterEvent {
    /// Something was added.
    Added {
        /// How much.
        amount: u64,
    },
    /// Something was taken away.
    Subtracted {
        /// How much.
        amount: u64,
    },
}

/// What can be asked of a counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Command)]
pub enum CounterCommand {
    /// Add; nothing happens for zero.
    Add {
        /// How much.
        amount: u64,
    },
    /// Take away.
    Subtract {
        /// How much.
        amount: u64,
    },
    /// Add one, several times, as one commit.
    Count {
        /// How many times.
        times: u64,
    },
}

/// Why a counter refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum CounterRefusal {
    /// There is not that much.
    #[error("the counter is at {value} and cannot go below zero")]
    BelowZero {
        /// The number it has.
        value: u64,
    },
}

impl Decider for Counter {
    type Event = CounterEvent;
    type Command = CounterCommand;
    type Refusal = CounterRefusal;

    fn decide(&self, command: CounterCommand) -> Result<Vec<CounterEvent>, CounterRefusal> {
        match command {
            CounterCommand::Add { amount: 0 } => Ok(vec![]),
            CounterCommand::Add { amount } => Ok(vec![CounterEvent::Added { amount }]),
            CounterCommand::Subtract { amount } if amount > self.value => {
                Err(CounterRefusal::BelowZero { value: self.value })
            }
            CounterCommand::Subtract { amount } => Ok(vec![CounterEvent::Subtracted { amount }]),
            CounterCommand::Count { times } => {
                Ok((0..times).map(|_| CounterEvent::Added { amount: 1 }).collect())
            }
        }
    }

    fn apply(&mut self, event: &CounterEvent) {
        self.changes += 1;
        match event {
            CounterEvent::Added { amount } => self.value += amount,
            CounterEvent::Subtracted { amount } => self.value -= amount,
        }
    }
}
