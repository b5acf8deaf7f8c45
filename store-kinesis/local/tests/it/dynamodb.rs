//! DynamoDB answers, and keeps what it acknowledged.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    },
};
use headwater_local::{Local, Options};

use crate::{clients, directory::TestDirectory};

pub(crate) async fn create_table(client: &Client) {
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().unwrap();
    let id = AttributeDefinition::builder()
        .attribute_name("id")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    client
        .create_table()
        .table_name("ledger")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key)
        .attribute_definitions(id)
        .send()
        .await
        .unwrap();
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn of_two_conditional_puts_the_second_is_refused() {
    let local = clients::in_memory().await;
    let client = clients::dynamodb(local.dynamodb_url());
    create_table(&client).await;
    let put = || {
        let put = client.put_item().table_name("ledger").item("id", text("a"));
        put.condition_expression("attribute_not_exists(id)").send()
    };
    put().await.unwrap();
    assert_eq!(clients::code(put().await), "ConditionalCheckFailedException");
    local.stop().await;
}

#[tokio::test]
async fn an_item_outlives_a_restart() {
    let directory = TestDirectory::new();
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::dynamodb(local.dynamodb_url());
    create_table(&client).await;
    client.put_item().table_name("ledger").item("id", text("a")).send().await.unwrap();
    local.stop().await;

    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::dynamodb(local.dynamodb_url());
    let found = client.get_item().table_name("ledger").key("id", text("a")).send().await.unwrap();
    assert!(found.item().is_some());
    local.stop().await;
}
