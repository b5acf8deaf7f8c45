//! From JSON to attributes.
//!
//! Each field becomes an attribute of DynamoDB's own kinds, so that whoever looks into the table sees values and not
//! texts. If it would not come back as the same JSON (1.0, which is 1 in DynamoDB), the field is also kept as JSON beside
//! it; if DynamoDB has no such value (1e300), only as JSON. A row that is no JSON object is kept as JSON as a whole.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use serde_json::value::RawValue;

use super::decimal::Decimal;
use crate::rows::layout::{EXACT, Item, JSON, attribute_of, text};
use crate::rows::limits;

/// A text is not JSON, and why.
#[derive(Debug)]
pub(crate) struct NotJson(pub(crate) serde_json::Error);

impl From<serde_json::Error> for NotJson {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

/// The fields of a row, not looked into any further.
pub(crate) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// Reads the fields of a row; nothing when it is JSON and no object.
    pub(crate) fn of(json: &'a [u8]) -> Result<Option<Self>, NotJson> {
        let row: &RawValue = serde_json::from_slice(json)?;
        if row.get().starts_with('{') {
            return Ok(Some(Self(serde_json::from_str(row.get())?)));
        }
        Ok(None)
    }

    /// The value of a field, for an index.
    pub(crate) fn value(&self, field: &str) -> Option<Value> {
        serde_json::from_str(self.0.get(field)?.get()).ok()
    }

    /// The attributes.
    pub(crate) fn attributes(&self) -> Result<Item, NotJson> {
        let mut item = Item::with_capacity(self.0.len() + 1);
        let mut exact: BTreeMap<&str, &RawValue> = BTreeMap::new();
        for (field, raw) in &self.0 {
            let native = attribute_of(field).zip(attribute(raw, 0)?);
            if !native.as_ref().is_some_and(|(_, native)| native.same) {
                exact.insert(field, raw);
            }
            if let Some((name, native)) = native {
                item.insert(name, native.value);
            }
        }
        if !exact.is_empty() {
            item.insert(EXACT.to_owned(), text(serde_json::to_string(&exact)?));
        }
        Ok(item)
    }
}

/// A row as JSON in one attribute.
pub(crate) fn whole(json: &[u8]) -> Result<Item, NotJson> {
    let row: &RawValue = serde_json::from_slice(json)?;
    Ok(HashMap::from([(JSON.to_owned(), text(row.get()))]))
}

/// A value as an attribute.
struct Native {
    value: AttributeValue,
    /// Whether it comes back as the same JSON.
    same: bool,
}

/// A value as an attribute, if DynamoDB has such a value.
fn attribute(raw: &RawValue, level: usize) -> Result<Option<Native>, NotJson> {
    let json = raw.get();
    let same = |value| Ok(Some(Native { value, same: true }));
    match json.bytes().next() {
        Some(b'n') => same(AttributeValue::Null(true)),
        Some(b't') => same(AttributeValue::Bool(true)),
        Some(b'f') => same(AttributeValue::Bool(false)),
        Some(b'"') => same(AttributeValue::S(serde_json::from_str(json)?)),
        Some(b'[' | b'{') if level >= limits::NESTING => Ok(None),
        Some(b'[') => {
            let parts: Vec<&RawValue> = serde_json::from_str(json)?;
            let mut list = Vec::with_capacity(parts.len());
            let mut same = true;
            for part in parts {
                let Some(native) = attribute(part, level + 1)? else { return Ok(None) };
                same &= native.same;
                list.push(native.value);
            }
            Ok(Some(Native { value: AttributeValue::L(list), same }))
        }
        Some(b'{') => {
            let parts: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
            let mut map = HashMap::with_capacity(parts.len());
            let mut same = true;
            for (name, part) in parts {
                let native = attribute(part, level + 1)?;
                let Some(native) =
                    native.filter(|_| !name.is_empty() && name.len() <= limits::FIELD_NAME_BYTES)
                else {
                    return Ok(None);
                };
                same &= native.same;
                map.insert(name, native.value);
            }
            Ok(Some(Native { value: AttributeValue::M(map), same }))
        }
        _ => Ok(Decimal::parse(json).filter(Decimal::fits).map(|number| Native {
            same: number.gives_back(json),
            value: AttributeValue::N(json.to_owned()),
        })),
    }
}
