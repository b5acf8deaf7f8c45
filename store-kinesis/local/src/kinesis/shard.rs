//! Shards as stored.

use rusqlite::{Row, params};
use serde_json::{Value, json};

use super::{database::Transaction, failure::Failure, hash, sequence, stream::Stream, wire::set};

/// How a shard's name begins.
const NAME: &str = "shardId-";

/// A shard as stored.
#[derive(Debug, Clone)]
pub(crate) struct Shard {
    pub(crate) number: i64,
    pub(crate) parent: Option<i64>,
    pub(crate) adjacent: Option<i64>,
    pub(crate) first_hash: u128,
    pub(crate) last_hash: u128,
    /// The count at which it was opened; its records are above.
    pub(crate) first: i64,
    /// The count at which it was closed; its records are below.
    pub(crate) last: Option<i64>,
    pub(crate) created: i64,
    pub(crate) closed: Option<i64>,
}

const COLUMNS: &str = "number, parent, adjacent, first_hash, last_hash, first, last, created, closed";

impl Shard {
    /// All shards of a stream that a reader may still need, by number.
    pub(crate) fn all(tx: &Transaction<'_>, stream: &Stream) -> Result<Vec<Self>, Failure> {
        let sql = format!(
            "SELECT {COLUMNS} FROM shards WHERE stream = ?1 AND (closed IS NULL OR closed >= ?2) ORDER BY number"
        );
        let mut select = tx.connection.prepare_cached(&sql)?;
        let rows = select.query_map(params![stream.id, stream.horizon(tx.now)], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The open shards of a stream, by hash keys.
    pub(crate) fn open(tx: &Transaction<'_>, stream: &Stream) -> Result<Vec<Self>, Failure> {
        let sql =
            format!("SELECT {COLUMNS} FROM shards WHERE stream = ?1 AND closed IS NULL ORDER BY first_hash");
        let mut select = tx.connection.prepare_cached(&sql)?;
        let rows = select.query_map([stream.id], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The shard of this name.
    pub(crate) fn find(tx: &Transaction<'_>, stream: &Stream, id: &str) -> Result<Self, Failure> {
        let number = number(id);
        let shard = Self::all(tx, stream)?.into_iter().find(|shard| Some(shard.number) == number);
        shard.ok_or_else(|| {
            Failure::not_found(format!(
                "Could not find shard {id} in stream {} under account {}.",
                stream.name,
                super::stream::ACCOUNT
            ))
        })
    }

    /// Opens a shard for a range of hash keys.
    pub(crate) fn create(
        tx: &Transaction<'_>,
        stream: &mut Stream,
        (first_hash, last_hash): (u128, u128),
        (parent, adjacent): (Option<i64>, Option<i64>),
    ) -> Result<Self, Failure> {
        let number = stream.next_shard;
        stream.next_shard += 1;
        let first = stream.take_counts(tx, 1)?;
        tx.connection.execute(
            "UPDATE streams SET next_shard = ?2 WHERE id = ?1",
            params![stream.id, stream.next_shard],
        )?;
        let sql = format!(
            "INSERT INTO shards (stream, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8, NULL)"
        );
        tx.connection.execute(
            &sql,
            params![
                stream.id,
                number,
                parent,
                adjacent,
                hash::to_stored(first_hash),
                hash::to_stored(last_hash),
                first,
                tx.now
            ],
        )?;
        let (last, created, closed) = (None, tx.now, None);
        Ok(Self { number, parent, adjacent, first_hash, last_hash, first, last, created, closed })
    }

    /// Takes no more records from here on.
    pub(crate) fn close(&self, tx: &Transaction<'_>, stream: &mut Stream) -> Result<(), Failure> {
        let last = stream.take_counts(tx, 1)?;
        tx.connection.execute(
            "UPDATE shards SET last = ?3, closed = ?4 WHERE stream = ?1 AND number = ?2",
            params![stream.id, self.number, last, tx.now],
        )?;
        Ok(())
    }

    /// Its name.
    pub(crate) fn id(&self) -> String {
        name(self.number)
    }

    /// Whether records of this hash key go here.
    pub(crate) fn holds(&self, hash: u128) -> bool {
        (self.first_hash..=self.last_hash).contains(&hash)
    }

    fn hash_key_range(&self) -> Value {
        json!({
            "StartingHashKey": self.first_hash.to_string(),
            "EndingHashKey": self.last_hash.to_string(),
        })
    }

    /// As a listing shows it.
    pub(crate) fn listed(&self, stream: &Stream) -> Value {
        let mut range =
            json!({ "StartingSequenceNumber": sequence::to_text(stream, self.number, self.first) });
        if let Some(last) = self.last {
            set(&mut range, "EndingSequenceNumber", json!(sequence::to_text(stream, self.number, last)));
        }
        let mut shard = json!({
            "ShardId": self.id(),
            "HashKeyRange": self.hash_key_range(),
            "SequenceNumberRange": range,
        });
        if let Some(parent) = self.parent {
            set(&mut shard, "ParentShardId", json!(name(parent)));
        }
        if let Some(adjacent) = self.adjacent {
            set(&mut shard, "AdjacentParentShardId", json!(name(adjacent)));
        }
        shard
    }

    /// The children of a closed shard, as its last answer shows them.
    pub(crate) fn children(&self, tx: &Transaction<'_>, stream: &Stream) -> Result<Vec<Value>, Failure> {
        let is_child = |shard: &Self| [shard.parent, shard.adjacent].contains(&Some(self.number));
        let children = Self::all(tx, stream)?.into_iter().filter(is_child);
        let shown = children.map(|child| {
            let parents: Vec<String> =
                [child.parent, child.adjacent].into_iter().flatten().map(name).collect();
            json!({
                "ShardId": child.id(),
                "ParentShards": parents,
                "HashKeyRange": child.hash_key_range(),
            })
        });
        Ok(shown.collect())
    }
}

/// The name of a shard of this number.
pub(crate) fn name(number: i64) -> String {
    format!("{NAME}{number:012}")
}

/// The number in a shard's name.
pub(crate) fn number(id: &str) -> Option<i64> {
    let number = id.strip_prefix(NAME)?.parse().ok()?;
    (name(number) == id).then_some(number)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Shard> {
    let hash = |column: usize| {
        let text: String = row.get(column)?;
        hash::from_stored(&text).ok_or(rusqlite::Error::InvalidQuery)
    };
    Ok(Shard {
        number: row.get(0)?,
        parent: row.get(1)?,
        adjacent: row.get(2)?,
        first_hash: hash(3)?,
        last_hash: hash(4)?,
        first: row.get(5)?,
        last: row.get(6)?,
        created: row.get(7)?,
        closed: row.get(8)?,
    })
}
