//! Tags of streams.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kinesis::{database::Transaction, failure::Failure, stream::Stream};

/// How many tags a stream may have.
const MAX_TAGS: usize = 50;
/// How many characters a key, and a value, may have.
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AddTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RemoveTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tag_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    exclusive_start_tag_key: Option<String>,
    limit: Option<usize>,
}

/// Adds tags, or replaces those of the same keys.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn add(tx: &Transaction<'_>, input: AddTags) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    put(tx, &stream, &input.tags)?;
    Ok(json!({}))
}

/// Removes the tags of these keys; absent ones are no error.
#[expect(clippy::needless_pass_by_value, reason = "operations own their input")]
pub(crate) fn remove(tx: &Transaction<'_>, input: RemoveTags) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    for key in &input.tag_keys {
        tx.connection.execute("DELETE FROM tags WHERE stream = ?1 AND key = ?2", params![stream.id, key])?;
    }
    Ok(json!({}))
}

/// The tags of a stream, by key.
pub(crate) fn list(tx: &Transaction<'_>, input: ListTags) -> Result<Value, Failure> {
    let stream = Stream::find(tx, input.stream_name.as_deref(), input.stream_arn.as_deref())?;
    let limit = input.limit.unwrap_or(MAX_TAGS);
    if !(1..=MAX_TAGS).contains(&limit) {
        return Err(Failure::validation("limit", "Member must be between 1 and 50"));
    }
    let after = input.exclusive_start_tag_key.unwrap_or_default();
    let mut select = tx
        .connection
        .prepare_cached("SELECT key, value FROM tags WHERE stream = ?1 AND key > ?2 ORDER BY key")?;
    let rows = select.query_map(params![stream.id, after], |row| {
        Ok(json!({ "Key": row.get::<_, String>(0)?, "Value": row.get::<_, String>(1)? }))
    })?;
    let mut tags = rows.collect::<Result<Vec<Value>, _>>()?;
    let more = tags.len() > limit;
    tags.truncate(limit);
    Ok(json!({ "Tags": tags, "HasMoreTags": more }))
}

/// Adds tags to a stream, within the limits of AWS.
pub(crate) fn put(
    tx: &Transaction<'_>,
    stream: &Stream,
    tags: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let length = |text: &str| text.chars().count();
    for (key, value) in tags {
        if !(1..=MAX_KEY).contains(&length(key)) || length(value) > MAX_VALUE {
            return Err(Failure::argument(format!(
                "The tag {key} is not possible: a key has 1 to {MAX_KEY} characters, a value up to {MAX_VALUE}."
            )));
        }
        let insert = "INSERT OR REPLACE INTO tags (stream, key, value) VALUES (?1, ?2, ?3)";
        tx.connection.execute(insert, params![stream.id, key, value])?;
    }
    let count = "SELECT count(*) FROM tags WHERE stream = ?1";
    let count: i64 = tx.connection.query_row(count, [stream.id], |row| row.get(0))?;
    if usize::try_from(count).map_err(Failure::internal)? > MAX_TAGS {
        return Err(Failure::argument(format!("A stream may have {MAX_TAGS} tags.")));
    }
    Ok(())
}
