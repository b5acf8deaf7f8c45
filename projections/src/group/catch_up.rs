//! Catching up from the ledger: what the feed does not have, or does not have any more, is read there.
//!
//! A group does it at most once at a time, for all generations that need it together: one pass over the whole ledger.
//! Who has to catch up is written down before anybody goes on without the lost records, so no death of a process can make
//! the loss a silent one.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater::store::ScanCursor;

use super::limits::{ASK_TRIES, CHECKPOINTS, SEGMENTS};
use super::{Item, LeaseError, LeaseStore, Saved, WorkerId};

/// How far a group has come in catching up from the ledger. One item of the group, written under its counter.
///
/// Anybody may add to those who ask. The rest is written by its owner, or by whoever takes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CatchUp {
    /// Who reads the ledger; nobody when it was released.
    pub owner: Option<WorkerId>,
    /// One more with every write.
    pub counter: u64,
    /// Generations that have to read the ledger and have not begun.
    pub asked: BTreeSet<Arc<str>>,
    /// Generations that read it in the pass under way.
    pub reading: BTreeSet<Arc<str>>,
    /// How far the pass has come in each segment of the ledger; empty when there is no pass.
    pub segments: Vec<Segment>,
    /// Generations that have read the whole ledger. What came later, the feed has brought, or they have asked again.
    pub done: BTreeSet<Arc<str>>,
}

/// How far a pass has come in a segment of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Nothing of it is read.
    Start,
    /// Every commit up to there is done.
    After(ScanCursor),
    /// Every commit of it is done.
    End,
}

impl CatchUp {
    /// Whether it knows a generation: one that it does not know has not read the ledger yet.
    #[must_use]
    pub fn knows(&self, generation: &str) -> bool {
        [&self.asked, &self.reading, &self.done].into_iter().any(|set| set.contains(generation))
    }

    /// Whether a generation still has to read the ledger, or reads it.
    #[must_use]
    pub fn is_open_for(&self, generation: &str) -> bool {
        self.asked.contains(generation) || self.reading.contains(generation)
    }

    /// The same after a worker has taken it that is able to read for these generations. It goes on with the pass under
    /// way; those it is not able to read for have to wait for a pass of their own.
    #[must_use]
    pub fn taken_by(&self, worker: &WorkerId, able: &BTreeSet<Arc<str>>) -> Self {
        let mut taken = self.leaving(able);
        taken.owner = Some(worker.clone());
        if taken.reading.is_empty() {
            (taken.reading, taken.asked) = taken.asked.into_iter().partition(|one| able.contains(one));
            taken.segments = vec![Segment::Start; SEGMENTS as usize];
        }
        taken.counter += 1;
        taken
    }

    /// The same without those that cannot be read for at the moment: they ask again.
    #[must_use]
    pub fn leaving(&self, able: &BTreeSet<Arc<str>>) -> Self {
        let mut left = self.clone();
        let (stay, leave): (BTreeSet<_>, BTreeSet<_>) =
            left.reading.into_iter().partition(|one| able.contains(one));
        left.reading = stay;
        left.asked.extend(leave);
        left
    }

    /// The same after the pass under way has come to the end of the ledger.
    #[must_use]
    pub fn finished(&self) -> Self {
        let mut finished = self.clone();
        finished.done.append(&mut finished.reading);
        finished.segments.clear();
        finished
    }

    /// The same, knowing no more generations than an item holds: of more, those kept by whoever writes stay. Another one
    /// that comes back reads the ledger once more.
    #[must_use]
    pub(crate) fn trimmed(mut self, is_kept: impl Fn(&str) -> bool) -> Self {
        for set in [&mut self.done, &mut self.asked] {
            if set.len() > CHECKPOINTS {
                set.retain(|generation| is_kept(generation));
            }
        }
        self
    }
}

/// Writes down that generations have to read the ledger. Done when it returns: whoever runs the group will see to it.
///
/// # Errors
/// [`LeaseError`] when it is not known whether it is written down.
pub async fn ask(
    store: &dyn LeaseStore,
    group: &str,
    generations: &BTreeSet<Arc<str>>,
) -> Result<(), LeaseError> {
    change(store, group, |item| {
        let all_asked = generations.is_subset(&item.asked);
        item.asked.extend(generations.iter().cloned());
        !all_asked
    })
    .await
}

