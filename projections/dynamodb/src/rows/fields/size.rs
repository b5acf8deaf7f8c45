//! Sizes of items as DynamoDB counts them.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::rows::layout::Item;

/// The bytes of an item, names included; of numbers the most they may take.
pub(crate) fn size_bytes(item: &Item) -> usize {
    item.iter().map(|(name, content)| name.len() + value(content)).sum()
}

fn value(content: &AttributeValue) -> usize {
    match content {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::N(digits) => (digits.len() / 2 + 3).min(21),
        AttributeValue::L(list) => 3 + list.iter().map(|part| 1 + value(part)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, part)| 1 + name.len() + value(part)).sum::<usize>()
        }
        _ => 1,
    }
}
