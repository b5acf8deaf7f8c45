//! An account with events by hand, and two projections of it: one row per account, and rows shared by accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::codec::{DecodeError, EncodeError};
use headwater::schema::EventSchema;
use headwater::{
    Commit, CommitId, Decider, Decoded, Event, EventData, EventType, Metadata, Recorded, StreamName,
    Timestamp, Version,
};
use headwater_projections::{Keys, Project};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum AccountEvent {
    Deposited {
        amount: i64,
        day: String,
    },
    Noted {},
    Closed {},
    /// Makes every projection panic.
    Poison {},
}

impl Event for AccountEvent {
    const TYPES: &'static [EventType] = &[
        EventType { name: "Deposited", schema: 1 },
        EventType { name: "Noted", schema: 1 },
        EventType { name: "Closed", schema: 1 },
        EventType { name: "Poison", schema: 1 },
    ];

    fn encode(&self) -> Result<EventData, EncodeError> {
        let json = serde_json::to_value(self).expect("events of the tests are JSON");
        let (name, payload) = json.as_object().and_then(|map| map.iter().next()).expect("one variant");
        Ok(stored(name.clone(), &payload.to_string()))
    }

    /// `Split` is a retired type that became two events, `Dropped` one that became none.
    fn decode(name: &str, _: u32, payload: &[u8]) -> Result<Decoded<Self>, DecodeError> {
        match name {
            "Split" => Ok(Decoded::Many(vec![deposited(1, "mon"), deposited(2, "tue")])),
            "Dropped" => Ok(Decoded::Many(Vec::new())),
            _ if !Self::TYPES.iter().any(|known| known.name == name) => {
                Err(DecodeError::UnknownType { name: name.to_owned(), known: "Deposited, …".to_owned() })
            }
            _ => {
                let json = format!("{{{name:?}:{}}}", String::from_utf8_lossy(payload));
                let read = serde_json::from_str(&json).map(Decoded::One);
                read.map_err(|source| DecodeError::Payload { name: name.to_owned(), schema: 1, source })
            }
        }
    }

    fn schemas() -> Vec<EventSchema> {
        Vec::new()
    }
}

pub(crate) fn deposited(amount: i64, day: &str) -> AccountEvent {
    AccountEvent::Deposited { amount, day: day.to_owned() }
}

pub(crate) fn stored(name: impl Into<std::borrow::Cow<'static, str>>, payload: &str) -> EventData {
    EventData { name: name.into(), schema: 1, payload: payload.to_owned().into() }
}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Aggregate)]
#[aggregate(category = "account")]
pub(crate) struct Account {}

#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "balances", version = 1, from(Account))]
pub(crate) struct Balance {
    pub(crate) balance: i64,
    pub(crate) events: u64,
    closed: bool,
}

impl Project<Account> for Balance {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        if matches!(event.event, AccountEvent::Noted {}) { Keys::None } else { Keys::Stream }
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        self.events += 1;
        match event.event {
            AccountEvent::Deposited { amount, .. } => self.balance += amount,
            AccountEvent::Closed {} => self.closed = true,
            AccountEvent::Poison {} => panic!("poison"),
            AccountEvent::Noted {} => unreachable!("ignored"),
        }
    }
    fn keep(&self) -> bool {
        !self.closed
    }
}

/// Deposits by day and of all days, over all accounts.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "totals", version = 1, from(Account), shared, index(total))]
pub(crate) struct Total {
    pub(crate) total: i64,
    pub(crate) count: u64,
}

impl Project<Account> for Total {
    fn keys(event: &Recorded<'_, AccountEvent>) -> Keys {
        match event.event {
            AccountEvent::Deposited { day, .. } => Keys::many([day.as_str(), "all"]),
            AccountEvent::Poison {} => Keys::one("all"),
            AccountEvent::Noted {} | AccountEvent::Closed {} => Keys::None,
        }
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        self.count += 1;
        match event.event {
            AccountEvent::Deposited { amount, .. } => self.total += amount,
            _ => panic!("poison"),
        }
    }
    // A day whose deposits add up to nothing is not worth a row; neither order nor splits may show.
    fn keep(&self) -> bool {
        self.count > 0
    }
}

pub(crate) fn account(id: &str) -> StreamName {
    StreamName::new("account", id).expect("ids of the tests are valid")
}

pub(crate) fn commit(stream: &StreamName, first: u64, events: Vec<EventData>) -> Arc<Commit> {
    Arc::new(Commit {
        stream: stream.clone(),
        first: Version(first),
        id: CommitId::new(),
        recorded_at: Timestamp::UNIX_EPOCH,
        metadata: Metadata::default(),
        command: None,
        events,
        snapshot: None,
    })
}

/// A commit of one event.
pub(crate) fn event(id: &str, version: u64, event: &AccountEvent) -> Arc<Commit> {
    commit(&account(id), version, vec![event.encode().expect("events of the tests encode")])
}

/// What the rows must be: a few lines that know nothing of versions, batches or memory.
pub(crate) fn plain_balances(streams: &BTreeMap<String, Vec<AccountEvent>>) -> BTreeMap<String, (i64, u64)> {
    let mut rows = BTreeMap::new();
    for (id, events) in streams {
        for event in events {
            match event {
                AccountEvent::Noted {} => {}
                AccountEvent::Closed {} => drop(rows.remove(id)),
                AccountEvent::Deposited { amount, .. } => {
                    let row: &mut (i64, u64) = rows.entry(id.clone()).or_default();
                    *row = (row.0 + amount, row.1 + 1);
                }
                AccountEvent::Poison {} => unreachable!("no poison in a plain fold"),
            }
        }
    }
    rows
}

/// The same for totals.
pub(crate) fn plain_totals(streams: &BTreeMap<String, Vec<AccountEvent>>) -> BTreeMap<String, (i64, u64)> {
    let mut rows = BTreeMap::new();
    for event in streams.values().flatten() {
        if let AccountEvent::Deposited { amount, day } = event {
            for key in [day.as_str(), "all"] {
                let row: &mut (i64, u64) = rows.entry(key.to_owned()).or_default();
                *row = (row.0 + amount, row.1 + 1);
            }
        }
    }
    rows
}

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
