//! Making and checking the table.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ProvisionedThroughput, ScalarAttributeType,
};
use headwater_store_kinesis::ledger::tables::{Difference, apply, check};

use crate::dynamodb::client;

/// Makes a table whose key has these names, paid by provision.
async fn make(table: &str, stream: &str, first: &str) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let provision = ProvisionedThroughput::builder().read_capacity_units(1).write_capacity_units(1).build();
    let request = client().create_table().table_name(table).billing_mode(BillingMode::Provisioned);
    let request = request
        .attribute_definitions(attribute(stream, ScalarAttributeType::S))
        .attribute_definitions(attribute(first, ScalarAttributeType::N))
        .key_schema(key(stream, KeyType::Hash))
        .key_schema(key(first, KeyType::Range))
        .provisioned_throughput(provision.unwrap());
    request.send().await.unwrap();
}

#[tokio::test]
async fn a_missing_table_is_made_once() {
    let client = client();
    let missing = vec![Difference::Missing { table: "tables-new".to_owned() }];
    assert_eq!(check(&client, "tables-new").await.unwrap(), missing);
    assert_eq!(apply(&client, "tables-new").await.unwrap(), missing);
    assert_eq!(check(&client, "tables-new").await.unwrap(), []);
    assert_eq!(apply(&client, "tables-new").await.unwrap(), []);
}

#[tokio::test]
async fn two_who_make_it_at_once_both_succeed() {
    let client = client();
    let (one, other) = tokio::join!(apply(&client, "tables-race"), apply(&client, "tables-race"));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
}

#[tokio::test]
async fn a_table_that_is_paid_by_provision_is_changed() {
    make("tables-provisioned", "s", "v").await;
    let wrong = vec![Difference::Billing { table: "tables-provisioned".to_owned() }];
    assert_eq!(apply(&client(), "tables-provisioned").await.unwrap(), wrong);
    assert_eq!(check(&client(), "tables-provisioned").await.unwrap(), []);
}

#[tokio::test]
async fn a_table_of_something_else_is_refused() {
    make("tables-other", "name", "number").await;
    let error = apply(&client(), "tables-other").await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "table tables-other has the key (name HASH S, number RANGE N), not (s HASH S, v RANGE N): use another prefix"
    );
}
