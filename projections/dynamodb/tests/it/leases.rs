//! Leases on a look-alike of DynamoDB pass the suite for lease stores, and what is odd in the table is named.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use headwater::store::{Partition, PartitionId};
use headwater_aws::testing::{Mishap, Wire};
use headwater_local::{Local, Options};
use headwater_projections::LeaseStore;
use headwater_projections::group::{Item, ItemKey, Items, Lease, LeaseError, Saved, WorkerId};
use headwater_projections::lease_store_conformance;
use headwater_projections_dynamodb::DynamoLeases;

/// A lease store with the look-alike it is on.
#[derive(Debug)]
pub(crate) struct Embedded {
    leases: DynamoLeases,
    client: Client,
    wire: Wire,
    _local: Arc<Local>,
}

pub(crate) async fn embedded() -> Embedded {
    let local = Local::start(Options::default()).await.unwrap();
    let wire = Wire::focused("-control");
    let client = wire.dynamodb(local.dynamodb_url());
    DynamoLeases::table("shop").apply(&client).await.unwrap();
    let _ = wire.bill();
    Embedded { leases: DynamoLeases::new(&client, "shop"), client, wire, _local: Arc::new(local) }
}

#[async_trait]
impl LeaseStore for Embedded {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        self.leases.list(group).await
    }
    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        self.leases.save(group, item, counter).await
    }
    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        self.leases.delete(group, key, counter).await
    }
}

lease_store_conformance!(embedded().await);

fn lease() -> Lease {
    let partition = Partition::new(PartitionId("shardId-000000000001".into()));
    Lease { counter: 1, ..Lease::new(&partition, Some(WorkerId("w1".into()))) }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_left_alone() {
    let store = embedded().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (key, counter) in [("lease/odd", text("one")), ("plan/9", AttributeValue::N("1".to_owned()))] {
        let put = store.client.put_item().table_name("shop-control").item("g", text("views"));
        put.item("k", text(key)).item("c", counter).send().await.unwrap();
    }
    assert_eq!(store.save("views", &lease().into(), None).await.unwrap(), Saved::Done);
    let items = store.list("views").await.unwrap();
    assert_eq!(items.leases.len(), 1, "the others are read all the same");
    assert_eq!(items.unreadable.keys().collect::<Vec<_>>(), ["lease/odd", "plan/9"]);
    let odd = ItemKey::Lease(PartitionId("odd".into()));
    assert_eq!(store.delete("views", &odd, 1).await.unwrap(), Saved::Lost(None));
}

#[tokio::test]
async fn each_operation_is_one_request() {
    let store = embedded().await;
    assert_eq!(store.save("views", &lease().into(), None).await.unwrap(), Saved::Done);
    let next = Lease { counter: 2, ..lease() };
    assert_eq!(store.save("views", &next.clone().into(), Some(1)).await.unwrap(), Saved::Done);
    assert_eq!(store.list("views").await.unwrap().leases.len(), 1);
    assert_eq!(store.delete("views", &Item::from(next).key(), 2).await.unwrap(), Saved::Done);
    assert_eq!(store.wire.bill().0, ["PutItem", "PutItem", "Query", "DeleteItem"]);
}

#[tokio::test]
async fn a_lost_answer_ends_in_the_own_item_or_in_an_error() {
    let store = embedded().await;
    store.wire.will([Mishap::LostAnswer]);
    let saved = store.save("views", &lease().into(), None).await.unwrap();
    assert_eq!(
        saved,
        Saved::Lost(Some(Box::new(lease().into()))),
        "the second try finds what the first wrote"
    );
    store.wire.will([Mishap::THROTTLED; 3]);
    let error = store.list("views").await.unwrap_err();
    assert!(error.to_string().contains("list the leases of group views"), "{error}");
}

#[tokio::test]
async fn a_missing_table_is_named_with_what_to_do() {
    let store = embedded().await;
    let error = DynamoLeases::new(&store.client, "elsewhere").list("views").await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("table elsewhere-control does not exist"), "{cause}");
}
