//! Filling gaps: what the feed has not brought is read from the ledger, in the main flow.

use std::sync::Arc;

use headwater::store::{Read, StoreError};
use headwater::{Commit, EventStore, Version};

use super::limits::FILL_COMMITS;
use crate::{Batch, Gap};

/// Puts the missing commits into the batch, each in front of the commit behind its gap.
///
/// When they are more than [`FILL_COMMITS`], the batch ends with the last of them, and what comes after is returned.
pub(super) async fn fill(
    ledger: &dyn EventStore,
    batch: &mut Batch,
    gaps: Vec<Gap>,
) -> Result<Vec<Arc<Commit>>, StoreError> {
    let (mut room, mut shift) = (FILL_COMMITS, 0);
    for gap in gaps {
        let read = Read::after(gap.after).until(gap.until).limit(room);
        let page = match ledger.read(&gap.stream, read).await {
            Ok(page) => page,
            Err(error @ StoreError::Corrupt { .. }) => {
                batch.holes.insert(gap.stream, error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let reached = reached(&gap, &page.commits);
        let more = page.more && !page.commits.is_empty();
        match reached {
            Err(version) => {
                batch
                    .holes
                    .insert(gap.stream, format!("version {version} is not there, though a later one is"));
            }
            Ok(version) if version < gap.until && !more => {
                batch.holes.insert(gap.stream, format!("it ends at version {version}"));
            }
            Ok(_) => {}
        }
        let at = gap.before + shift;
        let end = at + page.commits.len();
        room = room.saturating_sub(page.commits.len());
        shift += page.commits.len();
        batch.commits.splice(at..at, page.commits);
        if room == 0 || reached.is_ok_and(|version| version < gap.until && more) {
            return Ok(batch.commits.split_off(end));
        }
    }
    Ok(Vec::new())
}

/// How far commits lead on from a gap's beginning without a hole; the version that is missing if they do not.
fn reached(gap: &Gap, commits: &[Arc<Commit>]) -> Result<Version, Version> {
    commits.iter().try_fold(gap.after, |head, commit| {
        if commit.first <= head.next() { Ok(commit.last().max(head)) } else { Err(head.next()) }
    })
}

#[cfg(test)]
mod tests {
    use headwater::store::Append;
    use headwater::{EventData, Expected, StreamName};
    use headwater_store_memory::MemoryStore;

    use super::*;

    async fn stream_of(store: &MemoryStore, id: &str, commits: usize) -> Vec<Arc<Commit>> {
        let stream = StreamName::new("account", id).unwrap();
        let mut stored = Vec::new();
        for _ in 0..commits {
            let data = EventData { name: "Noted".into(), schema: 1, payload: "{}".into() };
            let appended = store.append(Append::new(stream.clone(), Expected::Any, vec![data])).await;
            stored.push(appended.unwrap().commit);
        }
        stored
    }

    fn gap(commit: &Commit, after: u64, before: usize) -> Gap {
        let until = Version(commit.first.0 - 1);
        Gap { stream: commit.stream.clone(), after: Version(after), until, before }
    }

    #[tokio::test]
    async fn what_is_missing_comes_in_front_of_the_commit_behind_its_gap() {
        let store = MemoryStore::new();
        let (one, two) = (stream_of(&store, "1", 3).await, stream_of(&store, "2", 4).await);
        let mut batch = Batch::from(vec![Arc::clone(&one[2]), Arc::clone(&two[0]), Arc::clone(&two[3])]);
        let gaps = vec![gap(&one[2], 0, 0), gap(&two[3], 1, 2)];
        let rest = fill(&store, &mut batch, gaps).await.unwrap();
        assert_eq!((batch.commits, rest), ([one, two].concat(), Vec::new()));
        assert!(batch.holes.is_empty());
    }

    #[tokio::test]
    async fn a_gap_that_the_ledger_cannot_fill_is_a_hole() {
        let store = MemoryStore::new();
        let stored = stream_of(&store, "1", 2).await;
        let far = Arc::new(Commit { first: Version(9), ..Commit::clone(&stored[1]) });
        let mut batch = Batch::from(vec![Arc::clone(&far)]);
        let rest = fill(&store, &mut batch, vec![gap(&far, 0, 0)]).await.unwrap();
        assert_eq!(batch.commits, [stored, vec![Arc::clone(&far)]].concat());
        assert!(rest.is_empty());
        assert_eq!(batch.holes.get(&far.stream).map(String::as_str), Some("it ends at version 2"));
    }
}
