//! Any row comes back as it was, and what others see of it in the table is what it is.

use headwater_projections::RowStore;
use headwater_projections::rows::Written;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Number, Value, json};

use super::backend::{generation, one, prepared, row, wanted};

/// Rows of one run of the property.
const CASES: u32 = 192;

fn number() -> impl Strategy<Value = Number> {
    let float = |float: f64| Number::from_f64(float).unwrap_or_else(|| 0.into());
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-1_000_i64..1_000).prop_map(Number::from),
        any::<f64>().prop_map(float),
        (-1_000_i32..1_000).prop_map(move |n| float(f64::from(n) / 4.0)),
        prop_oneof![
            Just(-0.0),
            Just(f64::MAX),
            Just(f64::MIN_POSITIVE),
            Just(1e125),
            Just(1e126),
            Just(1e-130)
        ]
        .prop_map(float),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,5}", "#{0,3}[pkrdjxvbi]{0,2}", any::<String>()]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::Number),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..6).prop_map(|map| Map::from_iter(map).into()),
        ]
    })
}

/// One look-alike for all cases: each is a row of its own, with any key.
#[tokio::test(flavor = "multi_thread")]
async fn any_json_object_comes_back_as_the_same_json() {
    let backend = prepared(&["a", "#p"]).await;
    let runtime = tokio::runtime::Handle::current();
    let property = move || {
        let objects = prop::collection::btree_map(name(), value(), 0..8).prop_map(Map::from_iter);
        let mut runner =
            TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
        let rows = std::sync::atomic::AtomicU32::new(0);
        let outcome = runner.run(&(objects, ".{1,40}"), |(object, key)| {
            let key = format!("{key}{}", rows.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            let json = Value::Object(object);
            runtime.block_on(async {
                let written = backend.rows.write(&generation(), &one(row(&key, 0, &json.to_string()))).await;
                prop_assert_eq!(written.unwrap(), Written::Done);
                let loaded = backend.rows.load(&generation(), &wanted(&[&key], &[])).await.unwrap();
                let fields = loaded.rows[0].fields.clone().unwrap();
                prop_assert_eq!(serde_json::from_slice::<Value>(&fields).unwrap(), json);
                Ok(())
            })
        });
        outcome.map_err(|error| error.to_string())
    };
    // Cases wait for the store, so they run on a thread that may.
    tokio::task::spawn_blocking(property).await.unwrap().unwrap();
}

#[tokio::test]
async fn numbers_that_rust_reads_as_no_value_come_back_digit_by_digit() {
    let backend = prepared(&[]).await;
    let fields = r#"{"u128":340282366920938463463374607431768211455,"i":-12345678901234567890123456789,"in":[184467440737095516160]}"#;
    let written = backend.rows.write(&generation(), &one(row("a", 0, fields))).await.unwrap();
    assert_eq!(written, Written::Done);
    let loaded = backend.rows.load(&generation(), &wanted(&["a"], &[])).await.unwrap();
    let back = String::from_utf8(loaded.rows[0].fields.clone().unwrap().to_vec()).unwrap();
    for number in [
        "340282366920938463463374607431768211455",
        "-12345678901234567890123456789",
        "[184467440737095516160]",
    ] {
        assert!(back.contains(number), "{back}");
    }
}

#[tokio::test]
async fn whoever_looks_into_the_table_sees_values_under_the_names_of_the_fields() {
    let backend = prepared(&["balance"]).await;
    let fields = json!({"balance": -120, "rate": 0.25, "whole": 1.0, "owner": "Alice", "open": true, "tags": ["a", 1],
        "none": null, "#k": 1, "huge": 1e300});
    let written = backend.rows.write(&generation(), &one(row("a", 0, &fields.to_string()))).await.unwrap();
    assert_eq!(written, Written::Done);
    let items = backend.client.scan().table_name(backend.table()).send().await.unwrap();
    let item = &items.items()[0];
    let number = |name: &str| item[name].as_n().unwrap().as_str();
    assert_eq!(
        (number("balance"), number("rate"), number("whole"), number("##k")),
        ("-120", "0.25", "1", "1")
    );
    assert_eq!(item["owner"].as_s().unwrap(), "Alice");
    assert_eq!((*item["open"].as_bool().unwrap(), *item["none"].as_null().unwrap()), (true, true));
    assert_eq!(item["tags"].as_l().unwrap().len(), 2);
    let exact: Value = serde_json::from_str(item["#x"].as_s().unwrap()).unwrap();
    assert_eq!(exact, json!({"whole": 1.0, "huge": 1e300}), "only what attributes do not give back");
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    let ours = ["##k", "#bbalance", "#ibalance", "#k", "#p", "#r", "#x"];
    let theirs = ["balance", "none", "open", "owner", "rate", "tags", "whole"];
    assert_eq!(names, [&ours[..], &theirs[..]].concat());
}
