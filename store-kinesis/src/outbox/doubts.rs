//! Commits whose answer was lost: it is not known whether they were written, so they are looked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::StreamExt;
use headwater::Commit;
use tokio::time::Instant;

use super::limits::{LOOKS, LOOKS_AT_ONCE};
use super::ticket::Open;
use crate::ledger::Table;

/// The doubts of a process. There are never more than the publisher has room for: each keeps its room.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    waiting: Mutex<Vec<Doubt>>,
    /// How many are being looked for.
    looking: AtomicUsize,
}

/// A commit that may have been written.
#[derive(Debug)]
pub(super) struct Doubt {
    open: Open,
    commit: Arc<Commit>,
    since: Instant,
    looks: usize,
}

/// What a look at the ledger found.
enum Found {
    Written(Arc<Commit>),
    NotWritten,
    NothingYet,
    /// The ledger could not be asked: that is no look.
    NoAnswer,
}

impl Doubt {
    pub(super) fn new(open: Open, commit: Arc<Commit>) -> Self {
        Self { open, commit, since: Instant::now(), looks: 0 }
    }

    fn is_due(&self) -> bool {
        LOOKS.get(self.looks).is_none_or(|wait| self.since.elapsed() >= *wait)
    }

    /// Looks once. Gives the doubt back when it stays one.
    async fn look(mut self, table: &Table) -> Option<Self> {
        match find(table, &self.commit).await {
            Found::Written(commit) => self.open.publish(commit),
            Found::NotWritten => self.open.finish(),
            Found::NoAnswer => return Some(self),
            Found::NothingYet if self.looks + 1 >= LOOKS.len() => self.open.finish(),
            Found::NothingYet => {
                self.looks += 1;
                self.since = Instant::now();
                return Some(self);
            }
        }
        None
    }
}

impl Doubts {
    pub(super) fn add(&self, doubt: Doubt) {
        self.waiting().push(doubt);
    }

    /// Whether every doubt was looked for at least once.
    pub(super) fn are_looked_for(&self) -> bool {
        let waiting = self.waiting();
        self.looking.load(Ordering::Acquire) == 0 && waiting.iter().all(|doubt| doubt.looks > 0)
    }

    /// Looks for those that are due.
    ///
    /// # Cancel safety
    /// A doubt that is being looked for when the future is dropped stays open behind the mark of its writer, and is
    /// published by whoever takes that over.
    pub(super) async fn look(&self, table: &Table) {
        let due: Vec<Doubt> = {
            let mut waiting = self.waiting();
            let due: Vec<Doubt> = waiting.extract_if(.., |doubt| doubt.is_due()).collect();
            self.looking.store(due.len(), Ordering::Release);
            due
        };
        let looks = futures::stream::iter(due).map(|doubt| doubt.look(table));
        let mut looks = looks.buffer_unordered(LOOKS_AT_ONCE);
        while let Some(left) = looks.next().await {
            let mut waiting = self.waiting();
            waiting.extend(left);
            self.looking.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.waiting.lock().expect("no code panics while it holds this lock")
    }
}

async fn find(table: &Table, commit: &Commit) -> Found {
    match table.commit_at(&commit.stream, commit.first).await {
        Ok(Some(found)) if found.id == commit.id => Found::Written(Arc::new(found)),
        Ok(Some(_)) => Found::NotWritten,
        Ok(None) => Found::NothingYet,
        Err(fault) => {
            tracing::debug!(stream = %commit.stream, ?fault, "a commit in doubt could not be looked for");
            Found::NoAnswer
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater::store::Append;
    use headwater::{EventData, Expected, StreamName, Version};
    use headwater_aws::testing;
    use headwater_local::{Local, Options};

    use super::super::lanes::Lanes;
    use super::*;
    use crate::feed::nudges::Nudges;
    use crate::ledger::{Ledger, encode};
    use crate::publisher::Publisher;
    use crate::{Clients, Config, Shards, infra};

    struct World {
        _local: Local,
        table: Table,
        publisher: Publisher,
        lanes: Arc<Lanes>,
        doubts: Doubts,
    }

    async fn world() -> World {
        let local = Local::start(Options::default()).await.unwrap();
        let clients = Clients {
            dynamodb: testing::dynamodb(local.dynamodb_url()),
            kinesis: testing::kinesis(local.kinesis_url()),
        };
        let mut config = Config::new("doubts");
        config.shards = Shards::Provisioned(1);
        infra::apply(&clients, &config).await.unwrap();
        let kinesis = config.publishing.kinesis(&clients.kinesis);
        let publisher = Publisher::start(kinesis, config.stream(), 10, 10_000, Arc::new(Nudges::default()));
        let table = Ledger::new(&clients.dynamodb, &config).table;
        let lanes = Arc::new(Lanes::new("w".to_owned()));
        World { _local: local, table, publisher, lanes, doubts: Doubts::default() }
    }

    impl World {
        /// A commit in doubt, and the item that may still arrive.
        fn doubt(&self) -> crate::ledger::Item {
            let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
            let stream = StreamName::parse("doubt/a").unwrap();
            let append = Append::new(stream, Expected::NoStream, vec![event]);
            let commit = Arc::new(append.into_commit(Version(1)));
            let number = self.lanes.open().unwrap();
            let item = encode(&commit, &number);
            let room = self.publisher.room(500).unwrap();
            let (lanes, publisher) = (Arc::clone(&self.lanes), self.publisher.clone());
            self.doubts.add(Doubt::new(Open { lanes, number, room, publisher }, commit));
            item
        }

        /// Looks when the next look is due. Gives how many numbers are open then.
        async fn look(&self) -> usize {
            for doubt in self.doubts.waiting().iter_mut() {
                doubt.since -= LOOKS[doubt.looks];
            }
            self.doubts.look(&self.table).await;
            self.publisher.flush().await;
            self.lanes.counts().1
        }
    }

    #[tokio::test]
    async fn a_commit_that_arrives_late_is_published() {
        let world = world().await;
        let item = world.doubt();
        world.doubts.look(&world.table).await;
        assert!(!world.doubts.are_looked_for(), "it is not due yet");
        assert_eq!(world.look().await, 1);
        assert!(world.doubts.are_looked_for());
        world
            .table
            .client
            .put_item()
            .table_name(&world.table.name)
            .set_item(Some(item))
            .send()
            .await
            .unwrap();
        assert_eq!(world.look().await, 0);
        assert!(world.doubts.waiting().is_empty());
    }

    #[tokio::test]
    async fn a_commit_that_never_arrives_is_given_up_after_the_last_look_only() {
        let world = world().await;
        let _never = world.doubt();
        for look in 1..=LOOKS.len() {
            let open = world.look().await;
            assert_eq!(open, usize::from(look < LOOKS.len()), "after look {look}");
        }
    }
}
