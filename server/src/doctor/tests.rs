//! Faults that are planted, one after the other, and what the doctor says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use headwater::store::{Partition, PartitionId};
use headwater::testing::counter::{Counter, CounterEvent};
use headwater::{Projection, Recorded, Version};
use headwater_local::{Local, Options};
use headwater_projections::group::{Generations, Item, Lease, LeaseStore, Saved, Worker, WorkerId};
use headwater_projections::rows::Generation;
use headwater_projections::{Cause, CauseKind, GROUP, Parked, Project, RowStore};
use headwater_store_kinesis::infra;
use serde::{Deserialize, Serialize};

use super::*;
use crate::App;
use crate::backends::{Connection, Names, Place, bucket};
use crate::config::Feed;

/// The value of each counter.
#[derive(Debug, Default, Clone, Serialize, Deserialize, Projection)]
#[projection(name = "values", version = 2, from(Counter), index(value))]
struct Values {
    value: u64,
}

impl Project<Counter> for Values {
    fn apply(&mut self, event: &Recorded<'_, CounterEvent>) {
        if let CounterEvent::Added { amount } = event.event {
            self.value += amount;
        }
    }
}

struct Clinic {
    app: App,
    connection: Connection,
    _local: Local,
}

impl Clinic {
    async fn open() -> Self {
        let mut options = Options::default();
        options.transition = Duration::ZERO;
        let local = Local::start(options).await.unwrap();
        let connection = Connection::to(Place::local(Names::of("sick"), &local));
        let app = App::new("sick").aggregate::<Counter>().projection::<Values>();
        Self { app, connection, _local: local }
    }

    /// With everything as it should be.
    async fn healthy() -> Self {
        let clinic = Self::open().await;
        clinic.apply().await;
        clinic
    }

    async fn apply(&self) {
        infra::apply(&self.connection.clients, &self.config()).await.unwrap();
        bucket::apply(&self.connection).await.unwrap();
    }

    fn config(&self) -> headwater_store_kinesis::Config {
        self.connection.store_config(&Feed::default())
    }

