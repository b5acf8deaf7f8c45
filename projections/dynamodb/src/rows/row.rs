//! A row as an item.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use headwater_projections::rows::index::Entry;
use headwater_projections::rows::{RowError, StoredRow};
use headwater_projections::{Revision, RowWrite};

use super::error::corrupt;
use super::fields::{Fields, NotJson, read, size_bytes, whole};
use super::layout::{GONE, Item, KEY, REVISION, bucket, number, number_in, row_key, text, text_in};
use super::limits;
use super::shape::Shape;

/// The items of the rows of one transaction, and their bytes. Attributes where they fit, JSON where they would not.
pub(super) fn encode_all(rows: &[RowWrite], shape: &Shape) -> Result<(Vec<Item>, usize), RowError> {
    let items = |as_attributes| -> Result<(Vec<Item>, usize), RowError> {
        let items = rows.iter().map(|row| encode(row, shape, as_attributes));
        let items: Vec<Item> = items.collect::<Result<_, _>>()?;
        let bytes = items.iter().map(size_bytes).sum();
        Ok((items, bytes))
    };
    let (items, bytes) = match items(true)? {
        (_, bytes) if bytes > limits::TRANSACTION_BYTES => items(false)?,
        fitting => fitting,
    };
    if bytes > limits::TRANSACTION_BYTES {
        let limit = limits::TRANSACTION_BYTES;
        let reason = format!("the items of a transaction have {bytes} bytes, {limit} is the limit: split it");
        return Err(RowError::Unfit { reason });
    }
    Ok((items, bytes))
}

fn encode(row: &RowWrite, shape: &Shape, as_attributes: bool) -> Result<Item, RowError> {
    let invalid = |NotJson(error)| RowError::Unfit {
        reason: format!("the fields of row {:?} are not JSON: {error}", row.key),
    };
    let mut frame = row_key(&row.key);
    frame.insert(REVISION.to_owned(), number(row.revision.0));
    let Some(json) = &row.fields else {
        frame.insert(GONE.to_owned(), AttributeValue::Bool(true));
        return Ok(frame);
    };
    let fields = Fields::of(json).map_err(invalid)?;
    if let Some(fields) = &fields {
        for index in &shape.indexes {
            let value = fields.value(&index.field);
            if let Some(entry) = value.and_then(|value| Entry::of(&value, &row.key)) {
                frame.insert(index.bucket.clone(), text(bucket(entry.value())));
                let bytes = AttributeValue::B(Blob::new(entry.bytes()));
                frame.insert(index.entry.clone(), bytes);
            }
        }
    }
    if let Some(fields) = fields.filter(|_| as_attributes) {
        let attributes = fields.attributes().map_err(invalid)?;
        if size_bytes(&attributes) + size_bytes(&frame) <= limits::ITEM_BYTES {
            frame.extend(attributes);
            return Ok(frame);
        }
    }
    frame.extend(whole(json).map_err(invalid)?);
    let bytes = size_bytes(&frame);
    if bytes > limits::ITEM_BYTES {
        let (key, limit) = (&row.key, limits::ITEM_BYTES);
        let reason =
            format!("row {key:?} has {bytes} bytes as an item, {limit} is the limit: keep less in one row");
        return Err(RowError::Unfit { reason });
    }
    Ok(frame)
}

/// The row of an item.
pub(super) fn decode(item: &Item) -> Result<StoredRow, RowError> {
    let key = text_in(item, KEY).unwrap_or_default().to_owned();
    let revision = number_in(item, REVISION).ok_or_else(|| corrupt(&key, "its revision is missing"))?;
    let fields = match item.contains_key(GONE) {
        true => None,
        false => Some(read(item).map_err(|reason| corrupt(&key, reason))?),
    };
    Ok(StoredRow { key, revision: Revision(revision), fields })
}
