//! Any commit comes back as it was, and anything else is refused by name.

use std::collections::BTreeMap;
use std::error::Error;

use headwater::key::{CommandKey, Fingerprint, KeyedCommand};
use headwater::store::Append;
use headwater::{CommitId, EventData, Expected, Metadata, Snapshot, StreamName, Timestamp, Version};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Payloads that look like JSON and are not, or are not quite, or are and are easily changed on the way.
const PAYLOADS: [&str; 24] = [
    "null",
    "true",
    "0",
    "-0",
    "1e999",
    "1.0",
    "10000000000000000000001",
    "\"\"",
    "\"\\ud800\"",
    "\"a\\/b\"",
    "{}",
    "{\"b\":1,\"a\":1,\"a\":2}",
    "[1, 2,\n3]",
    " {}",
    "{} ",
    "\n",
    "",
    "{",
    "{}{}",
    "01",
    "'a'",
    "\u{feff}{}",
    "nul",
    "{\"$serde_json::private::RawValue\":\"1\"}",
];

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(&PAYLOADS).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
        1 => any::<String>().prop_map(|text| serde_json::to_vec(&text).unwrap()),
    ]
}

fn any_event() -> impl Strategy<Value = EventData> {
    (any::<String>(), any::<u32>(), any_payload()).prop_map(|(name, schema, payload)| EventData {
        name: name.into(),
        schema,
        payload: payload.into(),
    })
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    let text = || option::of(any::<String>());
    let fields = btree_map(any::<String>(), any::<String>(), 0..3);
    (text(), text(), text(), text(), fields).prop_map(
        |(correlation, causation, actor, traceparent, fields): (_, _, _, _, BTreeMap<String, String>)| {
            let mut metadata = Metadata::default();
            metadata.correlation = correlation;
            metadata.causation = causation;
            metadata.actor = actor;
            metadata.traceparent = traceparent;
            metadata.fields = fields;
            metadata
        },
    )
}

fn any_append() -> impl Strategy<Value = Append> {
    let microseconds = Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond();
    let id = "[a-zé\" 0-9]{0,40}".prop_map(|id| format!("id{id}id"));
    let command = option::of(("[!-~]{0,20}", any::<u64>()));
    let parts = (id, any::<u128>(), microseconds, any_metadata(), command, vec(any_event(), 1..5));
    parts.prop_map(|(id, uuid, microseconds, metadata, command, events)| {
        let stream = StreamName::new("account", &id).unwrap();
        let mut append = Append::new(stream, Expected::Any, events);
        append.id = CommitId(uuid::Uuid::from_u128(uuid));
        append.recorded_at = Timestamp::from_microsecond(microseconds).unwrap();
        append.metadata = metadata;
        append.command = command.map(|(key, fingerprint)| KeyedCommand {
            key: CommandKey::new(format!("k{key}")).unwrap(),
            fingerprint: Fingerprint(fingerprint),
        });
        append
    })
}

