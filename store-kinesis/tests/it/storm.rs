//! Writers of several ledgers on the same streams, while answers are lost and requests fail.

use std::collections::HashMap;
use std::sync::Arc;

use headwater::store::{Append, Appended, Read, StoreError, Transaction};
use headwater::{CommitId, EventData, EventStore, EventStoreExt, Expected, StreamName, Version};
use headwater_aws::testing::Mishap::{self, LostAnswer};
use headwater_aws::testing::Wire;
use headwater_store_kinesis::KinesisStore;
use tokio::task::JoinSet;

use crate::stores::{clients, fresh, wired};

const LEDGERS: usize = 4;
const WRITERS: usize = 3;
const ROUNDS: usize = 25;
const STREAMS: usize = 5;

type Places = Vec<(StreamName, CommitId, Version)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_lost_every_acknowledged_commit_is_stored_once_and_versions_have_no_gap() {
    let mut config = fresh().await;
    config.commands.budget = "storm".into();
    let mut writers = JoinSet::new();
    for _ in 0..LEDGERS {
        let wire = Wire::focused("-ledger");
        wire.storm(8, &[LostAnswer, LostAnswer, Mishap::FAILED, Mishap::THROTTLED, Mishap::IN_THE_WAY]);
        let ledger = Arc::new(KinesisStore::open(&wired(&wire), &config));
        for _ in 0..WRITERS {
            writers.spawn(write(Arc::clone(&ledger)));
        }
    }
    let acknowledged: Places = writers.join_all().await.concat();
    assert!(acknowledged.len() >= LEDGERS * WRITERS * ROUNDS, "every round is acknowledged in the end");

    let mut stored = HashMap::new();
    let ledger = KinesisStore::open(&clients(), &config);
    for number in 0..STREAMS {
        let mut version = Version::EMPTY;
        for commit in ledger.read_all(&stream(number), Read::all()).await.unwrap() {
            assert_eq!(commit.first, version.next(), "a hole or an overlap");
            version = commit.last();
            let before = stored.insert(commit.id, (commit.stream.clone(), commit.first));
            assert!(before.is_none_or(|(other, _)| other != commit.stream), "a commit is stored twice");
        }
    }
    for (stream, id, first) in &acknowledged {
        assert_eq!(stored.get(id), Some(&(stream.clone(), *first)), "acknowledged at {first}");
    }
    assert_eq!(stored.len(), acknowledged.len(), "nothing is stored that was not acknowledged in the end");
}

/// Writes to random streams in every way, each until it is acknowledged.
async fn write(ledger: Arc<KinesisStore>) -> Places {
    let mut places = Places::new();
    for round in 0..ROUNDS {
        let names = (stream(fastrand::usize(..STREAMS - 1)), stream(STREAMS - 1));
        let appends: Vec<Append> = match round % 3 {
            0 => vec![append(&names.0, Expected::Any)],
            1 => vec![append(&names.0, Expected::NoStream)],
            _ => vec![append(&names.0, Expected::Any), append(&names.1, Expected::Any)],
        };
        for appended in acknowledged(&ledger, appends).await {
            let commit = appended.commit;
            places.push((commit.stream.clone(), commit.id, commit.first));
        }
    }
    places
}

/// Sends the same commits until they are stored. One that expects a version is decided again after a conflict, with
/// another id: that it was not stored is certain.
async fn acknowledged(ledger: &KinesisStore, mut appends: Vec<Append>) -> Vec<Appended> {
    loop {
        let sent = match &appends[..] {
            [one] => ledger.append(one.clone()).await.map(|appended| vec![appended]),
            several => ledger.append_all(Transaction { appends: several.to_vec(), checks: vec![] }).await,
        };
        match sent {
            Ok(appended) => return appended,
            Err(StoreError::Conflict(conflict)) => {
                appends = vec![append(&conflict.stream, Expected::Exact(conflict.actual))];
            }
            Err(error) => assert!(error.retry_helps(), "{error}"),
        }
    }
}

fn stream(number: usize) -> StreamName {
    StreamName::new("storm", &number.to_string()).unwrap()
}

fn append(stream: &StreamName, expected: Expected) -> Append {
    let event = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
    Append::new(stream.clone(), expected, vec![event; fastrand::usize(1..4)])
}
