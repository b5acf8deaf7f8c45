//! Items and records with any content: refused by name or understood, never a panic.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use headwater::StreamName;
use headwater_proof::fuzz::fuzz;
use serde_json::Value;

use super::item;
use crate::outbox::Number;
use crate::record;

/// An item as DynamoDB writes it in JSON; attributes that are written in another way are left out.
fn item_of(json: &Value) -> item::Item {
    let attributes = json.as_object().into_iter().flatten();
    let attributes = attributes.filter_map(|(name, value)| {
        let (kind, value) = value.as_object()?.iter().next()?;
        let value = match (kind.as_str(), value) {
            ("S", Value::String(text)) => AttributeValue::S(text.clone()),
            ("N", Value::String(text)) => AttributeValue::N(text.clone()),
            ("B", Value::String(text)) => {
                AttributeValue::B(Blob::new(BASE64_STANDARD.decode(text).unwrap_or_default()))
            }
            _ => AttributeValue::Null(true),
        };
        Some((name.clone(), value))
    });
    attributes.collect::<HashMap<_, _>>()
}

#[test]
fn any_item_is_understood_or_refused_by_name() {
    let stream = StreamName::parse("account/7").unwrap();
    fuzz("item", |input| {
        let Ok(json) = serde_json::from_slice::<Value>(input) else { return Ok(()) };
        let item = item_of(&json);
        let _place = item::place_of(item.clone());
        let mark = item::mark(&stream, item.clone());
        let Ok(commit) = item::decode(&stream, item) else { return Ok(()) };
        match mark {
            Ok(mark) if (mark.first, mark.last, mark.id) == (commit.first, commit.last(), commit.id) => {}
            _ => return Err("the mark of a commit is not that of the commit".to_owned()),
        }
        let number = Number { lane: "w#0".to_owned(), value: 1 };
        match item::decode(&stream, item::encode(&commit, &number)) {
            Ok(again) if again == commit => Ok(()),
            again => Err(format!("{commit:?} is read back as {again:?}")),
        }
    });
}

#[test]
fn any_record_is_understood_or_refused_by_name() {
    fuzz("record", |input| {
        let Ok(read) = record::decode(input) else { return Ok(()) };
        if read.commit.events.is_empty() {
            return Err("a commit without events".to_owned());
        }
        if read.commit.last() < read.commit.first {
            return Err("a commit that ends before it begins".to_owned());
        }
        match record::decode(&record::encode(&read.commit, read.redelivered)) {
            Ok(again) if again == read => Ok(()),
            again => Err(format!("{read:?} is read back as {again:?}")),
        }
    });
}
