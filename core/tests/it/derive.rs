//! What the derives make of correct code: names, versions, events of the past, snapshots, schemas.

use headwater::codec::DecodeError;
use headwater::{Aggregate, Command, Decider, Decoded, Event, EventType, JsonSchema, SnapshotPolicy};
use serde::{Deserialize, Serialize};

/// An account of many ages: a chain of versions, a rename, a split, a merge and a dropped type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Event)]
#[event(retired(name = "Transferred", version = 1, from = TransferredV1))]
#[event(retired(name = "Noise", version = 1, from = Noise), retired(name = "Noise", version = 2, from = Noise))]
enum Entry {
    /// Money came in.
    #[event(version = 3, from(DepositedV1, DepositedV2))]
    Deposited {
        /// How much.
        amount: u64,
        channel: String,
        at: Option<u64>,
    },
    #[event(was = "Paid")]
    Withdrawn {
        amount: u64,
    },
    #[event(name = "Shut", was("Closed", "Ended"), version = 2, from = ShutV1)]
    Closed,
    r#Type {
        r#in: Vec<Entry>,
        same: Vec<Self>,
    },
}

#[derive(Deserialize, JsonSchema)]
struct DepositedV1 {
    amount: u32,
}

#[derive(Deserialize, JsonSchema)]
struct DepositedV2 {
    amount: u64,
    channel: String,
}

#[derive(Deserialize, JsonSchema)]
struct ShutV1 {}

#[derive(Deserialize, JsonSchema)]
struct TransferredV1 {
    amount: u64,
    fee: u64,
}

#[derive(Deserialize, JsonSchema)]
struct Noise {}

impl From<DepositedV1> for Entry {
    fn from(old: DepositedV1) -> Self {
        DepositedV2 { amount: old.amount.into(), channel: "branch".to_owned() }.into()
    }
}

impl From<DepositedV2> for Entry {
    fn from(old: DepositedV2) -> Self {
        Self::Deposited { amount: old.amount, channel: old.channel, at: None }
    }
}

impl From<ShutV1> for Entry {
    fn from(_: ShutV1) -> Self {
        Self::Closed
    }
}

impl From<TransferredV1> for Vec<Entry> {
    fn from(old: TransferredV1) -> Self {
        vec![Entry::Withdrawn { amount: old.amount }, Entry::Withdrawn { amount: old.fee }]
    }
}

impl From<Noise> for Vec<Entry> {
    fn from(_: Noise) -> Self {
        Self::new()
    }
}

fn check(name: &str, schema: u32, payload: &str, expected: Decoded<Entry>) {
    assert_eq!(Entry::decode(name, schema, payload.as_bytes()).unwrap(), expected);
}

#[test]
fn types_are_the_variants_with_their_wire_names_and_versions() {
    let types = [("Deposited", 3), ("Withdrawn", 1), ("Shut", 2), ("Type", 1)];
    assert_eq!(Entry::TYPES, types.map(|(name, schema)| EventType { name, schema }));
    let data = Entry::Closed.encode().unwrap();
    assert_eq!((&*data.name, data.schema, &*data.payload), ("Shut", 2, &b"{}"[..]));
}

