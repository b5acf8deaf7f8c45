//! Frames of `application/vnd.amazon.eventstream`: headers and a payload between lengths and checksums.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::failure::Failure;

/// The bytes before the headers, and behind the payload.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// The type of a header whose value is text.
const TEXT: u8 = 7;

/// The first frame of every answer: the part of it that is no event.
pub(crate) fn initial_response() -> Bytes {
    frame("event", ":event-type", "initial-response", b"{}")
}

/// An event.
pub(crate) fn event(kind: &str, payload: &impl Serialize) -> Bytes {
    let payload = serde_json::to_vec(payload).expect("an event has no maps and no foreign types");
    frame("event", ":event-type", kind, &payload)
}

/// An exception in the middle of the events.
pub(crate) fn exception(failure: &Failure) -> Bytes {
    frame("exception", ":exception-type", failure.code(), failure.body().to_string().as_bytes())
}

fn frame(message: &str, kind_header: &str, kind: &str, payload: &[u8]) -> Bytes {
    let mut headers = BytesMut::new();
    for (name, value) in
        [(":message-type", message), (kind_header, kind), (":content-type", "application/json")]
    {
        headers.put_u8(u8::try_from(name.len()).expect("our headers have short names"));
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_u16(u16::try_from(value.len()).expect("our headers have short values"));
        headers.put_slice(value.as_bytes());
    }
    let length = PRELUDE + headers.len() + payload.len() + CHECKSUM;
    let mut frame = BytesMut::with_capacity(length);
    frame.put_u32(u32::try_from(length).expect("an event is a few megabytes"));
    frame.put_u32(u32::try_from(headers.len()).expect("our headers are short"));
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(&headers);
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    frame.freeze()
}
