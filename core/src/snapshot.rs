//! Snapshots: the state after a commit, riding in the commit. A cache, never the truth (L8).

use bytes::Bytes;

use crate::key::KeyRecord;

/// The state of an aggregate after the commit it rides in.
///
/// Its version is the commit's last version; there is no other snapshot of that version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The aggregate's snapshot version when it was written. Another version means absent.
    pub schema: u32,
    /// The state, JSON.
    pub state: Bytes,
    /// The last keyed commands of the stream, this commit's own included, oldest first, at most
    /// [`KEYS_REMEMBERED`](crate::key::KEYS_REMEMBERED).
    pub keys: Vec<KeyRecord>,
}

impl Snapshot {
    /// Bytes of state and keys, for limits and cost.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.state.len() + self.keys.len() * KeyRecord::BYTES
    }
}
