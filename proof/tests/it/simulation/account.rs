//! What is projected: accounts, a row for each of them, and rows shared by all. Some events cannot be applied until the
//! code is corrected.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::codec::{DecodeError, EncodeError};
use headwater::schema::EventSchema;
use headwater::{Commit, Decider, Decoded, Event, EventData, EventType, Recorded, StreamName};
use headwater_projections::{Keys, Project};
use serde::{Deserialize, Serialize};

thread_local! {
    static CORRECTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the projections of this thread can apply everything.
pub(crate) fn correct(corrected: bool) {
    CORRECTED.set(corrected);
}

/// Fails as code does that panics, but without a word on the terminal.
fn fail_on_poison(event: AccountEvent) {
    if event == AccountEvent::Poison && !CORRECTED.get() {
        std::panic::resume_unwind(Box::new("poison"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountEvent {
    Deposited { amount: i64, day: u8 },
    Noted,
    Closed,
    Poison,
}

impl Event for AccountEvent {
    const TYPES: &'static [EventType] = &[
        EventType { name: "Deposited", schema: 1 },
        EventType { name: "Noted", schema: 1 },
        EventType { name: "Closed", schema: 1 },
        EventType { name: "Poison", schema: 1 },
    ];

    fn encode(&self) -> Result<EventData, EncodeError> {
        let (name, payload) = match self {
            Self::Deposited { amount, day } => ("Deposited", format!("[{amount},{day}]")),
            Self::Noted => ("Noted", "[]".to_owned()),
            Self::Closed => ("Closed", "[]".to_owned()),
            Self::Poison => ("Poison", "[]".to_owned()),
        };
        Ok(EventData { name: name.into(), schema: 1, payload: payload.into() })
    }

    fn decode(name: &str, _: u32, payload: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        let read = || serde_json::from_slice(payload).expect("the simulation writes what it reads");
        Ok(Decoded::One(match name {
            "Deposited" => {
                let (amount, day) = read();
                Self::Deposited { amount, day }
            }
            "Noted" => Self::Noted,
            "Closed" => Self::Closed,
            _ => Self::Poison,
        }))
    }

    fn schemas() -> Vec<EventSchema> {
        Vec::new()
    }
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Aggregate)]
#[aggregate(category = "account")]
pub(crate) struct Account {}

#[derive(Debug, Clone, Serialize, Deserialize, headwater::Command)]
pub(crate) enum AccountCommand {
    Do {},
}

#[derive(Debug, Serialize, thiserror::Error)]
pub(crate) enum Never {}

impl Decider for Account {
    type Event = AccountEvent;
    type Command = AccountCommand;
    type Refusal = Never;

    fn decide(&self, _: AccountCommand) -> Result<Vec<AccountEvent>, Never> {
        Ok(Vec::new())
    }
    fn apply(&mut self, _: &AccountEvent) {}
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "balances", version = 1, from(Account))]
pub(crate) struct Balance {
    pub(crate) balance: i64,
    pub(crate) events: u64,
    closed: bool,
}

impl Project<Account> for Balance {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        if *event.event == AccountEvent::Noted { Keys::None } else { Keys::Stream }
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        fail_on_poison(*event.event);
        self.count(*event.event);
    }
    fn keep(&self) -> bool {
        !self.closed
    }
}

impl Balance {
    fn count(&mut self, event: AccountEvent) {
        self.events += 1;
        match event {
            AccountEvent::Deposited { amount, .. } => self.balance += amount,
            AccountEvent::Closed => self.closed = true,
            AccountEvent::Noted | AccountEvent::Poison => {}
        }
    }
}

/// Deposits by day and of all days, over all accounts.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "totals", version = 1, from(Account), shared)]
pub(crate) struct Total {
    pub(crate) total: i64,
    pub(crate) count: u64,
}

impl Project<Account> for Total {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        match event.event {
            AccountEvent::Deposited { day, .. } => Keys::many([day.to_string().as_str(), "all"]),
            AccountEvent::Poison => Keys::one("all"),
            AccountEvent::Noted | AccountEvent::Closed => Keys::None,
        }
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        fail_on_poison(*event.event);
        self.count += 1;
        if let AccountEvent::Deposited { amount, .. } = event.event {
            self.total += amount;
        }
    }
}

pub(crate) fn account(id: u64) -> StreamName {
    StreamName::new("account", &id.to_string()).expect("a number is an id")
}

/// The events of commits, one after the other.
fn events(commits: &[Arc<Commit>]) -> impl Iterator<Item = AccountEvent> {
    let all = commits.iter().flat_map(|commit| commit.recorded());
    all.map(|event| {
        let decoded = AccountEvent::decode(&event.data.name, 1, &event.data.payload);
        decoded.expect("the simulation reads what it writes").as_slice()[0]
    })
}

/// What the row of an account must be after so many of its events: a few lines that know nothing of batches or memory.
pub(crate) fn balance_at(commits: &[Arc<Commit>], version: u64) -> Option<Balance> {
    let mut row = None;
    for event in events(commits).take(version as usize) {
        match event {
            AccountEvent::Noted => {}
            AccountEvent::Closed => row = None,
            event => row.get_or_insert_with(Balance::default).count(event),
        }
    }
    row
}

/// What the shared rows must be in the end.
pub(crate) fn totals(streams: &BTreeMap<StreamName, Vec<Arc<Commit>>>) -> BTreeMap<String, Total> {
    let mut rows: BTreeMap<String, Total> = BTreeMap::new();
    for event in streams.values().flat_map(|commits| events(commits)) {
        let (keys, amount) = match event {
            AccountEvent::Deposited { amount, day } => (vec![day.to_string(), "all".to_owned()], amount),
            AccountEvent::Poison => (vec!["all".to_owned()], 0),
            AccountEvent::Noted | AccountEvent::Closed => continue,
        };
        for key in keys {
            let row = rows.entry(key).or_default();
            (row.total, row.count) = (row.total + amount, row.count + 1);
        }
    }
    rows
}
