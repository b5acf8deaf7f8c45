//! The events: those of the workload, without the commands that would lead to them.

use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};
use headwater::{Commit, CommitId, Event, EventData, EventFeed, Metadata, StreamName, Timestamp, Version};

use crate::{AccountCommand, AccountEvent, command, name};

/// Partitions of the feed: as many as there are in `dev`.
pub(super) const PARTITIONS: usize = 4;

/// How many streams there are, and how many events each has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) streams: usize,
    pub(super) events: u32,
}

/// An event of an account.
pub(super) fn event(account: usize, number: u32) -> EventData {
    let withdrawn = i64::from(number / 3 + u32::from(number % 3 == 2));
    let balance = (i64::from(number) - withdrawn) * 100 - withdrawn * 50;
    let event = match command(account, number) {
        AccountCommand::Open { account, owner, at } => {
            AccountEvent::Opened { account, owner, currency: "EUR".to_owned(), limit: 0, at }
        }
        AccountCommand::Deposit { tx, amount, at } => {
            AccountEvent::Deposited { account: name(account), tx, amount, balance, at }
        }
        AccountCommand::Withdraw { tx, amount, at } => {
            AccountEvent::Withdrawn { account: name(account), tx, amount, balance, at }
        }
    };
    event.encode().expect("it is JSON")
}

/// The stream of an account.
pub(super) fn stream(account: usize) -> StreamName {
    StreamName::new("account", &name(account)).expect("it is a name")
}

/// A feed of commits of one event each: the first of every stream, then the second of every stream, and so on.
#[derive(Debug)]
pub(super) struct Feed(pub(super) Size);

impl Feed {
    fn record(&self, partition: usize, place: usize) -> Option<FeedRecord> {
        let of_partition = self.0.streams / PARTITIONS;
        let number = u32::try_from(place / of_partition).ok().filter(|number| *number < self.0.events)?;
        let account = place % of_partition * PARTITIONS + partition;
        let commit = Commit {
            stream: stream(account),
            first: Version(u64::from(number) + 1),
            id: CommitId::new(),
            recorded_at: Timestamp::UNIX_EPOCH + Duration::from_millis(place as u64),
            metadata: Metadata::default(),
            command: None,
            events: vec![event(account, number)],
            snapshot: None,
        };
        let position = Position(format!("{place}").into());
        Some(FeedRecord { position, commit: commit.into(), redelivered: false })
    }
}

#[async_trait]
impl EventFeed for Feed {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        let partition = |number| Partition::new(PartitionId(format!("{number}").into()));
        Ok((0..PARTITIONS).map(partition).collect())
    }

    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let partition = partition.0.parse().unwrap_or_default();
        let place = |position: &Position| position.0.parse::<usize>().unwrap_or_default() + 1;
        let begin = position.map_or(0, place);
        let records: Vec<_> =
            (begin..begin + limit).map_while(|place| self.record(partition, place)).collect();
        let (next, ended) = (records.last().map(|last| last.position.clone()), records.len() < limit);
        Ok(FeedBatch { records, next: next.or_else(|| position.cloned()), ended })
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        tokio::time::sleep(timeout).await;
    }
}

#[cfg(test)]
mod tests {
    use headwater::Decider;

    use super::*;
    use crate::Account;

    #[test]
    fn the_events_are_those_that_the_commands_lead_to() {
        let mut account = Account::default();
        for number in 0..100 {
            let events = account.decide(command(7, number)).expect("none is refused");
            let encoded = events.first().expect("it is one").encode().expect("it is JSON");
            let (expected, got) = (encoded.payload, event(7, number).payload);
            assert_eq!(String::from_utf8_lossy(&expected), String::from_utf8_lossy(&got));
            events.iter().for_each(|event| account.apply(event));
        }
    }
}
