//! From attributes to JSON.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::decimal::Decimal;
use crate::rows::layout::{EXACT, Item, JSON, field_of, text_in};

/// The fields of a row as JSON. An error says what cannot be read.
pub(crate) fn read(item: &Item) -> Result<Bytes, String> {
    if let Some(json) = text_in(item, JSON) {
        return Ok(Bytes::copy_from_slice(json.as_bytes()));
    }
    let exact: BTreeMap<String, &RawValue> = match text_in(item, EXACT) {
        Some(json) => serde_json::from_str(json).map_err(|error| format!("attribute {EXACT}: {error}"))?,
        None => BTreeMap::new(),
    };
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in item {
        let Some(field) = field_of(name).filter(|field| !exact.contains_key(*field)) else { continue };
        let mut json = String::new();
        write(&mut json, value).map_err(|reason| format!("attribute {name:?} {reason}"))?;
        fields.insert(field, json);
    }
    fields.extend(exact.iter().map(|(field, raw)| (field.as_str(), raw.get().to_owned())));
    let mut json = String::from("{");
    for (field, value) in fields {
        separate(&mut json, '{');
        json.push_str(&quoted(field));
        json.push(':');
        json.push_str(&value);
    }
    json.push('}');
    Ok(json.into())
}

fn write(json: &mut String, value: &AttributeValue) -> Result<(), String> {
    match value {
        AttributeValue::Null(_) => json.push_str("null"),
        AttributeValue::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        AttributeValue::S(text) => json.push_str(&quoted(text)),
        AttributeValue::N(number) => {
            let number = Decimal::parse(number).ok_or_else(|| format!("is the number {number:?}"))?;
            json.push_str(&number.json());
        }
        AttributeValue::L(list) => {
            json.push('[');
            for part in list {
                separate(json, '[');
                write(json, part)?;
            }
            json.push(']');
        }
        AttributeValue::M(map) => {
            json.push('{');
            // In an order of their own, so that equal rows are equal texts.
            for (name, part) in map.iter().collect::<BTreeMap<_, _>>() {
                separate(json, '{');
                json.push_str(&quoted(name));
                json.push(':');
                write(json, part)?;
            }
            json.push('}');
        }
        _ => return Err("is of a kind that JSON does not have".to_owned()),
    }
    Ok(())
}

/// A comma, unless it would be the first thing in a list or map.
fn separate(json: &mut String, open: char) {
    if !json.ends_with(open) {
        json.push(',');
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}