proptest! {
    #[test]
    fn any_commit_comes_back_within_the_bound(
        append in any_append(), first in 1..=u64::MAX - 9, redelivered: bool,
    ) {
        let bound = bound_bytes(&append);
        let commit = append.into_commit(Version(first));
        let bytes = encode(&commit, redelivered);
        prop_assert!(bytes.len() + commit.stream.as_str().len() <= bound, "{} > {bound}", bytes.len());
        let room = 19 - first.ilog10() as usize + if redelivered { 0 } else { r#","redelivered":true"#.len() };
        prop_assert_eq!(bytes.len() + commit.stream.as_str().len() + room, bound, "the bound is as low as can be");
        prop_assert_eq!(decode(&bytes).unwrap(), Record { commit, redelivered });
    }

    #[test]
    fn a_record_that_was_cut_is_not_json(append in any_append(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&append.into_commit(Version(1)), false);
        let cut = &bytes[..cut.index(bytes.len())];
        prop_assert!(matches!(decode(cut), Err(RecordError::NotJson(_))), "{:?}", decode(cut));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in vec(any::<u8>(), 0..60)) {
        prop_assert!(decode(&bytes).is_err());
    }
}

fn plain() -> Append {
    let event = EventData { name: "Deposited".into(), schema: 2, payload: r#"{"cents": 500}"#.into() };
    let mut append = Append::new(StreamName::new("account", "7").unwrap(), Expected::Any, vec![event]);
    append.id = CommitId(uuid::Uuid::from_u128(7));
    append.recorded_at = Timestamp::from_microsecond(1_788_091_200_000_001).unwrap();
    append
}

#[test]
fn names_and_order_of_fields_stay_as_they_are() {
    let mut append = plain();
    let least = encode(&append.clone().into_commit(Version(3)), false);
    assert_eq!(
        String::from_utf8(least).unwrap(),
        r#"{"format":1,"stream":"account/7","version":3,"commit":"00000000-0000-0000-0000-000000000007","at":"2026-08-30T12:00:00.000001Z","events":[{"type":"Deposited","schema":2,"data":{"cents": 500}}]}"#
    );
    append.metadata.actor = Some("ann".to_owned());
    append.command =
        Some(KeyedCommand { key: CommandKey::new("k-1").unwrap(), fingerprint: Fingerprint(0xabc) });
    append.events = vec![EventData { name: "Raw".into(), schema: 1, payload: " {}".into() }];
    append.snapshot = Some(Box::new(Snapshot { schema: 1, state: "{}".into(), keys: Vec::new() }));
    let most = encode(&append.into_commit(Version(3)), true);
    assert_eq!(
        String::from_utf8(most).unwrap(),
        r#"{"format":1,"stream":"account/7","version":3,"commit":"00000000-0000-0000-0000-000000000007","at":"2026-08-30T12:00:00.000001Z","metadata":{"actor":"ann"},"command":{"key":"k-1","fingerprint":"0000000000000abc"},"events":[{"type":"Raw","schema":1,"base64":"IHt9"}],"redelivered":true}"#
    );
}

#[test]
fn records_that_break_a_rule_are_refused_by_name() {
    let whole: serde_json::Value =
        serde_json::from_slice(&encode(&plain().into_commit(Version(3)), false)).unwrap();
    let event = |payload: &str| format!(r#"[{{"type":"A","schema":1{payload}}}]"#);
    let cases = [
        ("format", "2".to_owned(), "format 2, and this program knows format 1 only: use a newer version"),
        ("format", "0".to_owned(), "field \"format\""),
        ("stream", "\"account\"".to_owned(), "field \"stream\""),
        ("stream", "7".to_owned(), "not that of a commit"),
        ("version", "0".to_owned(), "field \"version\""),
        ("version", u64::MAX.to_string(), "field \"version\""),
        ("version", "-1".to_owned(), "not that of a commit"),
        ("commit", "\"7\"".to_owned(), "not that of a commit"),
        ("at", "\"yesterday\"".to_owned(), "field \"at\""),
        ("command", r#"{"key":"","fingerprint":"0000000000000abc"}"#.to_owned(), "field \"command.key\""),
        ("command", r#"{"key":"k","fingerprint":"abc"}"#.to_owned(), "field \"command.fingerprint\""),
        (
            "command",
            r#"{"key":"k","fingerprint":"+000000000000abc"}"#.to_owned(),
            "field \"command.fingerprint\"",
        ),
        ("events", "[]".to_owned(), "field \"events\""),
        ("events", event(""), "either data or base64"),
        ("events", event(r#","data":1,"base64":"AA==""#), "either data or base64"),
        ("events", event(r#","base64":"A""#), "field \"events.base64\""),
        ("events", "[1]".to_owned(), "not that of a commit"),
    ];
    for (field, value, refusal) in cases {
        let mut record = whole.clone();
        record[field] = serde_json::from_str(&value).unwrap();
        let error = decode(record.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(refusal), "{field} {value}: {error}");
    }
    for field in ["format", "stream", "version", "commit", "at", "events"] {
        let mut record = whole.clone();
        record.as_object_mut().unwrap().remove(field);
        let error = decode(record.to_string().as_bytes()).unwrap_err();
        assert!(error.source().unwrap().to_string().contains(field), "{field}: {error:?}");
    }
}

#[test]
fn a_newer_format_is_named_even_if_everything_else_is_different() {
    let error = decode(br#"{"format":7,"content":[]}"#).unwrap_err();
    assert!(matches!(error, RecordError::Newer { found: 7 }), "{error:?}");
}

#[test]
fn fields_that_are_not_known_are_passed_over() {
    let commit = plain().into_commit(Version(3));
    let mut record: serde_json::Value = serde_json::from_slice(&encode(&commit, true)).unwrap();
    record["later"] = serde_json::json!({ "deep": [1, { "er": null }] });
    record["metadata"] = serde_json::json!({ "later": 1 });
    record["events"][0]["later"] = true.into();
    let read = decode(record.to_string().as_bytes()).unwrap();
    assert_eq!(
        (read.commit.events.len(), read.commit.metadata, read.redelivered),
        (1, Metadata::default(), true)
    );
}

#[test]
fn the_example_of_the_documentation_is_a_record() {
    let page = include_str!("../../FEED.md");
    let examples: Vec<&str> =
        page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 1);
    let read = decode(examples[0].as_bytes()).unwrap();
    assert_eq!((read.commit.stream.as_str(), read.commit.first), ("account/2378", Version(41)));
    assert_eq!(read.commit.last(), Version(42));
    assert_eq!(read.commit.metadata.actor.as_deref(), Some("teller-4"));
    assert_eq!(read.commit.events[1].payload, [0xff, 0xd8, 0xff, 0xe0][..]);
    let fields: serde_json::Value = serde_json::from_str(examples[0]).unwrap();
    let fields = [fields.as_object().unwrap(), fields["metadata"].as_object().unwrap()];
    for field in fields.into_iter().flat_map(|object| object.keys()) {
        assert!(page.contains(&format!("| `{field}`")) || page.contains(&format!("`{field}`")), "{field}");
    }
}
