//! Shards are split and merged while commits are written and read: nothing is lost, and every stream stays in order.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use aws_sdk_kinesis::types::{Shard, StreamStatus};
use headwater::store::{Append, EventFeed, FeedRecord, Partition, PartitionId};
use headwater::{EventData, EventStore, Expected, StreamName, Version};
use headwater_store_kinesis::{Clients, Config, KinesisStore};

/// Streams written to, and commits to each between two changes of shards.
const STREAMS: usize = 20;
const COMMITS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes, splits, writes, merges, writes, and reads all of it as a group of readers has to: a partition begins only
/// when all its parents have ended.
pub(crate) async fn through_a_split_and_a_merge(clients: &Clients, config: &Config) {
    let store = KinesisStore::open(clients, config);
    write(&store).await;
    let stream = config.stream();
    let first = &open_shards(clients, &stream).await[0];
    let range = first.hash_key_range().unwrap();
    let (low, high): (u128, u128) =
        (range.starting_hash_key().parse().unwrap(), range.ending_hash_key().parse().unwrap());
    let split = clients.kinesis.split_shard().stream_name(&stream).shard_to_split(first.shard_id());
    split.new_starting_hash_key((low / 2 + high / 2).to_string()).send().await.unwrap();
    active(clients, &stream).await;
    write(&store).await;
    let open = open_shards(clients, &stream).await;
    let children: Vec<&Shard> =
        open.iter().filter(|shard| shard.parent_shard_id() == Some(first.shard_id())).collect();
    let merge = clients.kinesis.merge_shards().stream_name(&stream).shard_to_merge(children[0].shard_id());
    merge.adjacent_shard_to_merge(children[1].shard_id()).send().await.unwrap();
    active(clients, &stream).await;
    write(&store).await;

    let records = read(&*store.feed(), STREAMS * COMMITS * 3).await;
    let mut heads: HashMap<StreamName, Version> = HashMap::new();
    let mut homes: HashMap<StreamName, HashSet<PartitionId>> = HashMap::new();
    for (partition, record) in &records {
        let commit = &record.commit;
        let head = heads.entry(commit.stream.clone()).or_default();
        if commit.first > *head {
            assert_eq!(commit.first, head.next(), "{} is out of order", commit.stream);
            *head = commit.last();
        }
        homes.entry(commit.stream.clone()).or_default().insert(partition.clone());
    }
    let written = Version((COMMITS * 3) as u64);
    assert!(heads.values().all(|head| *head == written), "{heads:?}");
    assert!(homes.values().any(|homes| homes.len() == 3), "no stream has moved twice");
}

async fn write(store: &KinesisStore) {
    for _ in 0..COMMITS {
        for number in 0..STREAMS {
            let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
            let stream = StreamName::new("reshard", &number.to_string()).unwrap();
            store.append(Append::new(stream, Expected::Any, vec![event])).await.unwrap();
        }
    }
}

async fn open_shards(clients: &Clients, stream: &str) -> Vec<Shard> {
    let shards = clients.kinesis.list_shards().stream_name(stream).send().await.unwrap();
    let open = |shard: &&Shard| {
        let range = shard.sequence_number_range().unwrap();
        range.ending_sequence_number().is_none()
    };
    shards.shards().iter().filter(open).cloned().collect()
}

async fn active(clients: &Clients, stream: &str) {
    for _ in 0..200 {
        let stream = clients.kinesis.describe_stream_summary().stream_name(stream).send().await.unwrap();
        if *stream.stream_description_summary().unwrap().stream_status() == StreamStatus::Active {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{stream} does not become active");
}

/// Reads until so many different commits were seen.
async fn read(feed: &dyn EventFeed, commits: usize) -> Vec<(PartitionId, FeedRecord)> {
    let deadline = Instant::now() + PATIENCE;
    let (mut ended, mut next, mut records) = (HashSet::new(), HashMap::new(), Vec::new());
    let mut seen = HashSet::new();
    while seen.len() < commits {
        assert!(Instant::now() < deadline, "{} of {commits} commits are on the feed", seen.len());
        let partitions = feed.partitions().await.unwrap();
        let listed: HashSet<PartitionId> = partitions.iter().map(|p| p.id.clone()).collect();
        let ready = |partition: &&Partition| {
            let done = |parent: &PartitionId| ended.contains(parent) || !listed.contains(parent);
            !ended.contains(&partition.id) && partition.parents.iter().all(done)
        };
        for partition in partitions.iter().filter(ready).cloned().collect::<Vec<_>>() {
            let batch = feed.read_after(&partition.id, next.get(&partition.id), 7).await.unwrap();
            seen.extend(batch.records.iter().map(|record| record.commit.id));
            records.extend(batch.records.into_iter().map(|record| (partition.id.clone(), record)));
            next.extend(batch.next.map(|position| (partition.id.clone(), position)));
            if batch.ended {
                ended.insert(partition.id);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    records
}