    async fn faults_at(&self, now: i64) -> BTreeSet<&'static str> {
        let patient = Patient {
            connection: self.connection.clone(),
            config: self.config(),
            projections: self.app.kept(),
            now,
            watch: Duration::from_millis(50),
        };
        let findings = examine(&patient).await;
        for finding in &findings {
            assert!(!finding.what.is_empty() && !finding.mend.is_empty(), "{finding:?}");
        }
        findings.iter().map(|finding| finding.fault).collect()
    }

    async fn faults(&self) -> BTreeSet<&'static str> {
        self.faults_at(jiff::Timestamp::now().as_second()).await
    }

    #[track_caller]
    fn found(faults: &BTreeSet<&'static str>, expected: &[&'static str]) {
        assert_eq!(faults, &expected.iter().copied().collect::<BTreeSet<_>>());
    }

    async fn lease(&self, owner: &str) {
        let lease = Lease::new(&Partition::new(PartitionId("p".into())), Some(WorkerId(owner.into())));
        let saved = self.connection.books().leases.save(GROUP, &Item::Lease(lease), None).await.unwrap();
        assert!(matches!(saved, Saved::Done));
    }

    /// The generations of the projection, live at one that code of this version made.
    async fn deployed(&self, version: u32) -> Generation {
        let generations = Generations::first("values", version);
        let live = generations.live();
        let saved = self.connection.books().leases.save(GROUP, &Item::Generations(generations), None).await;
        assert!(matches!(saved.unwrap(), Saved::Done));
        live
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_service_has_no_findings() {
    Clinic::found(&Clinic::healthy().await.faults().await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_made_is_missing_and_apply_mends_it() {
    let clinic = Clinic::open().await;
    Clinic::found(&clinic.faults().await, &["table-missing", "stream-missing", "bucket-missing"]);
    clinic.apply().await;
    Clinic::found(&clinic.faults().await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_something_else_and_one_without_its_index_are_told_apart() {
    let clinic = Clinic::open().await;
    let dynamodb = &clinic.connection.clients.dynamodb;
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let table =
        |name: &str| dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let wrong = table("sick-control")
        .attribute_definitions(attribute("id", ScalarAttributeType::S))
        .key_schema(key("id", KeyType::Hash));
    wrong.send().await.unwrap();
    let faults = clinic.faults().await;
    assert!(faults.contains("table-key") && faults.contains("table-missing"), "{faults:?}");

    dynamodb.delete_table().table_name("sick-control").send().await.unwrap();
    clinic.apply().await;
    // The ledger again, by its own key and without its index.
    let described = dynamodb.describe_table().table_name("sick-ledger").send().await.unwrap().table.unwrap();
    dynamodb.delete_table().table_name("sick-ledger").send().await.unwrap();
    let keys = described.key_schema.unwrap();
    let names: BTreeSet<_> = keys.iter().map(|key| key.attribute_name().to_owned()).collect();
    let attributes = described.attribute_definitions.unwrap();
    let attributes = attributes.into_iter().filter(|attribute| names.contains(attribute.attribute_name()));
    let again =
        table("sick-ledger").set_key_schema(Some(keys)).set_attribute_definitions(Some(attributes.collect()));
    again.send().await.unwrap();
    Clinic::found(&clinic.faults().await, &["index-missing"]);
    clinic.apply().await;
    Clinic::found(&clinic.faults().await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_forgets_too_soon_is_found() {
    let clinic = Clinic::healthy().await;
    let kinesis = &clinic.connection.clients.kinesis;
    let config = clinic.config();
    let request = kinesis.decrease_stream_retention_period().stream_name(config.stream());
    request.retention_period_hours(24).send().await.unwrap();
    Clinic::found(&clinic.faults().await, &["stream-retention"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_found_whichever_way() {
    let clinic = Clinic::healthy().await;
    let now = jiff::Timestamp::now().as_second();
    for off in [-3_600, 3_600] {
        Clinic::found(&clinic.faults_at(now + off).await, &["clock-skew"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_nobody_renews_is_found_and_so_is_a_group_without_workers() {
    let clinic = Clinic::healthy().await;
    clinic.lease("gone").await;
    Clinic::found(&clinic.faults().await, &["lease-stale", "no-worker"]);
    // A worker that lives does not make the lease move.
    let leases = clinic.connection.books().leases;
    let worker = |counter| Worker { id: WorkerId("alive".into()), counter, asks: None };
    assert!(matches!(leases.save(GROUP, &Item::Worker(worker(1)), None).await.unwrap(), Saved::Done));
    let moving = tokio::spawn({
        let leases = Arc::clone(&leases);
        async move {
            for counter in 1.. {
                let saved = leases.save(GROUP, &Item::Worker(worker(counter + 1)), Some(counter)).await;
                assert!(matches!(saved.unwrap(), Saved::Done));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    Clinic::found(&clinic.faults().await, &["lease-stale"]);
    moving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_newer_program_and_a_lost_checkpoint_are_warned_of() {
    let clinic = Clinic::healthy().await;
    let dynamodb = &clinic.connection.clients.dynamodb;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let strange = dynamodb.put_item().table_name("sick-control").item("g", text(GROUP));
    strange.item("k", text("lease/x")).item("zz", text("?")).send().await.unwrap();
    let lease = Lease { losses: 3, ..Lease::new(&Partition::new(PartitionId("q".into())), None) };
    let leases = clinic.connection.books().leases;
    assert!(matches!(leases.save(GROUP, &Item::Lease(lease), None).await.unwrap(), Saved::Done));
    Clinic::found(&clinic.faults().await, &["checkpoint-lost", "lease-unreadable", "no-worker"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_died_is_found_and_one_that_is_taken_over_is_told_apart() {
    let clinic = Clinic::healthy().await;
    let dynamodb = &clinic.connection.clients.dynamodb;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |number: u32| AttributeValue::N(number.to_string());
    let put = |name: &str| {
        let item = dynamodb.put_item().table_name("sick-control").item("g", text("#writers"));
        item.item("k", text(name)).item("c", number(7)).item("m", AttributeValue::L(vec![number(1)]))
    };
    put("00000000000000aa").send().await.unwrap();
    Clinic::found(&clinic.faults().await, &["writer-dead"]);
    put("00000000000000aa").item("p", number(2)).send().await.unwrap();
    Clinic::found(&clinic.faults().await, &["writer-taken-over"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_streams_and_an_index_that_the_rows_lack_are_found() {
    let clinic = Clinic::healthy().await;
    let generation = clinic.deployed(2).await;
    let rows = clinic.connection.books().rows;
    rows.prepare(&generation, &[]).await.unwrap();
    Clinic::found(&clinic.faults().await, &["row-index-missing"]);
    rows.drop_generation(&generation).await.unwrap();
    rows.prepare(&generation, &["value"]).await.unwrap();
    let clinic_rows = clinic.connection.books().rows;
    let parked = Parked {
        stream: headwater::StreamName::parse("counter/a").unwrap(),
        first_failing: Version(1),
        highest: Version(1),
        cause: Cause { kind: CauseKind::Panic, message: "too many".to_owned() },
        attempts: 1,
    };
    clinic_rows.park(&generation, &parked).await.unwrap();
    Clinic::found(&clinic.faults().await, &["streams-parked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_does_not_fit_the_live_generation_is_found() {
    for (version, fault) in [(1, "rebuild-needed"), (3, "code-too-old")] {
        let clinic = Clinic::healthy().await;
        let generation = clinic.deployed(version).await;
        clinic.connection.books().rows.prepare(&generation, &["value"]).await.unwrap();
        Clinic::found(&clinic.faults().await, &[fault]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_that_do_not_answer_are_a_finding_and_no_end() {
    let mut clinic = Clinic::healthy().await;
    let mut place = clinic.connection.place.clone();
    place.endpoints.dynamodb = Some("http://127.0.0.1:1".to_owned());
    clinic.connection = Connection::to(place);
    assert!(clinic.faults().await.contains("unreachable"));
}
