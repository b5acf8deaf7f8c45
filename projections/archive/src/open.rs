//! The file that a partition's commits go into at the moment.

use bytes::Bytes;
use headwater::Timestamp;
use headwater::store::{FeedRecord, PartitionId, Position};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::ArchiveFile;
use crate::encode::Encoder;
use crate::file::{self, digest};
use crate::hold::Share;
use crate::limits::{OPEN_AT_MOST, ROW_GROUP_BYTES, ROW_GROUP_EVENTS};
use crate::work::Rotation;

/// Bytes of memory that an event costs beside its content, and a record beside its events.
const EVENT_BYTES: usize = 96;
const RECORD_BYTES: usize = 512;

/// A file that is not written yet. Its records are in memory only: what dies with it is read again.
pub(crate) struct Open {
    partition: PartitionId,
    after: Option<Position>,
    /// Position and time of its first commit.
    first: (Position, Timestamp),
    last: Position,
    opened: Instant,
    /// Taken while it is at work.
    encoder: Option<Encoder>,
    pending: Vec<FeedRecord>,
    pending_bytes: usize,
    pending_events: usize,
    commits: u64,
    events: u64,
    share: Share,
}

/// A file ready to be put.
pub(crate) struct Ready {
    pub(crate) file: ArchiveFile,
    pub(crate) body: Bytes,
    /// Held until it is put.
    pub(crate) share: Share,
}

impl Open {
    /// A file that begins with this commit and follows this position.
    pub(crate) fn new(
        partition: &PartitionId,
        after: Option<Position>,
        first: &FeedRecord,
        share: Share,
    ) -> Result<Self, String> {
        Ok(Self {
            partition: partition.clone(),
            after,
            first: (first.position.clone(), first.commit.recorded_at),
            last: first.position.clone(),
            opened: Instant::now(),
            encoder: Some(Encoder::new(partition).map_err(|error| error.to_string())?),
            pending: Vec::new(),
            pending_bytes: 0,
            pending_events: 0,
            commits: 0,
            events: 0,
            share,
        })
    }

    /// Adds a commit.
    pub(crate) async fn add(&mut self, record: FeedRecord) -> Result<(), String> {
        self.last = record.position.clone();
        self.commits += 1;
        self.events += record.commit.events.len() as u64;
        self.pending_events += record.commit.events.len();
        self.pending_bytes += size(&record);
        self.pending.push(record);
        if self.pending_bytes >= ROW_GROUP_BYTES || self.pending_events >= ROW_GROUP_EVENTS {
            self.row_group().await?;
        }
        let bytes = self.bytes();
        self.share.set(bytes);
        Ok(())
    }

    /// Whether it is to be written before this commit: a file has commits of one day, unless they come late.
    pub(crate) fn ends_before(&self, record: &FeedRecord) -> bool {
        day(record.commit.recorded_at) > day(self.first.1)
    }

    /// Whether it is to be written now.
    pub(crate) fn is_due(&self, rotation: &Rotation) -> bool {
        self.opened.elapsed() >= rotation.age
            || self.bytes() >= rotation.bytes
            || self.events >= rotation.events
            || self.share.is_over()
    }

    /// When it is due by its age.
    pub(crate) fn due(&self, rotation: &Rotation) -> Instant {
        self.opened + rotation.age
    }

    /// Whether it is so old that the feed may have forgotten what is in it.
    pub(crate) fn is_stale(&self) -> bool {
        self.opened.elapsed() >= OPEN_AT_MOST
    }

    /// What it holds in memory.
    fn bytes(&self) -> usize {
        self.pending_bytes + self.encoder.as_ref().map_or(0, Encoder::bytes)
    }

    /// Encodes what is pending. That takes a while, so it is done beside the runtime.
    async fn row_group(&mut self) -> Result<(), String> {
        let pending = std::mem::take(&mut self.pending);
        (self.pending_bytes, self.pending_events) = (0, 0);
        let Some(mut encoder) = self.encoder.take() else {
            return Err("an earlier row group failed".to_owned());
        };
        let encoded = spawn_blocking(move || encoder.row_group(&pending).map(|()| encoder)).await;
        let encoder = encoded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        self.encoder = Some(encoder);
        Ok(())
    }

    /// The whole file.
    pub(crate) async fn finish(
        mut self,
        root: &str,
        parents: &[PartitionId],
        lost: bool,
    ) -> Result<Ready, String> {
        if !self.pending.is_empty() {
            self.row_group().await?;
        }
        let Some(encoder) = self.encoder.take() else { return Err("a row group failed".to_owned()) };
        let finished = spawn_blocking(move || {
            let body = encoder.finish()?;
            let digest = digest(&body);
            Ok::<_, parquet::errors::ParquetError>((body, digest))
        });
        let (body, sha256) =
            finished.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        self.share.set(body.len());
        let (first, at) = self.first;
        let file = ArchiveFile {
            key: file::key(root, &self.partition, &first, at),
            partition: self.partition,
            parents: parents.to_vec(),
            first,
            last: self.last,
            after: self.after,
            lost,
            commits: self.commits,
            events: self.events,
            bytes: body.len() as u64,
            sha256,
        };
        Ok(Ready { file, body: body.into(), share: self.share })
    }
}

/// What a record costs in memory, about.
fn size(record: &FeedRecord) -> usize {
    let commit = &record.commit;
    let events: usize = commit.events.iter().map(|event| event.size_bytes() + EVENT_BYTES).sum();
    let snapshot = commit.snapshot.as_deref().map_or(0, headwater::Snapshot::size_bytes);
    events + commit.metadata.size_bytes() + commit.stream.as_str().len() + snapshot + RECORD_BYTES
}

/// The day of a time, in days since 1970.
fn day(at: Timestamp) -> i64 {
    const SECONDS: i64 = 86_400;
    at.as_second().div_euclid(SECONDS)
}
