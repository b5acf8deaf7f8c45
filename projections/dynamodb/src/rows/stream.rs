//! What is known of a stream as an item: the version applied, if rows are shared, and whether it is parked.

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::{StreamName, Version};
use headwater_projections::rows::RowError;
use headwater_projections::{Cause, Parked};

use super::error::corrupt;
use super::layout::{
    ATTEMPTS, CAUSE, FIRST_FAILING, HIGHEST, Item, KEY, PARKED_BUCKET, VERSION, bucket, number, number_in,
    text, text_in,
};

/// The attributes of a parked stream.
pub(super) const PARKED: [&str; 5] = [FIRST_FAILING, HIGHEST, ATTEMPTS, CAUSE, PARKED_BUCKET];

/// The values of [`PARKED`], in its order.
pub(super) fn encode(parked: &Parked) -> [AttributeValue; 5] {
    let cause = serde_json::to_string(&parked.cause).expect("a kind and a text are JSON");
    [
        number(parked.first_failing.0),
        number(parked.highest.0),
        number(u64::from(parked.attempts)),
        text(cause),
        text(bucket(parked.stream.as_str().as_bytes())),
    ]
}

/// The stream of an item.
pub(super) fn name(item: &Item) -> Result<StreamName, RowError> {
    let key = text_in(item, KEY).unwrap_or_default();
    StreamName::parse(key).map_err(|error| corrupt(key, error.to_string()))
}

/// The version applied, if it is kept apart from rows.
pub(super) fn version(item: &Item) -> Result<Option<Version>, RowError> {
    if !item.contains_key(VERSION) {
        return Ok(None);
    }
    let version = number_in(item, VERSION).ok_or_else(|| bad(item, VERSION))?;
    Ok(Some(Version(version)))
}

/// The record of a parked stream, if it is one.
pub(super) fn parked(item: &Item) -> Result<Option<Parked>, RowError> {
    if !item.contains_key(FIRST_FAILING) {
        return Ok(None);
    }
    let whole = |name| number_in(item, name).ok_or_else(|| bad(item, name));
    let cause = text_in(item, CAUSE).and_then(|json| serde_json::from_str::<Cause>(json).ok());
    Ok(Some(Parked {
        stream: name(item)?,
        first_failing: Version(whole(FIRST_FAILING)?),
        highest: Version(whole(HIGHEST)?),
        cause: cause.ok_or_else(|| bad(item, CAUSE))?,
        attempts: u32::try_from(whole(ATTEMPTS)?).map_err(|_| bad(item, ATTEMPTS))?,
    }))
}

fn bad(item: &Item, name: &str) -> RowError {
    let key = text_in(item, KEY).unwrap_or_default();
    corrupt(key, format!("attribute {name:?} is missing or not what the layout says"))
}
