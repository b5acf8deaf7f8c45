//! Checks that a store gives back what it was given, byte for byte.

use bytes::Bytes;

use super::tools::{append, fill, name, put, same, whole};
use super::{Backend, Pages};
use crate::Expected::{Any, Exact, NoStream};
use crate::key::{CommandKey, Fingerprint, KeyRecord, KeyedCommand};
use crate::store::{Append, EventStoreExt};
use crate::{EventData, Metadata, Snapshot, StreamName, Version};

pub(super) async fn payloads_come_back_byte_for_byte(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("payloads");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let payloads: Vec<Bytes> = vec![
        Bytes::new(),
        "{}".into(),
        " { \"spaces\" : 1 }\n".into(),
        "{\"b\":1,\"a\":2,\"b\":3}".into(),
        "{\"beyond\":9007199254740993,\"most\":18446744073709551615,\"more\":123456789012345678901234567890}"
            .into(),
        "{\"exact\":0.10,\"tiny\":1e-400,\"minus\":-0}".into(),
        "{\"text\":\"žluťoučký kůň 🐎 \\u0000 \\ud83d\\ude00 \u{202e}\"}".into(),
        deep.into(),
        "not json at all".into(),
        Bytes::from_static(&[0, 159, 146, 150, 255, 0]),
        Bytes::from((0..=255).collect::<Vec<u8>>()),
        vec![b'x'; 100_000].into(),
    ];
    let events =
        |payload: &Bytes| vec![EventData { name: "Odd".into(), schema: 1, payload: payload.clone() }];
    for payload in &payloads {
        put(&*store, Append { events: events(payload), ..append(&stream, Any, 1) }).await;
    }
    let together = payloads.iter().flat_map(events).collect();
    put(&*store, Append { events: together, ..append(&stream, Any, 1) }).await;
    let read = whole(&*store, &stream).await;
    let read: Vec<_> = read.iter().flat_map(|commit| &commit.events).map(|event| &event.payload).collect();
    assert_eq!(read.len(), payloads.len() * 2, "no event is lost, not even an empty one");
    for (read, written) in read.into_iter().zip(payloads.iter().chain(&payloads)) {
        let start = String::from_utf8_lossy(written.get(..40).unwrap_or(written));
        assert!(read == written, "payload {start:?} came back as {} other bytes", read.len());
    }
}

pub(super) async fn names_come_back_as_they_were(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let longest = "x".repeat(256 - "check/".len());
    let widest = "ž".repeat((256 - "check/".len()) / 2);
    let ids = [
        "účet-č-1",
        "口座",
        "🐎",
        "a b",
        "a#b?c=d&e",
        "100%",
        "%2F",
        "a:b@c",
        "'\"`",
        "*",
        "$.a",
        "_",
        "-",
        "...",
        "~",
        "null",
        &longest,
        &widest,
    ];
    for id in ids {
        let stream = name(id);
        let events = vec![EventData { name: format!("Noted {id}").into(), schema: 7, payload: "{}".into() }];
        let written = put(&*store, Append { events, ..append(&stream, NoStream, 1) }).await;
        same(
            &whole(&*store, &stream).await,
            &[written],
            "a stream with an odd name comes back as it was written",
        );
        let version = store.version(&stream).await.expect("a version can be asked for");
        assert_eq!(version, Version(1));
    }
    let category = "c".repeat(64);
    let stream = StreamName::new(&category, "longest-category").expect("64 letters are allowed");
    let written = fill(&*store, &stream, &[1]).await;
    same(&whole(&*store, &stream).await, &written, "a stream of the longest category");
}

pub(super) async fn everything_recorded_comes_back(backend: &dyn Backend) {
    let store = backend.open(Pages::Default).await.store;
    let stream = name("recorded");
    let bare = append(&stream, NoStream, 2);
    let keys =
        (1..=3).map(|n| KeyRecord { hash: u64::MAX - n, fingerprint: Fingerprint(n), first: Version(n) });
    let full = Append {
        metadata: metadata(),
        command: Some(keyed()),
        events: vec![
            EventData { name: "First".into(), schema: 1, payload: "{\"a\":1}".into() },
            EventData { name: "Second".into(), schema: u32::MAX, payload: "[]".into() },
        ],
        snapshot: Some(Box::new(Snapshot {
            schema: u32::MAX,
            state: Bytes::from_static(b"{ \"as\": \"it came\" }"),
            keys: keys.collect(),
        })),
        ..append(&stream, Exact(Version(2)), 1)
    };
    let keyed_only = Append { command: Some(keyed()), ..append(&stream, Exact(Version(4)), 1) };
    let mut expected = Vec::new();
    for (append, first) in [(bare, 1), (full, 3), (keyed_only, 5)] {
        let commit = append.clone().into_commit(Version(first));
        assert_eq!(*put(&*store, append).await, commit, "the answer holds everything that was sent");
        expected.push(commit);
    }
    let read = whole(&*store, &stream).await;
    assert_eq!(read.len(), expected.len());
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read.recorded_at, expected.recorded_at, "the time comes back to the microsecond");
        assert_eq!(read.metadata, expected.metadata);
        assert_eq!(read.command, expected.command, "key and fingerprint come back");
        assert_eq!(read.snapshot, expected.snapshot);
        assert_eq!(**read, *expected, "everything else comes back as well");
    }
}

fn keyed() -> KeyedCommand {
    let key = CommandKey::new("Key ~!@ 0123").expect("printable ASCII is allowed");
    KeyedCommand { key, fingerprint: Fingerprint(u64::MAX) }
}

fn metadata() -> Metadata {
    let fields = [("channel", "pobočka 🏦"), ("empty", "")];
    let mut metadata = Metadata::default();
    metadata.correlation = Some("korelace č. 1".to_owned());
    metadata.causation = Some(String::new());
    metadata.actor = Some("ada@example.com".to_owned());
    metadata.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    metadata.fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    metadata
}