/// Writes down that a generation has everything that was in the ledger when the reading of the feed began: it was built
/// by other means.
///
/// # Errors
/// As [`ask`].
pub async fn note_done(store: &dyn LeaseStore, group: &str, generation: &Arc<str>) -> Result<(), LeaseError> {
    change(store, group, |item| item.done.insert(Arc::clone(generation))).await
}

/// Changes the item under its counter, however often others are faster, within a bound. Nothing is written when
/// `edit` says that nothing has changed.
async fn change(
    store: &dyn LeaseStore,
    group: &str,
    mut edit: impl FnMut(&mut CatchUp) -> bool + Send,
) -> Result<(), LeaseError> {
    let unavailable = |reason: &str| LeaseError::Unavailable {
        attempted: format!("note that group {group} catches up"),
        source: reason.into(),
    };
    let (mut item, mut expected) = (CatchUp::default(), None);
    for _ in 0..ASK_TRIES {
        if !edit(&mut item) {
            return Ok(());
        }
        item.counter += 1;
        match store.save(group, &Item::CatchUp(item), expected).await? {
            Saved::Done => return Ok(()),
            Saved::Lost(Some(there)) => match *there {
                Item::CatchUp(there) => {
                    expected = Some(there.counter);
                    item = there;
                }
                _ => return Err(unavailable("the item that is there is of another kind")),
            },
            // Deleted by hand, or written by a newer program.
            Saved::Lost(None) if expected.is_some() => (item, expected) = (CatchUp::default(), None),
            Saved::Lost(None) => return Err(unavailable("the item that is there cannot be read")),
        }
    }
    Err(unavailable("others were faster again and again"))
}

#[cfg(test)]
mod tests {
    use super::super::MemoryLeases;
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    #[tokio::test]
    async fn who_asks_is_added_whatever_the_item_says_and_twice_is_once() {
        let store = MemoryLeases::new();
        ask(&store, "views", &names(&["a"])).await.unwrap();
        ask(&store, "views", &names(&["a", "b"])).await.unwrap();
        ask(&store, "views", &names(&["b"])).await.unwrap();
        note_done(&store, "views", &"c".into()).await.unwrap();
        let item = store.list("views").await.unwrap().catch_up.unwrap();
        let expected =
            CatchUp { counter: 3, asked: names(&["a", "b"]), done: names(&["c"]), ..CatchUp::default() };
        assert_eq!(item, expected);
    }

    #[test]
    fn a_pass_is_taken_up_where_it_was_and_who_cannot_be_read_for_asks_again() {
        let me = WorkerId("me".into());
        let open = CatchUp { asked: names(&["a", "b"]), done: names(&["a"]), ..CatchUp::default() };
        let mut taken = open.taken_by(&me, &names(&["a", "b", "c"]));
        assert_eq!((&taken.reading, taken.asked.len()), (&names(&["a", "b"]), 0));
        assert_eq!(taken.segments, vec![Segment::Start; SEGMENTS as usize]);

        taken.segments = vec![Segment::End, Segment::After(ScanCursor("17".into()))];
        taken.asked = names(&["d"]);
        let again = taken.taken_by(&me, &names(&["a", "d"]));
        assert_eq!((&again.reading, &again.asked), (&names(&["a"]), &names(&["b", "d"])));
        assert_eq!(again.segments, taken.segments, "and the pass goes on");

        let other = again.taken_by(&me, &names(&["d"]));
        assert_eq!((&other.reading, &other.asked), (&names(&["d"]), &names(&["a", "b"])));
        assert_eq!(other.segments, vec![Segment::Start; SEGMENTS as usize], "a pass of its own");

        let finished = other.finished();
        assert_eq!((&finished.done, &finished.asked), (&names(&["a", "d"]), &names(&["a", "b"])));
        assert!(finished.reading.is_empty() && finished.segments.is_empty());
    }
}
