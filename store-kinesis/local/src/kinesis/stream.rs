//! Streams as stored, and finding one by name or ARN.

use rusqlite::{OptionalExtension, Row, params};

use super::{database::Transaction, failure::Failure};
use crate::REGION;

/// The account that everything belongs to.
pub(crate) const ACCOUNT: &str = "000000000000";

/// A stream as stored.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    /// Never used again, also when a stream of the same name is made.
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) mode: String,
    /// In milliseconds since 1970, like all times here.
    pub(crate) created: i64,
    pub(crate) retention_hours: i64,
    /// What it is until `changing_until`; ACTIVE afterwards.
    pub(crate) changing: String,
    pub(crate) changing_until: i64,
    /// The count it gives next.
    pub(crate) next: i64,
    /// The number of its next shard.
    pub(crate) next_shard: i64,
}

const COLUMNS: &str = "id, name, mode, created, retention_hours, changing, changing_until, next, next_shard";

impl Stream {
    /// The stream that a request names.
    pub(crate) fn find(tx: &Transaction<'_>, name: Option<&str>, arn: Option<&str>) -> Result<Self, Failure> {
        let name = match (name, arn) {
            (_, Some(arn)) => name_of(arn)?,
            (Some(name), None) => name,
            (None, None) => {
                return Err(Failure::argument("Either StreamName or StreamARN should be provided."));
            }
        };
        Self::named(tx, name)?
            .ok_or_else(|| Failure::not_found(format!("Stream {name} under account {ACCOUNT} not found.")))
    }

    /// The stream of this name, if there is one.
    pub(crate) fn named(tx: &Transaction<'_>, name: &str) -> Result<Option<Self>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM streams WHERE name = ?1");
        Ok(tx.connection.prepare_cached(&sql)?.query_row([name], read).optional()?)
    }

    /// The stream of this number, if it still exists.
    pub(crate) fn numbered(tx: &Transaction<'_>, id: i64) -> Result<Self, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM streams WHERE id = ?1");
        let found = tx.connection.prepare_cached(&sql)?.query_row([id], read).optional()?;
        found.ok_or_else(|| {
            Failure::not_found("The stream of this iterator or token does not exist any more.")
        })
    }

    /// Its name in ARN form.
    pub(crate) fn arn(&self) -> String {
        arn(&self.name)
    }

    /// CREATING, UPDATING or ACTIVE.
    pub(crate) fn status(&self, now: i64) -> &str {
        if now < self.changing_until { &self.changing } else { "ACTIVE" }
    }

    /// Refuses a stream that is changing.
    pub(crate) fn must_be_active(&self, now: i64) -> Result<(), Failure> {
        match self.status(now) {
            "ACTIVE" => Ok(()),
            status => Err(Failure::in_use(format!(
                "Stream {} under account {ACCOUNT} not ACTIVE, instead in state {status}",
                self.name
            ))),
        }
    }

    /// Records that arrived before this are gone.
    pub(crate) fn horizon(&self, now: i64) -> i64 {
        now - self.retention_hours * 3_600_000
    }

    /// Takes the next counts, and says the first.
    pub(crate) fn take_counts(&mut self, tx: &Transaction<'_>, how_many: i64) -> Result<i64, Failure> {
        let first = self.next;
        self.next += how_many;
        let mut update = tx.connection.prepare_cached("UPDATE streams SET next = ?2 WHERE id = ?1")?;
        update.execute(params![self.id, self.next])?;
        Ok(first)
    }

    /// It is UPDATING for a while.
    pub(crate) fn begin_update(&self, tx: &Transaction<'_>) -> Result<(), Failure> {
        tx.connection.execute(
            "UPDATE streams SET changing = 'UPDATING', changing_until = ?2 WHERE id = ?1",
            params![self.id, tx.now + tx.transition],
        )?;
        Ok(())
    }
}

/// The ARN of a stream.
pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{name}")
}

/// The stream's name in the ARN of a stream or a consumer.
fn name_of(arn: &str) -> Result<&str, Failure> {
    let path = arn.split_once(":stream/").filter(|(start, _)| start.starts_with("arn:"));
    let (_, path) =
        path.ok_or_else(|| Failure::validation("streamARN", "Member must be the ARN of a stream"))?;
    Ok(path.split('/').next().unwrap_or(path))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        mode: row.get(2)?,
        created: row.get(3)?,
        retention_hours: row.get(4)?,
        changing: row.get(5)?,
        changing_until: row.get(6)?,
        next: row.get(7)?,
        next_shard: row.get(8)?,
    })
}
