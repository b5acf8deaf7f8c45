//! Where items are, and the names of their attributes. The README of this package describes the layout.
//!
//! Our own names begin with `#`. A field of a row goes by its own name; if that begins with `#`, another is put before
//! it, so it never has one of ours.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::StreamName;
use headwater::key::Fingerprint;

use super::limits;

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Partition key: what the item is and its bucket.
pub(super) const PARTITION: &str = "#p";
/// Sort key: the key of the row, the name of the stream, or the id of the audit entry.
pub(super) const KEY: &str = "#k";

/// Revision of a row.
pub(super) const REVISION: &str = "#r";
/// On rows without fields.
pub(super) const GONE: &str = "#d";
/// The whole row as JSON, instead of attributes.
pub(super) const JSON: &str = "#j";
/// Fields as JSON that attributes would not give back as they are.
pub(super) const EXACT: &str = "#x";

/// Version applied of a stream that feeds shared rows.
pub(super) const VERSION: &str = "#v";
/// Parked: the first failing version.
pub(super) const FIRST_FAILING: &str = "#f";
/// Parked: the highest version.
pub(super) const HIGHEST: &str = "#h";
/// Parked: attempts.
pub(super) const ATTEMPTS: &str = "#n";
/// Parked: the cause, as JSON.
pub(super) const CAUSE: &str = "#c";
/// Parked: the bucket in the index of parked streams; only parked streams have it.
pub(super) const PARKED_BUCKET: &str = "#q";
/// The index of parked streams.
pub(super) const PARKED_INDEX: &str = "parked";

/// The partition of audit entries.
pub(super) const AUDIT: &str = "a";

/// The key of a row.
pub(super) fn row_key(key: &str) -> Item {
    item_key(format!("r{}", bucket(key.as_bytes())), key)
}

/// The key of what is known of a stream.
pub(super) fn stream_key(stream: &StreamName) -> Item {
    item_key(format!("s{}", bucket(stream.as_str().as_bytes())), stream.as_str())
}

/// The key of an item in a partition.
pub(super) fn item_key(partition: String, key: &str) -> Item {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(partition)),
        (KEY.to_owned(), AttributeValue::S(key.to_owned())),
    ])
}

/// The partitions of all rows.
pub(super) fn row_partitions() -> Vec<String> {
    buckets().map(|bucket| format!("r{bucket}")).collect()
}

/// All buckets.
pub(super) fn buckets() -> impl Iterator<Item = String> {
    (0..limits::BUCKETS).map(|bucket| format!("{bucket:x}"))
}

/// The bucket of a key or a value.
pub(super) fn bucket(bytes: &[u8]) -> String {
    format!("{:x}", Fingerprint::of(&[bytes]).0 % u64::from(limits::BUCKETS))
}

/// The attribute of a field, if it can have one.
pub(super) fn attribute_of(field: &str) -> Option<String> {
    match field.len() {
        0 => None,
        length if length > limits::FIELD_NAME_BYTES => None,
        _ if field.starts_with('#') => Some(format!("#{field}")),
        _ => Some(field.to_owned()),
    }
}

/// The field of an attribute; nothing for one of ours.
pub(super) fn field_of(attribute: &str) -> Option<&str> {
    match attribute.strip_prefix('#') {
        Some(field) if field.starts_with('#') => Some(field),
        Some(_) => None,
        None => Some(attribute),
    }
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A text of an item.
pub(super) fn text_in<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A number of an item.
pub(super) fn number_in(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_has_a_name_of_ours_and_every_field_comes_back() {
        for field in ["a", "#", "##", "#p", "#k", "##p", "k", "#bx", " ", "ключ"] {
            let attribute = attribute_of(field).unwrap();
            assert_eq!(field_of(&attribute), Some(field));
        }
        let ours = [PARTITION, KEY, REVISION, GONE, JSON, EXACT, VERSION, FIRST_FAILING, HIGHEST, ATTEMPTS];
        for name in ours.into_iter().chain([CAUSE, PARKED_BUCKET, "#bfield", "#ifield"]) {
            assert_eq!(field_of(name), None);
        }
        assert_eq!(attribute_of(""), None);
    }

    /// Whoever changes this loses all rows there are.
    #[test]
    fn buckets_stay_as_they_are_and_all_are_used() {
        assert_eq!(["a", "2378", "ключ"].map(|key| bucket(key.as_bytes())), ["6", "f", "7"]);
        let used: std::collections::BTreeSet<_> = (0..1_000).map(|n: i32| bucket(&n.to_be_bytes())).collect();
        assert_eq!(used.into_iter().collect::<Vec<_>>(), buckets().collect::<Vec<_>>());
    }
}
