//! The events of a commit as one binary attribute, for a quarter of what the names and types in a list of maps
//! would add to the bill.
//!
//! For each event, one after the other until the bytes end:
//!
//! | field | form |
//! |---|---|
//! | schema version | varint: 7 bits a byte, lowest first, the top bit says that more follow |
//! | length of the name in bytes | varint |
//! | name | UTF-8 |
//! | length of the payload in bytes | varint |
//! | payload | as it came; JSON when Headwater wrote it |
//!
//! An event of a name and a payload below 128 bytes costs 3 bytes more than its content.

use bytes::Bytes;
use headwater::EventData;

/// The bytes of events.
pub(crate) fn encode(events: &[EventData]) -> Vec<u8> {
    let content: usize = events.iter().map(|event| event.size_bytes() + 8).sum();
    let mut bytes = Vec::with_capacity(content);
    for event in events {
        put(&mut bytes, u64::from(event.schema));
        put(&mut bytes, event.name.len() as u64);
        bytes.extend_from_slice(event.name.as_bytes());
        put(&mut bytes, event.payload.len() as u64);
        bytes.extend_from_slice(&event.payload);
    }
    bytes
}

/// The events of bytes; nothing when the bytes are not whole. Payloads share them.
pub(crate) fn decode(mut bytes: Bytes) -> Option<Vec<EventData>> {
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let schema = u32::try_from(take(&mut bytes)?).ok()?;
        let name = part(&mut bytes)?;
        let name = std::str::from_utf8(&name).ok()?.to_owned();
        let payload = part(&mut bytes)?;
        events.push(EventData { name: name.into(), schema, payload });
    }
    Some(events)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take(bytes: &mut Bytes) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *bytes.first()?;
        bytes::Buf::advance(bytes, 1);
        number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn part(bytes: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(take(bytes)?).ok()?;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_and_cut_bytes_do_not() {
        let long = "x".repeat(300);
        let event = |name: &str, schema, payload: &str| EventData {
            name: name.to_owned().into(),
            schema,
            payload: payload.to_owned().into(),
        };
        let events = vec![event("A", 1, "{}"), event(&long, u32::MAX, ""), event("", 0, &long)];
        let bytes = encode(&events);
        assert_eq!(decode(bytes.clone().into()), Some(events.clone()));
        assert_eq!(encode(&events[..1]).len(), events[0].size_bytes() + 3);
        let whole = [encode(&events[..1]).len(), encode(&events[..2]).len(), 0];
        for length in (0..bytes.len()).filter(|length| !whole.contains(length)) {
            assert_eq!(decode(bytes[..length].to_vec().into()), None, "cut at {length}");
        }
        assert_eq!(decode(vec![0xff; 20].into()), None, "a number without end");
    }
}
