//! Consumers with enhanced fan-out: register, describe, list, deregister.

use rusqlite::{OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{
    database::Transaction,
    failure::Failure,
    stream::{ACCOUNT, Stream},
    wire::{Timestamp, set},
};

/// How many consumers a stream may have.
const MAX_CONSUMERS: i64 = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RegisterConsumer {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    consumer_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamedConsumer {
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    consumer_name: Option<String>,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListConsumers {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
}

/// A consumer as stored.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) stream: i64,
    name: String,
    arn: String,
    created: i64,
    active: i64,
}

const COLUMNS: &str = "stream, name, arn, created, active";

/// Registers a consumer; it is CREATING for a while.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn register(tx: &Transaction<'_>, input: RegisterConsumer) -> Result<Value, Failure> {
    let stream = Stream::find(tx, None, Some(&input.stream_arn))?;
    let name = input.consumer_name.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !(1..=128).contains(&name.len()) || !name.bytes().all(plain) {
        return Err(Failure::validation(
            "consumerName",
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]{1,128}",
        ));
    }
    let others = all(tx, &stream)?;
    if others.iter().any(|consumer| consumer.name == name) {
        return Err(Failure::in_use(format!(
            "Consumer {name} under stream {} already exists for account {ACCOUNT}.",
            stream.name
        )));
    }
    if i64::try_from(others.len()).map_err(Failure::internal)? >= MAX_CONSUMERS {
        return Err(Failure::new("LimitExceededException", "A stream may have 20 consumers."));
    }
    let consumer = Consumer {
        stream: stream.id,
        name: name.to_owned(),
        arn: format!("{}/consumer/{name}:{}", stream.arn(), tx.now / 1000),
        created: tx.now,
        active: tx.now + tx.transition,
    };
    tx.connection.execute(
        &format!("INSERT INTO consumers ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5)"),
        params![consumer.stream, consumer.name, consumer.arn, consumer.created, consumer.active],
    )?;
    Ok(json!({ "Consumer": consumer.shown(tx.now) }))
}

/// What a consumer is.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn describe(tx: &Transaction<'_>, input: NamedConsumer) -> Result<Value, Failure> {
    let consumer = named(tx, &input)?;
    let mut shown = consumer.shown(tx.now);
    set(&mut shown, "StreamARN", json!(Stream::numbered(tx, consumer.stream)?.arn()));
    Ok(json!({ "ConsumerDescription": shown }))
}

/// Removes a consumer.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn deregister(tx: &Transaction<'_>, input: NamedConsumer) -> Result<Value, Failure> {
    let consumer = named(tx, &input)?;
    tx.connection.execute("DELETE FROM consumers WHERE arn = ?1", [&consumer.arn])?;
    tx.wake_readers();
    Ok(json!({}))
}

/// The consumers of a stream, by name and in one page: there are few.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn list(tx: &Transaction<'_>, input: ListConsumers) -> Result<Value, Failure> {
    let stream = Stream::find(tx, None, Some(&input.stream_arn))?;
    let shown: Vec<Value> = all(tx, &stream)?.iter().map(|consumer| consumer.shown(tx.now)).collect();
    Ok(json!({ "Consumers": shown }))
}

impl Consumer {
    /// The consumer of this ARN.
    pub(crate) fn find(tx: &Transaction<'_>, arn: &str) -> Result<Self, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM consumers WHERE arn = ?1");
        let found = tx.connection.prepare_cached(&sql)?.query_row([arn], read).optional()?;
        found.ok_or_else(|| Failure::not_found(format!("Consumer {arn} not found.")))
    }

    /// Whether it may subscribe already.
    pub(crate) fn is_active(&self, now: i64) -> bool {
        now >= self.active
    }

    fn shown(&self, now: i64) -> Value {
        json!({
            "ConsumerName": self.name,
            "ConsumerARN": self.arn,
            "ConsumerStatus": if self.is_active(now) { "ACTIVE" } else { "CREATING" },
            "ConsumerCreationTimestamp": Timestamp(self.created),
        })
    }
}

fn named(tx: &Transaction<'_>, input: &NamedConsumer) -> Result<Consumer, Failure> {
    if let Some(arn) = &input.consumer_arn {
        return Consumer::find(tx, arn);
    }
    let (Some(stream), Some(name)) = (&input.stream_arn, &input.consumer_name) else {
        return Err(Failure::argument("Name the consumer by ConsumerARN, or by StreamARN and ConsumerName."));
    };
    let stream = Stream::find(tx, None, Some(stream))?;
    let found = all(tx, &stream)?.into_iter().find(|consumer| &consumer.name == name);
    found.ok_or_else(|| Failure::not_found(format!("Consumer {name} of stream {} not found.", stream.name)))
}

fn all(tx: &Transaction<'_>, stream: &Stream) -> Result<Vec<Consumer>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM consumers WHERE stream = ?1 ORDER BY name");
    let mut select = tx.connection.prepare_cached(&sql)?;
    let rows = select.query_map([stream.id], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Consumer> {
    Ok(Consumer {
        stream: row.get(0)?,
        name: row.get(1)?,
        arn: row.get(2)?,
        created: row.get(3)?,
        active: row.get(4)?,
    })
}
