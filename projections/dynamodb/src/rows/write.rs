//! Conditional writes: which request they are, and what a failed condition means.
//!
//! A lost condition is always a safe answer: the caller loads and decides again. The SDK sends a request again when its
//! answer was lost. A second try of a transaction is recognised by its token. A second try of a single write fails on
//! the success of the first; then the item that comes with the refusal is compared with what was to be written, so a
//! lost answer costs no reload. That another owner may have written the very same makes no difference to anyone.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::Version;
use headwater_projections::rows::{Generation, RowError, Written};
use headwater_projections::{Expect, RowWrite, Transaction, VersionWrite};

use super::layout::{Item, PARTITION, REVISION, VERSION, number, stream_key};
use super::row;
use super::store::DynamoRows;

/// A write of one item under a condition.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A row, whole.
    Row(Item, Guard),
    /// The version of a stream; what else is known of the stream stays.
    Version(VersionWrite, Guard),
}

/// The condition of a write, with its names and values.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) condition: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Guard {
    fn absent(attribute: &str) -> Self {
        let names = HashMap::from([("#a".to_owned(), attribute.to_owned())]);
        Self { condition: "attribute_not_exists(#a)", names, values: None }
    }

    fn equal(attribute: &str, value: u64) -> Self {
        let values = Some(HashMap::from([(":a".to_owned(), number(value))]));
        Self { condition: "#a = :a", values, ..Self::absent(attribute) }
    }

    fn of_row(row: &RowWrite) -> Self {
        match row.expect {
            Expect::Absent => Self::absent(PARTITION),
            Expect::Revision(revision) => Self::equal(REVISION, revision.0),
        }
    }

    fn of_version(version: &VersionWrite) -> Self {
        match version.expect {
            Version::EMPTY => Self::absent(VERSION),
            Version(expected) => Self::equal(VERSION, expected),
        }
    }
}

/// The update that sets the version of a stream.
#[derive(Debug)]
pub(super) struct VersionUpdate {
    pub(super) key: Item,
    pub(super) update: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl VersionUpdate {
    pub(super) fn of(version: &VersionWrite, guard: &Guard) -> Self {
        let mut names = guard.names.clone();
        names.insert("#v".to_owned(), VERSION.to_owned());
        let mut values = guard.values.clone().unwrap_or_default();
        values.insert(":v".to_owned(), number(version.version.0));
        Self { key: stream_key(&version.stream), update: "SET #v = :v", names, values }
    }
}

impl DynamoRows {
    /// Writes what is within the limits; one item alone costs half of what it costs in a transaction.
    pub(super) async fn write_together(
        &self,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        transaction.check()?;
        let shape = self.shape(generation).await?;
        let (items, _) = row::encode_all(&transaction.rows, &shape)?;
        let rows = items.into_iter().zip(&transaction.rows);
        let rows = rows.map(|(item, row)| Action::Row(item, Guard::of_row(row)));
        let versions = transaction.versions.iter();
        let versions = versions.map(|version| Action::Version(version.clone(), Guard::of_version(version)));
        let mut actions: Vec<Action> = rows.chain(versions).collect();
        match actions.len() {
            0 => Ok(Written::Done),
            1 => match actions.remove(0) {
                Action::Row(item, guard) => self.put_row(&shape.table, item, guard).await,
                Action::Version(version, guard) => self.set_version(&shape.table, &version, &guard).await,
            },
            _ => self.transact(&shape.table, actions).await,
        }
    }
}

/// Waits a little before a request is sent again, longer each time, never two alike.
pub(super) async fn pause(again: u32) {
    let most = (25_u64 << again.min(5)).max(1);
    futures_timer::Delay::new(Duration::from_millis(fastrand::u64(1..=most))).await;
}