#[test]
fn every_version_of_a_chain_becomes_todays_event() {
    let deposited =
        |channel: &str, at| Decoded::One(Entry::Deposited { amount: 5, channel: channel.to_owned(), at });
    check("Deposited", 1, r#"{"amount":5}"#, deposited("branch", None));
    check("Deposited", 2, r#"{"amount":5,"channel":"web"}"#, deposited("web", None));
    check("Deposited", 3, r#"{"amount":5,"channel":"web","at":7}"#, deposited("web", Some(7)));
    check("Deposited", 3, r#"{"amount":5,"channel":"web"}"#, deposited("web", None));
}

#[test]
fn older_names_are_read_in_every_version() {
    check("Paid", 1, r#"{"amount":5}"#, Decoded::One(Entry::Withdrawn { amount: 5 }));
    for name in ["Shut", "Closed", "Ended"] {
        check(name, 1, "{}", Decoded::One(Entry::Closed));
        check(name, 2, "{}", Decoded::One(Entry::Closed));
    }
}

#[test]
fn a_retired_type_is_split_or_dropped() {
    let split = vec![Entry::Withdrawn { amount: 5 }, Entry::Withdrawn { amount: 1 }];
    check("Transferred", 1, r#"{"amount":5,"fee":1}"#, Decoded::Many(split));
    check("Noise", 1, "{}", Decoded::Many(Vec::new()));
    check("Noise", 2, "{}", Decoded::Many(Vec::new()));
}

#[test]
fn a_version_that_never_was_names_the_newest() {
    for (name, schema, newest) in [("Deposited", 4, 3), ("Paid", 2, 1), ("Noise", 3, 2), ("Shut", 0, 2)] {
        let error = Entry::decode(name, schema, b"{}").unwrap_err();
        assert!(
            matches!(&error, DecodeError::UnknownSchema { newest: got, .. } if *got == newest),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_type_lists_every_name_once() {
    let error = Entry::decode("Deleted", 1, b"{}").unwrap_err().to_string();
    assert!(
        error.contains("Deposited, Withdrawn, Paid, Shut, Closed, Ended, Type, Transferred, Noise;"),
        "{error}"
    );
}

#[test]
fn an_old_payload_that_does_not_fit_is_an_error_of_its_version() {
    let error = Entry::decode("Deposited", 2, br#"{"amount":5}"#).unwrap_err();
    assert_eq!(error.to_string(), "payload of event type \"Deposited\", version 2, does not fit");
}

#[test]
fn every_readable_version_has_a_schema() {
    let schemas = Entry::schemas();
    let versions: Vec<(&str, u32)> = schemas.iter().map(|schema| (schema.name, schema.schema)).collect();
    let expected = [
        ("Deposited", 1),
        ("Deposited", 2),
        ("Deposited", 3),
        ("Withdrawn", 1),
        ("Paid", 1),
        ("Shut", 1),
        ("Shut", 2),
        ("Closed", 1),
        ("Closed", 2),
        ("Ended", 1),
        ("Ended", 2),
        ("Type", 1),
        ("Transferred", 1),
        ("Noise", 1),
        ("Noise", 2),
    ];
    assert_eq!(versions, expected);
    let deposited = &schemas[2].json;
    assert_eq!(deposited["title"], "Deposited");
    assert_eq!(deposited["description"], "Money came in.");
    assert_eq!(deposited["properties"]["amount"]["description"], "How much.");
    assert_eq!(deposited["required"], serde_json::json!(["amount", "channel"]));
    for schema in schemas {
        assert!(Entry::decode(schema.name, schema.schema, b"1").is_err(), "{} can be read", schema.name);
    }
}

// `Type` holds entries, so the schema of the enum itself is needed, too.
impl JsonSchema for Entry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Entry".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, Command)]
#[serde(rename_all_fields = "camelCase", deny_unknown_fields)]
enum Order {
    PayIn {
        amount_due: u64,
    },
    #[serde(rename_all = "UPPERCASE")]
    PayOut {
        amount_due: u64,
    },
    HTTPCall,
}

#[test]
fn schemas_follow_serde() {
    let schemas = Order::schemas();
    assert_eq!(Order::NAMES, ["pay-in", "pay-out", "http-call"]);
    assert_eq!(schemas.iter().map(|schema| schema.name).collect::<Vec<_>>(), Order::NAMES);
    assert!(schemas[0].json["properties"]["amountDue"].is_object(), "{}", schemas[0].json);
    assert!(schemas[1].json["properties"]["AMOUNT_DUE"].is_object(), "{}", schemas[1].json);
    assert_eq!(schemas[0].json["additionalProperties"], false);
    Order::decode("pay-in", br#"{"amountDue":1}"#).unwrap();
    Order::decode("pay-out", br#"{"AMOUNT_DUE":1}"#).unwrap();
    Order::decode("pay-in", br#"{"amountDue":1,"more":1}"#).unwrap_err();
}

#[derive(Debug, thiserror::Error, Serialize)]
#[error("no")]
struct No;

/// The same rules for two aggregates that differ in their attribute.
macro_rules! rules {
    ($($aggregate:ty),*) => {$(
        impl Decider for $aggregate {
            type Event = Entry;
            type Command = Order;
            type Refusal = No;
            fn decide(&self, _: Order) -> Result<Vec<Entry>, No> {
                Err(No)
            }
            fn apply(&mut self, _: &Entry) {}
        }
    )*};
}
rules!(Plain, Kept, KeptAtOne);

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "plain-1")]
struct Plain;

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "kept", snapshot(every = 100, version = 7))]
struct Kept {}

#[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
#[aggregate(category = "kept-at-one")]
#[aggregate(snapshot(every = 1))]
struct KeptAtOne {}

#[test]
fn an_aggregate_has_its_category_and_snapshot_policy() {
    assert_eq!((Plain::CATEGORY, Plain::SNAPSHOT), ("plain-1", None));
    assert_eq!((Kept::CATEGORY, Kept::SNAPSHOT), ("kept", Some(SnapshotPolicy { every: 100, version: 7 })));
    assert_eq!(KeptAtOne::SNAPSHOT, Some(SnapshotPolicy { every: 1, version: 1 }));
}
