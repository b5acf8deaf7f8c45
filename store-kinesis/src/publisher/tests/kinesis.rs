//! The publisher on a Kinesis look-alike, behind a wire that refuses, loses and fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::types::{ShardIteratorType, StreamStatus};
use headwater::store::Position;
use headwater::{Commit, StreamName, Version};
use headwater_aws::Settings;
use headwater_aws::testing::{Mishap, Wire};
use headwater_local::{Local, Options};

use super::fake::{Told, commit};
use crate::feed::nudges::Nudges;
use crate::publisher::{Condition, Publisher, limits};
use crate::record::{self, Record};

const STREAM: &str = "shop-feed";
const PATIENCE: Duration = Duration::from_secs(20);

/// A look-alike with the stream, and a publisher behind a wire.
struct Setup {
    wire: Wire,
    client: Client,
    publisher: Publisher,
    nudges: Arc<Nudges>,
    told: Told,
    _local: Local,
}

impl Setup {
    async fn new() -> Self {
        let local = Local::start(Options::default()).await.unwrap();
        let wire = Wire::focused(STREAM);
        let client = wire.kinesis(local.kinesis_url());
        client.create_stream().stream_name(STREAM).shard_count(2).send().await.unwrap();
        for _ in 0..1_000 {
            let summary = client.describe_stream_summary().stream_name(STREAM).send().await.unwrap();
            if summary.stream_description_summary.unwrap().stream_status == StreamStatus::Active {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let nudges = Arc::new(Nudges::default());
        // Without retries of the SDK: every mishap is the publisher's own.
        let mut settings = Settings::publishing();
        settings.attempts = 1;
        settings.attempt_timeout = Duration::from_millis(500);
        let publisher = Publisher::start(
            settings.kinesis(&client),
            STREAM.to_owned(),
            limits::QUEUE_COMMITS,
            limits::QUEUE_BYTES,
            Arc::clone(&nudges),
        );
        drop(wire.bill());
        Self { wire, client, publisher, nudges, told: Told::default(), _local: local }
    }

    fn publish(&self, id: &str, versions: std::ops::RangeInclusive<u64>) {
        versions.for_each(|version| self.told.publish(&self.publisher, id, version));
    }

    async fn flush(&self) {
        let flushed = tokio::time::timeout(PATIENCE, self.publisher.flush()).await;
        assert!(flushed.is_ok(), "{}", self.publisher.state());
    }

    /// Requests to publish since the last time.
    fn puts(&self) -> usize {
        self.wire.bill().0.iter().filter(|operation| *operation == "PutRecords").count()
    }

    /// Everything in the stream, shard by shard, with partition keys and positions.
    async fn records(&self) -> Vec<(String, Record, String, Position)> {
        let mut records = Vec::new();
        let shards = self.client.list_shards().stream_name(STREAM).send().await.unwrap().shards.unwrap();
        for shard in shards {
            let iterator = self.client.get_shard_iterator().stream_name(STREAM).shard_id(&shard.shard_id);
            let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
            let mut next = iterator.shard_iterator;
            while let Some(iterator) = next {
                let page = self.client.get_records().shard_iterator(iterator).send().await.unwrap();
                let done = page.millis_behind_latest == Some(0) && page.records.is_empty();
                next = page.next_shard_iterator.filter(|_| !done);
                records.extend(page.records.into_iter().map(|record| {
                    let commit = record::decode(record.data.as_ref()).unwrap();
                    let position = Position(record.sequence_number.into());
                    (record.partition_key.unwrap_or_default(), commit, shard.shard_id.clone(), position)
                }));
            }
        }
        records
    }

    /// The first time each version of a stream is in Kinesis.
    async fn versions(&self, id: &str) -> Vec<Version> {
        let stream = StreamName::new("account", id).unwrap();
        let mut seen = BTreeSet::new();
        let records = self.records().await.into_iter().map(|(_, record, ..)| record.commit);
        let of_stream = records.filter(|commit| commit.stream == stream).map(|commit| commit.first);
        of_stream.filter(|version| seen.insert(*version)).collect()
    }
}

fn up_to(last: u64) -> Vec<Version> {
    (1..=last).map(Version).collect()
}

#[tokio::test]
async fn commits_arrive_whole_under_the_name_of_their_stream_and_readers_are_nudged() {
    let setup = Setup::new().await;
    let commits: Vec<Commit> = (0..20).map(|id| commit(&id.to_string(), 1)).collect();
    for commit in &commits {
        let mut job = setup.told.job(commit.clone());
        job.redelivered = commit.stream.id() == "7";
        setup.publisher.publish(setup.publisher.room(500).unwrap(), job);
    }
    setup.flush().await;
    assert_eq!(setup.told.count(), 20);
    let records = setup.records().await;
    assert_eq!(records.len(), 20);
    for (key, record, shard, position) in &records {
        assert_eq!(key, record.commit.stream.as_str());
        assert!(commits.contains(&record.commit));
        assert_eq!(record.redelivered, record.commit.stream.id() == "7");
        let highest = records.iter().filter(|other| other.2 == *shard).map(|other| &other.3).max().unwrap();
        let nudged = setup.nudges.above(shard, None);
        tokio::time::timeout(PATIENCE, nudged).await.unwrap();
        if position < highest {
            tokio::time::timeout(PATIENCE, setup.nudges.above(shard, Some(position))).await.unwrap();
        }
    }
}

#[tokio::test]
async fn records_refused_in_an_answer_that_is_a_success_go_again_and_keep_their_order() {
    let setup = Setup::new().await;
    setup.wire.will([Mishap::HalfRefused; 6]);
    for id in ["a", "b", "c"] {
        setup.publish(id, 1..=4);
    }
    setup.flush().await;
    assert_eq!(setup.told.count(), 12);
    assert_eq!(setup.records().await.len(), 12, "what was taken is not sent again");
    for id in ["a", "b", "c"] {
        assert_eq!(setup.versions(id).await, up_to(4));
    }
}

#[tokio::test]
async fn a_request_that_failed_or_whose_answer_was_lost_goes_again_as_a_whole() {
    for (mishap, copies) in [
        (Mishap::LostAnswer, 2),
        (Mishap::Silence, 1),
        (Mishap::FAILED, 1),
        (Mishap::TOO_FAST, 1),
        (Mishap::Answer(400, "KMSThrottlingException", "\"message\":\"slow down\""), 1),
        (Mishap::Answer(400, "ValidationException", "\"message\":\"not this\""), 1),
    ] {
        let setup = Setup::new().await;
        setup.wire.will([mishap]);
        setup.publish("a", 1..=1);
        setup.flush().await;
        assert_eq!((setup.told.count(), setup.puts()), (1, 2), "{mishap:?}");
        assert_eq!(setup.records().await.len(), copies, "{mishap:?}");
    }
}

#[tokio::test]
async fn through_a_storm_every_commit_arrives_and_streams_stay_in_order() {
    let setup = Setup::new().await;
    setup.wire.storm(2, &[Mishap::LostAnswer, Mishap::FAILED, Mishap::TOO_FAST, Mishap::HalfRefused]);
    for id in 0..40 {
        setup.publish(&id.to_string(), 1..=5);
    }
    setup.flush().await;
    setup.wire.storm(1, &[]);
    assert!(setup.told.count() == 200 && setup.told.each_once());
    for id in 0..40 {
        assert_eq!(setup.versions(&id.to_string()).await, up_to(5), "stream {id}");
    }
}

#[tokio::test]
async fn wrong_credentials_and_a_missing_stream_are_named_in_the_state_and_nothing_is_lost() {
    let setup = Setup::new().await;
    for (refusal, words) in [
        ("UnrecognizedClientException", "check keys, session, region and policy"),
        ("ResourceNotFoundException", "stream shop-feed does not exist"),
    ] {
        setup.wire.storm(1, &[Mishap::Answer(400, refusal, "\"message\":\"no\"")]);
        setup.publish(refusal, 1..=2);
        let broken = async {
            loop {
                if let Condition::Broken { error } = setup.publisher.state().condition {
                    return error;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let error = tokio::time::timeout(PATIENCE, broken).await.unwrap();
        assert!(error.contains(words), "{error}");
        setup.wire.storm(1, &[]);
        setup.flush().await;
        assert_eq!(setup.publisher.state().condition, Condition::Flowing);
        assert_eq!(setup.versions(refusal).await, up_to(2));
    }
}
