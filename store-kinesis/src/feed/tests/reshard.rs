//! Shards that split and merge while they are read: children come after their parents, and nothing is lost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use headwater::EventFeed;
use headwater::store::{PartitionId, Position};

use super::rig::{PATIENCE, Rig, by_stream, drain, versions};

const STREAMS: u64 = 8;
const ROUNDS: u64 = 12;

impl Rig {
    async fn split(&self, shard: &str) {
        let shards = self.shards().await;
        let range = shards.iter().find(|open| open.shard_id() == shard).unwrap().hash_key_range().unwrap();
        let bound = |text: &str| text.parse::<u128>().unwrap();
        let (first, last) = (bound(range.starting_hash_key()), bound(range.ending_hash_key()));
        let split = self.client.split_shard().stream_name(self.config.stream()).shard_to_split(shard);
        split.new_starting_hash_key((first + (last - first) / 2).to_string()).send().await.unwrap();
        self.active().await;
    }

    async fn merge(&self, one: &str, other: &str) {
        let merge = self.client.merge_shards().stream_name(self.config.stream()).shard_to_merge(one);
        merge.adjacent_shard_to_merge(other).send().await.unwrap();
        self.active().await;
    }

    async fn open_shards(&self) -> Vec<String> {
        let mut shards = self.shards().await;
        shards.retain(|shard| shard.sequence_number_range().unwrap().ending_sequence_number().is_none());
        shards.sort_by_key(|shard| {
            shard.hash_key_range().unwrap().starting_hash_key().parse::<u128>().unwrap()
        });
        shards.into_iter().map(|shard| shard.shard_id).collect()
    }
}

#[tokio::test]
async fn a_closed_shard_ends_after_its_last_record_and_again_when_asked_again() {
    ends(&Rig::new(1).await).await;
}

#[tokio::test]
async fn a_closed_shard_that_is_pushed_ends_after_its_last_record_and_again_when_asked_again() {
    ends(&Rig::fan_out(1).await).await;
}

async fn ends(rig: &Rig) {
    let at = rig.partition().await;
    for version in 1..=3 {
        rig.put("a", version).await;
    }
    let shard = rig.open_shards().await.remove(0);
    rig.split(&shard).await;
    let all = rig.drain(&at, None, 2, usize::MAX).await;
    assert_eq!((versions(&all.records), all.ended), (vec![1, 2, 3], true));
    for feed in [&*rig.feed, &rig.another()] {
        let again = drain(feed, &at, all.next.as_ref(), 10, usize::MAX).await;
        assert_eq!((again.records.len(), again.ended, again.next.as_ref()), (0, true, all.next.as_ref()));
    }
    let partitions = rig.feed.partitions().await.unwrap();
    let parents: Vec<_> = partitions.iter().map(|partition| partition.parents.clone()).collect();
    assert_eq!(parents, [vec![], vec![at.clone()], vec![at]], "the end of a shard renews the list");
}

#[tokio::test]
async fn a_shard_that_ends_empty_ends() {
    let rig = Rig::new(2).await;
    let partitions = rig.feed.partitions().await.unwrap();
    let before = rig.read(&partitions[0].id, None).await.unwrap();
    assert_eq!((before.records.len(), before.ended), (0, false));
    let shards = rig.open_shards().await;
    rig.merge(&shards[0], &shards[1]).await;
    for partition in &partitions {
        let end = rig.drain(&partition.id, None, 10, usize::MAX).await;
        assert_eq!((end.records.len(), end.next), (0, None));
    }
}

#[tokio::test]
async fn nothing_is_lost_or_out_of_order_while_shards_split_and_merge() {
    split_and_merge(&Rig::new(2).await).await;
}

#[tokio::test]
async fn nothing_is_lost_or_out_of_order_while_shards_that_are_pushed_split_and_merge() {
    split_and_merge(&Rig::fan_out(2).await).await;
}

async fn split_and_merge(rig: &Rig) {
    let writing = async {
        for round in 1..=ROUNDS {
            for stream in 0..STREAMS {
                rig.put(&stream.to_string(), round).await;
            }
            let shards = rig.open_shards().await;
            match round % 4 {
                1 => rig.split(&shards[0]).await,
                3 => rig.merge(&shards[0], &shards[1]).await,
                _ => {}
            }
        }
    };
    let ((), records) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(writing, read_all(rig)) }).await.unwrap();
    let expected: Vec<u64> = (1..=ROUNDS).collect();
    let expected: BTreeMap<_, _> =
        (0..STREAMS).map(|stream| (format!("test/{stream}"), expected.clone())).collect();
    assert_eq!(by_stream(&records), expected);
}

/// Reads as a group does: whatever is listed, each after its parents have ended.
async fn read_all(rig: &Rig) -> Vec<headwater::store::FeedRecord> {
    let mut records = Vec::new();
    let mut next: HashMap<PartitionId, Position> = HashMap::new();
    let mut ended: HashSet<PartitionId> = HashSet::new();
    while records.len() < usize::try_from(STREAMS * ROUNDS).unwrap() {
        for partition in rig.feed.partitions().await.unwrap() {
            if ended.contains(&partition.id) || partition.parents.iter().any(|parent| !ended.contains(parent))
            {
                continue;
            }
            let batch = rig.feed.read_after(&partition.id, next.get(&partition.id), 5).await.unwrap();
            records.extend(batch.records);
            if batch.ended {
                ended.insert(partition.id.clone());
            }
            next.extend(batch.next.map(|position| (partition.id, position)));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    records
}
