//! dynamo-es on a look-alike of DynamoDB: `headwater-peers-dynamo --endpoint URL --snapshots none --length 100`.
//!
//! Prints a line of JSON: what a command used, on average over the accounts.

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use dynamo_es::DynamoEventRepository;
use headwater_peers::by_cqrs_es::{CqrsEs, persisted};
use headwater_units::Counter;
use headwater_workload::{Library, balance_after, command};
use serde_json::json;

/// Most events that dynamo-es takes in one commit: 25 writes with the snapshot.
const BATCH: usize = 24;
/// Accounts that get commands.
const ACCOUNTS: usize = 10;
/// Commands that each gets: a whole cycle of snapshots.
const EACH: u32 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut endpoint, mut snapshots, mut length) = (String::new(), "none".to_owned(), 1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.as_str() {
            "--endpoint" => endpoint = value,
            "--snapshots" => snapshots = value,
            "--length" => length = value.parse()?,
            other => return Err(format!("unknown: {other}").into()),
        }
    }
    let counter = Counter::default();
    let client = client(&endpoint, &counter);
    table(&client, "Events", Some("AggregateIdSequence")).await?;
    table(&client, "Snapshots", None).await?;
    let repository = || DynamoEventRepository::new(client.clone());
    let (one, other) = (persisted(repository(), &snapshots)?, persisted(repository(), &snapshots)?);
    let mut library = CqrsEs::new(one, other, BATCH, ());
    for account in 0..ACCOUNTS {
        library.seed(account, length).await;
    }
    let _seeding = counter.take();
    for number in length..length + EACH {
        for account in 0..ACCOUNTS {
            library.carry_out(&headwater_workload::name(account), command(account, number)).await;
        }
    }
    let counts = counter.take();
    let all = counts.of("");
    let commands = ACCOUNTS as f64 * f64::from(EACH);
    let end = length + EACH;
    // With snapshots cqrs-es counts events twice, so only a plain store is held to what it holds.
    if snapshots == "none" {
        assert_eq!(library.held(0).await, (balance_after(end), u64::from(end)), "it does not add up");
    }
    println!(
        "{}",
        json!({
            "requests": counts.requests as f64 / commands,
            "read_units": all.read_units / commands,
            "write_units": all.write_units / commands,
        })
    );
    Ok(())
}

fn client(endpoint: &str, counter: &Counter) -> Client {
    let credentials = Credentials::new("HEADWATERTEST", "HEADWATERTEST", None, None, "bench");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .interceptor(counter.clone());
    Client::from_conf(config.build())
}

/// A table as dynamo-es expects it, empty.
async fn table(client: &Client, name: &str, range: Option<&str>) -> Result<(), Box<dyn Error>> {
    // It may be there from the run before.
    let _ = client.delete_table().table_name(name).send().await;
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let mut creating = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("AggregateTypeAndId", ScalarAttributeType::S)?)
        .key_schema(key("AggregateTypeAndId", KeyType::Hash)?);
    if let Some(range) = range {
        creating = creating
            .attribute_definitions(attribute(range, ScalarAttributeType::N)?)
            .key_schema(key(range, KeyType::Range)?);
    }
    creating.send().await?;
    for _ in 0..200 {
        let described = client.describe_table().table_name(name).send().await?;
        let status = described.table().and_then(|table| table.table_status());
        if status.is_some_and(|status| status.as_str() == "ACTIVE") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    Err(format!("table {name} does not become active").into())
}
