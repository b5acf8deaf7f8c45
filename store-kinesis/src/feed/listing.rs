//! The shards there are, and which of them come before which.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_kinesis::types::Shard;
use headwater::store::{Partition, StoreError};
use headwater_aws::failure;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::incarnation::Stream;
use super::limits;
use super::place::Place;

/// The shards of a stream, as they were a moment ago.
#[derive(Debug, Default)]
pub(super) struct Listing {
    seen: Mutex<Option<Shards>>,
}

/// What a listing said.
#[derive(Debug, Clone)]
pub(super) struct Shards {
    /// The partitions, closed ones included.
    pub(super) partitions: Vec<Partition>,
    /// The names of the shards that take no more records.
    closed: HashSet<String>,
    asked: Instant,
}

impl Shards {
    /// Whether a shard takes no more records.
    pub(super) fn closed(&self, shard: &str) -> bool {
        self.closed.contains(shard)
    }
}

impl Listing {
    /// The shards, as they were at most so long before this call.
    pub(super) async fn shards(&self, stream: &Stream, age: Duration) -> Result<Shards, StoreError> {
        let called = Instant::now();
        let mut seen = self.seen.lock().await;
        if let Some(shards) = seen.as_ref().filter(|seen| seen.asked + age >= called) {
            return Ok(shards.clone());
        }
        let asked = Instant::now();
        let incarnation = stream.incarnation(limits::INCARNATION_AGE).await?;
        let shards = all(stream).await?;
        let is_closed = |shard: &&Shard| {
            shard.sequence_number_range().is_some_and(|range| range.ending_sequence_number().is_some())
        };
        let closed = shards.iter().filter(is_closed).map(|shard| shard.shard_id.clone()).collect();
        let partitions = partitions(&shards, incarnation.created);
        Ok(seen.insert(Shards { partitions, closed, asked }).clone())
    }

    /// A shard has ended: its children are looked for at the next call.
    pub(super) async fn forget(&self) {
        *self.seen.lock().await = None;
    }
}

/// Every page. A request that goes on with a listing carries the token alone; AWS refuses any other member beside it.
async fn all(stream: &Stream) -> Result<Vec<Shard>, StoreError> {
    let mut shards = Vec::new();
    let mut token = None;
    for _ in 0..limits::SHARD_PAGES {
        let request = stream.client.list_shards();
        let request = match token {
            None => request.stream_name(&stream.name),
            token => request.set_next_token(token),
        };
        let answer = request.send().await.map_err(|error| {
            failure(error, format!("list the shards of stream {}", stream.name), &stream.resource())
        })?;
        shards.extend(answer.shards.unwrap_or_default());
        token = answer.next_token;
        if token.is_none() {
            return Ok(shards);
        }
    }
    Err(stream.unusable(&format!("it has more than {} pages of shards", limits::SHARD_PAGES)))
}

/// Parents that are no longer listed are left out: nothing of them is left to be read.
fn partitions(shards: &[Shard], created: i64) -> Vec<Partition> {
    let listed: HashSet<&str> = shards.iter().map(Shard::shard_id).collect();
    let partition = |shard: &Shard| {
        let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()].into_iter().flatten();
        let parents = parents.filter(|parent| listed.contains(parent));
        let mut partition = Partition::new(Place::new(shard.shard_id(), created).partition);
        partition.parents = parents.map(|parent| Place::new(parent, created).partition).collect();
        partition
    };
    shards.iter().map(partition).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: [Option<&str>; 2]) -> Shard {
        let [parent, adjacent] = parents.map(|parent| parent.map(str::to_owned));
        let shard = Shard::builder().shard_id(id).set_parent_shard_id(parent);
        shard.set_adjacent_parent_shard_id(adjacent).build().unwrap()
    }

    #[test]
    fn children_name_the_parents_that_are_still_listed() {
        let shards = [
            shard("a", [None, None]),
            shard("b", [Some("gone"), None]),
            shard("c", [Some("a"), Some("b")]),
            shard("d", [Some("gone"), Some("c")]),
        ];
        let named = |partition: &Partition| {
            let parents: Vec<_> = partition.parents.iter().map(|parent| parent.0.to_string()).collect();
            format!("{}: {}", partition.id, parents.join(" "))
        };
        let named: Vec<_> = partitions(&shards, 7).iter().map(named).collect();
        assert_eq!(named, ["a.7: ", "b.7: ", "c.7: a.7 b.7", "d.7: c.7"]);
    }
}
