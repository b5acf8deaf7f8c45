//! Stores that are slow, that fail, and that lose answers: a kill finds them in the middle of everything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use headwater_projections::LeaseStore;
use headwater_projections::group::{
    Checkpoint, Item, ItemKey, Items, Lease, LeaseError, MemoryLeases, Saved,
};

use super::random::Random;

/// What becomes of a call.
pub(crate) struct Fate {
    before: Duration,
    after: Duration,
    pub(crate) refused: bool,
    pub(crate) answer_lost: bool,
}

impl Fate {
    /// Most calls go well, but all take a moment before and after what they do.
    pub(crate) fn of(random: &Mutex<Random>, rarity: usize) -> Self {
        let mut random = random.lock().unwrap();
        let (before, after) = (random.millis(8), random.millis(8));
        Self { before, after, refused: random.one_in(rarity), answer_lost: random.one_in(rarity) }
    }

    pub(crate) async fn before(&self) {
        tokio::time::sleep(self.before).await;
    }

    pub(crate) async fn after(&self) {
        tokio::time::sleep(self.after).await;
    }
}

/// One worker's way to the leases of all.
#[derive(Debug)]
pub(crate) struct Leases {
    all: Arc<MemoryLeases>,
    random: Mutex<Random>,
    rarity: usize,
    /// Calls wait until this is over, and are carried out then, whether or not anybody still waits for the answer.
    late: Arc<AtomicBool>,
    /// What a write has broken.
    broken: Arc<Mutex<Option<String>>>,
}

impl Leases {
    pub(crate) fn new(all: &Arc<MemoryLeases>, seed: u64, rarity: usize) -> Self {
        let (random, late, broken) = (Mutex::new(Random(seed)), Arc::default(), Arc::default());
        Self { all: Arc::clone(all), random, rarity, late, broken }
    }

    /// What a write has broken, if any has.
    pub(crate) fn broken(&self) -> Option<String> {
        self.broken.lock().unwrap().clone()
    }

    /// Whether calls are late from now on.
    pub(crate) fn be_late(&self, late: bool) {
        self.late.store(late, Ordering::Relaxed);
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LeaseError>> + Send + 'static,
    ) -> Result<T, LeaseError> {
        let fate = Fate::of(&self.random, self.rarity);
        fate.before().await;
        if fate.refused {
            return Err(failed());
        }
        let late = Arc::clone(&self.late);
        let answer = tokio::spawn(async move {
            while late.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            work.await
        });
        let answer = answer.await.unwrap();
        fate.after().await;
        if fate.answer_lost { Err(failed()) } else { answer }
    }
}

fn failed() -> LeaseError {
    LeaseError::Unavailable { attempted: "answer".to_owned(), source: "shaky".into() }
}

#[async_trait]
impl LeaseStore for Leases {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        let (all, group) = (Arc::clone(&self.all), group.to_owned());
        self.call(async move { all.list(&group).await }).await
    }

    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        let (all, broken) = (Arc::clone(&self.all), Arc::clone(&self.broken));
        let (group, item) = (group.to_owned(), item.clone());
        self.call(async move {
            let before = all.list(&group).await?;
            let saved = all.save(&group, &item, counter).await?;
            if let (Saved::Done, Item::Lease(lease)) = (&saved, &item)
                && let Some(before) = before.leases.get(&lease.partition)
                && !follows(before, lease)
            {
                *broken.lock().unwrap() = Some(format!("{before:?} became {lease:?}"));
            }
            Ok(saved)
        })
        .await
    }

    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        let (all, group, key) = (Arc::clone(&self.all), group.to_owned(), key.clone());
        self.call(async move { all.delete(&group, &key, counter).await }).await
    }
}

/// Whether one write of a lease may follow another: nothing of it ever goes back.
fn follows(before: &Lease, after: &Lease) -> bool {
    let changed = u64::from(after.owner != before.owner);
    let same_history = after.losses == before.losses;
    let checkpoint = |(generation, checkpoint): (&Arc<str>, &Checkpoint)| match (
        checkpoint,
        after.checkpoints.get(generation),
    ) {
        (Checkpoint::At(before), Some(Checkpoint::At(after))) => after >= before || !same_history,
        (Checkpoint::End, after) => after == Some(&Checkpoint::End),
        (Checkpoint::At(_), after) => after.is_some() || !same_history,
    };
    after.counter == before.counter + 1
        && after.incarnation >= before.incarnation + changed
        && after.losses >= before.losses
        && before.checkpoints.iter().all(checkpoint)
}
