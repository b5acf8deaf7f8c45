//! How fast files are written and read, with the objects in memory and on one core:
//!
//! ```sh
//! cargo run --release -p headwater-archive --features testing --example archive_speed
//! ```
//!
//! A million events of about 120 bytes in 10,000 streams, one event in a commit, in one partition.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use headwater::store::{FeedBatch, FeedRecord, Partition, PartitionId, Position, StoreError};
use headwater::{Commit, CommitId, EventData, EventFeed, StreamName, Timestamp, Version};
use headwater_archive::objects::MemoryObjects;
use headwater_archive::{Archive, ArchiveFile, ArchivedEvent, Columns, Rotation};
use headwater_projections::group::MemoryLeases;

const EVENTS: usize = 1_000_000;
const STREAMS: usize = 10_000;

/// A feed of one partition.
#[derive(Debug)]
struct Feed(Vec<FeedRecord>);

#[async_trait]
impl EventFeed for Feed {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        Ok(vec![Partition::new(PartitionId("shardId-000000000000.1756500000123".into()))])
    }

    async fn read_after(
        &self,
        _: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let from =
            self.0.partition_point(|record| position.is_some_and(|position| record.position <= *position));
        let records: Vec<_> = self.0.iter().skip(from).take(limit).cloned().collect();
        let next = records.last().map(|record| &record.position).or(position).cloned();
        Ok(FeedBatch { records, next, ended: from + limit >= self.0.len() })
    }

    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        tokio::time::sleep(timeout.min(Duration::from_millis(10))).await;
    }
}

fn record(number: usize) -> FeedRecord {
    let (stream, version) = (number % STREAMS, number / STREAMS);
    let at = 1_767_225_600_000 + number as i64;
    let (name, payload) = match version {
        0 => (
            "Opened",
            format!(r#"{{"account":"acct-{stream:07}","owner":"Account Holder {stream:07}","at":{at}}}"#),
        ),
        _ => {
            let name = if version % 3 == 2 { "Withdrawn" } else { "Deposited" };
            (
                name,
                format!(r#"{{"tx":"0190c5f2-8a3b-7d41-{version:05}-{stream:07}","amount":100,"at":{at}}}"#),
            )
        }
    };
    let commit = Commit {
        stream: StreamName::new("account", &format!("acct-{stream:07}")).expect("it is a name"),
        first: Version(version as u64 + 1),
        id: CommitId::new(),
        recorded_at: Timestamp::from_microsecond(at * 1_000).expect("it is a time"),
        metadata: headwater::Metadata::default(),
        command: None,
        events: vec![EventData { name: name.into(), schema: 1, payload: payload.into() }],
        snapshot: None,
    };
    let position = format!("49668211337{number:045}");
    FeedRecord { position: Position(position.into()), commit: Arc::new(commit), redelivered: false }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let feed = Arc::new(Feed((0..EVENTS).map(record).collect()));
    let archive = Archive::new(Arc::new(MemoryObjects::new()), "speed")?;
    let group = archive.group(feed, Arc::new(MemoryLeases::new()), Rotation::default());
    let begun = Instant::now();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(group.run(async { drop(stopped.await) }));
    let files = loop {
        let files: Vec<ArchiveFile> = archive.files().await?.chains.into_values().flatten().collect();
        if files.iter().map(|file| file.events).sum::<u64>() == EVENTS as u64 {
            break files;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    report("written", begun.elapsed());
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    say(&format!("{} files, {:.1} bytes an event", files.len(), bytes as f64 / EVENTS as f64));
    if stop.send(()).is_ok() {
        writing.await??;
    }
    for columns in [Columns::History, Columns::History, Columns::All] {
        let (begun, mut payload) = (Instant::now(), 0);
        for file in &files {
            let mut visit = |event: ArchivedEvent<'_>| {
                payload += event.payload.len() + usize::from(event.version.0 == 0);
                ControlFlow::Continue(())
            };
            archive.read(file, columns, &mut visit).await?;
        }
        report(&format!("read, {columns:?} ({payload} bytes of payload)"), begun.elapsed());
    }
    Ok(())
}

fn report(what: &str, took: Duration) {
    say(&format!("{what}: {:.2} million events/s", EVENTS as f64 / took.as_secs_f64() / 1e6));
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}
