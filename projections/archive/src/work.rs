//! The archive as the work of a group: each partition of the feed becomes a chain of files.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::EventFeed;
use headwater_projections::{Assignment, Work};

use crate::Archive;
use crate::hold::Hold;
use crate::limits::OPEN_AT_MOST;
use crate::partition::PartitionWriter;

/// The name of the group that writes the archive, and of its checkpoints.
pub const GROUP: &str = "archive";

/// When a file is written: as soon as it reaches any of these. Few large files are read faster and cost less; a file that
/// is not written yet is missing for whoever reads.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rotation {
    /// Bytes that a file holds in memory while it is made, most of them compressed already.
    pub bytes: usize,
    /// Its events.
    pub events: u64,
    /// The time since its first commit was read; at most half of [`OPEN_AT_MOST`].
    pub age: Duration,
    /// Bytes that all open files of this process hold together. Whoever goes over it writes its file early.
    pub held_bytes: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024 * 1024,
            events: 5_000_000,
            age: Duration::from_secs(900),
            held_bytes: 512 * 1024 * 1024,
        }
    }
}

/// What the group does with a partition.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) archive: Archive,
    pub(crate) feed: Arc<dyn EventFeed>,
    pub(crate) rotation: Rotation,
    pub(crate) hold: Hold,
    name: Arc<str>,
}

impl Writing {
    pub(crate) fn new(archive: Archive, feed: Arc<dyn EventFeed>, mut rotation: Rotation) -> Self {
        rotation.age = rotation.age.min(OPEN_AT_MOST / 2);
        let hold = Hold::new(rotation.held_bytes);
        Self { archive, feed, rotation, hold, name: GROUP.into() }
    }
}

#[async_trait]
impl Work for Writing {
    fn names(&self) -> Arc<[Arc<str>]> {
        Arc::new([Arc::clone(&self.name)])
    }

    async fn read(&self, assignment: Assignment) -> bool {
        PartitionWriter::new(self, Arc::clone(&self.name), assignment).run().await
    }
}
