//! Items of the ledger, read by what the documentation of their layout says and by none of the code that writes them.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use headwater::{CommitId, EventData, StreamName, Version};

use super::conditions::{Item, number, text};

/// What the checks need of an item.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) stream: StreamName,
    pub(crate) first: Version,
    pub(crate) last: Version,
    pub(crate) id: CommitId,
}

pub(crate) fn kept(item: &Item) -> Kept {
    let first = item.get("v").and_then(number).expect("an item has a version");
    let count = item.get("n").and_then(number).expect("an item has a count");
    let id =
        bytes(item, "i").and_then(|bytes| uuid::Uuid::from_slice(&bytes).ok()).expect("an item has an id");
    Kept { stream: stream(item), first: Version(first), last: Version(first + count - 1), id: CommitId(id) }
}

pub(crate) fn stream(item: &Item) -> StreamName {
    StreamName::parse(item.get("s").and_then(text).expect("an item has a stream")).expect("a good one")
}

/// A binary attribute.
pub(crate) fn bytes(item: &Item, name: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(item.get(name)?.get("B")?.as_str()?).ok()
}

/// The events of a commit; nothing when they are not what the layout says.
pub(crate) fn events(item: &Item) -> Option<Vec<EventData>> {
    let all = bytes(item, "e")?;
    let (mut left, mut events) = (all.as_slice(), Vec::new());
    while !left.is_empty() {
        let schema = u32::try_from(varint(&mut left)?).ok()?;
        let name = String::from_utf8(part(&mut left)?.to_vec()).ok()?;
        let payload = part(&mut left)?.to_vec().into();
        events.push(EventData { name: name.into(), schema, payload });
    }
    Some(events)
}

fn varint(left: &mut &[u8]) -> Option<u64> {
    let end = left.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = left.split_at_checked(end)?;
    *left = rest;
    Some(number.iter().rev().fold(0, |number, byte| (number << 7) | u64::from(byte & 0x7f)))
}

fn part<'a>(left: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(left)?).ok()?;
    let (part, rest) = left.split_at_checked(length)?;
    *left = rest;
    Some(part)
}
