//! Items that cannot be understood: an error that names stream and version, never a shorter answer.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use headwater::store::{Append, Consistency, Read, StoreError};
use headwater::{EventData, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_store_kinesis::{Config, KinesisStore};

use crate::stores::{clients, store};

/// A ledger that has read nothing yet, on a stream of commits at the versions 1, 3 and 4.
async fn three_commits() -> (KinesisStore, Config, StreamName) {
    let (writer, config) = store().await;
    let stream = StreamName::parse("corrupt/a").unwrap();
    for events in [2, 1, 1] {
        let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
        let append = Append::new(stream.clone(), Expected::Any, vec![event; events]);
        writer.append(append).await.unwrap();
    }
    (KinesisStore::open(&clients(), &config), config, stream)
}

/// Sets or removes an attribute of the commit at version 3.
async fn tamper(config: &Config, stream: &StreamName, name: &str, value: Option<AttributeValue>) {
    let update = clients().dynamodb.update_item().table_name(format!("{}-ledger", config.prefix));
    let update = update
        .key("s", AttributeValue::S(stream.to_string()))
        .key("v", AttributeValue::N("3".into()))
        .expression_attribute_names("#a", name);
    let update = match value {
        Some(value) => update.update_expression("SET #a = :a").expression_attribute_values(":a", value),
        None => update.update_expression("REMOVE #a"),
    };
    update.send().await.unwrap();
}

/// Every way to read past version 3 must fail there.
async fn corrupt_at(ledger: &KinesisStore, stream: &StreamName, version: Version, what: &str) {
    for read in [Read::all(), Read::backward(), Read::all().consistency(Consistency::Eventual)] {
        match ledger.read(stream, read).await {
            Err(StoreError::Corrupt { stream: named, version: at, reason }) => {
                assert_eq!((&named, at), (stream, version), "{what}: {reason}");
            }
            other => panic!("{what}: it must be corrupt, but: {other:?}"),
        }
    }
    assert!(ledger.load(stream, None, Consistency::Eventual).await.is_err(), "{what}");
}

#[tokio::test]
async fn an_item_that_is_not_as_the_layout_says_is_named() {
    let number = |digits: &str| Some(AttributeValue::N(digits.to_owned()));
    let bytes = |bytes: &[u8]| Some(AttributeValue::B(Blob::new(bytes)));
    let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
    let cases = [
        ("f", number("2"), "a newer format"),
        ("f", None, "no format"),
        ("n", number("2"), "another number of events"),
        ("n", number("0"), "no events"),
        ("n", number("18446744073709551615"), "more events than there are versions"),
        ("i", bytes(b"short"), "a short id"),
        ("t", None, "no time"),
        ("e", None, "no events at all"),
        ("e", bytes(b"\x01\x05No"), "events that are cut"),
        ("e", text("text"), "events of another type"),
        ("m", text("no JSON"), "metadata that is no JSON"),
        ("k", text("key"), "a key without a fingerprint"),
        ("zs", number("1"), "a snapshot without a state"),
    ];
    for (name, value, what) in cases {
        let (ledger, config, stream) = three_commits().await;
        tamper(&config, &stream, name, value).await;
        corrupt_at(&ledger, &stream, Version(3), what).await;
    }
}

#[tokio::test]
async fn an_attribute_that_is_not_known_is_passed_over() {
    let (ledger, config, stream) = three_commits().await;
    tamper(&config, &stream, "later", Some(AttributeValue::Bool(true))).await;
    assert_eq!(ledger.load(&stream, None, Consistency::Eventual).await.unwrap().version(), Version(4));
}

#[tokio::test]
async fn a_commit_that_is_gone_is_a_hole() {
    for (first, hole) in [("3", 3), ("1", 1)] {
        let (ledger, config, stream) = three_commits().await;
        let delete = clients().dynamodb.delete_item().table_name(format!("{}-ledger", config.prefix));
        let delete =
            delete.key("s", AttributeValue::S(stream.to_string())).key("v", AttributeValue::N(first.into()));
        delete.send().await.unwrap();
        corrupt_at(&ledger, &stream, Version(hole), "a hole").await;
    }
}

#[tokio::test]
async fn a_newer_format_at_the_head_stops_appends_too() {
    let (ledger, config, stream) = three_commits().await;
    tamper(&config, &stream, "f", Some(AttributeValue::N("2".to_owned()))).await;
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    let append = Append::new(stream.clone(), Expected::Exact(Version(2)), vec![event]);
    let error = ledger.append(append).await.unwrap_err();
    let wanted = "stream corrupt/a cannot be read at version 3: it was written in format 2 and this program knows \
                  format 1 only: use a newer version";
    assert_eq!(error.to_string(), wanted);
}
