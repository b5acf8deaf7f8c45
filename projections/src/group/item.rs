//! What a lease store keeps of a group: its workers, a lease for each partition, the generations of each projection,
//! how it catches up, and documents.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use headwater::store::{Partition, PartitionId, Position};
use serde::{Deserialize, Serialize};

use super::{CatchUp, Generations};

use crate::random::random;

/// How many numbers the counter of a new lease may begin at.
const COUNTERS: u64 = 1 << 40;

/// The id of a worker: a process at one time, never the same again after a restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub Arc<str>);

impl WorkerId {
    /// An id that no other worker has.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:016x}{:016x}", random(), random()).into())
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A worker as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// One more with every write.
    pub counter: u64,
    /// The worker it asks for a lease, because that one has more than its share.
    pub asks: Option<WorkerId>,
}

/// How far one projection has come in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checkpoint {
    /// Everything up to and with this position is done.
    At(Position),
    /// The partition is closed, and everything in it is done.
    End,
}

/// The right to read a partition, and how far its readers have come. It is written by its owner, or by whoever takes
/// it, and by nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: PartitionId,
    /// The partitions that had to be read before it.
    pub parents: Vec<PartitionId>,
    /// Who has it; nobody when it was released.
    pub owner: Option<WorkerId>,
    /// One more with every write.
    pub counter: u64,
    /// One more with every change of owner: two incarnations of the same owner are told apart by it.
    pub incarnation: u64,
    /// How far each generation has come, by its name. One that is not here starts at the oldest record of the feed.
    pub checkpoints: BTreeMap<Arc<str>, Checkpoint>,
    /// How often the feed did not know a checkpoint any more, so that the ledger had to be read.
    pub losses: u64,
}

impl Lease {
    /// The first lease of a partition. Its counter begins anywhere: a write that is late, and meant for a lease of the same
    /// name that was removed since, must not find in this one the counter it expects.
    #[must_use]
    pub fn new(partition: &Partition, owner: Option<WorkerId>) -> Self {
        Self {
            partition: partition.id.clone(),
            parents: partition.parents.clone(),
            owner,
            counter: 1 + random() % COUNTERS,
            incarnation: 1,
            checkpoints: BTreeMap::new(),
            losses: 0,
        }
    }

    /// Whether all of these generations have read the partition to its end.
    #[must_use]
    pub fn is_ended(&self, generations: &[Arc<str>]) -> bool {
        generations.iter().all(|generation| self.checkpoints.get(generation) == Some(&Checkpoint::End))
    }

    /// Whether at least one of these generations has read the partition to its end, so that its children may be read. One
    /// that is late there, or paused, holds nobody up: what it misses at first in the children, it reads from the ledger.
    #[must_use]
    pub fn is_passed(&self, generations: &[Arc<str>]) -> bool {
        let at_end = |generation| self.checkpoints.get(generation) == Some(&Checkpoint::End);
        self.is_ended(generations) || generations.iter().any(at_end)
    }

    /// The lease after another owner, or nobody, has got it.
    #[must_use]
    pub fn given_to(&self, owner: Option<WorkerId>) -> Self {
        Self { owner, counter: self.counter + 1, incarnation: self.incarnation + 1, ..self.clone() }
    }
}

/// What others keep in a group and nobody here looks into: JSON under a name, written under its counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name in the group.
    pub name: Arc<str>,
    /// One more with every write.
    pub counter: u64,
    /// What it says.
    pub json: Arc<str>,
}

/// One item of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A worker.
    Worker(Worker),
    /// A lease.
    Lease(Lease),
    /// The generations of a projection.
    Generations(Generations),
    /// How the group catches up from the ledger.
    CatchUp(CatchUp),
    /// A document.
    Document(Document),
}

/// What names an item in its group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKey {
    /// A worker.
    Worker(WorkerId),
    /// The lease of a partition.
    Lease(PartitionId),
    /// The generations of a projection.
    Generations(Arc<str>),
    /// How the group catches up from the ledger.
    CatchUp,
    /// A document.
    Document(Arc<str>),
}

impl Item {
    /// What names it.
    #[must_use]
    pub fn key(&self) -> ItemKey {
        match self {
            Self::Worker(worker) => ItemKey::Worker(worker.id.clone()),
            Self::Lease(lease) => ItemKey::Lease(lease.partition.clone()),
            Self::Generations(generations) => ItemKey::Generations(Arc::clone(&generations.projection)),
            Self::CatchUp(_) => ItemKey::CatchUp,
            Self::Document(document) => ItemKey::Document(Arc::clone(&document.name)),
        }
    }

    /// Its counter.
    #[must_use]
    pub fn counter(&self) -> u64 {
        match self {
            Self::Worker(worker) => worker.counter,
            Self::Lease(lease) => lease.counter,
            Self::Generations(generations) => generations.counter,
            Self::CatchUp(catch_up) => catch_up.counter,
            Self::Document(document) => document.counter,
        }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker(id) => write!(f, "worker/{id}"),
            Self::Lease(partition) => write!(f, "lease/{partition}"),
            Self::Generations(projection) => write!(f, "generations/{projection}"),
            Self::CatchUp => f.write_str("catch-up"),
            Self::Document(name) => write!(f, "document/{name}"),
        }
    }
}

impl From<Worker> for Item {
    fn from(worker: Worker) -> Self {
        Self::Worker(worker)
    }
}

impl From<Lease> for Item {
    fn from(lease: Lease) -> Self {
        Self::Lease(lease)
    }
}

impl From<Generations> for Item {
    fn from(generations: Generations) -> Self {
        Self::Generations(generations)
    }
}

impl From<CatchUp> for Item {
    fn from(catch_up: CatchUp) -> Self {
        Self::CatchUp(catch_up)
    }
}

impl From<Document> for Item {
    fn from(document: Document) -> Self {
        Self::Document(document)
    }
}

/// All items of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Items {
    /// The workers.
    pub workers: BTreeMap<WorkerId, Worker>,
    /// The leases.
    pub leases: BTreeMap<PartitionId, Lease>,
    /// The generations, by projection.
    pub generations: BTreeMap<Arc<str>, Generations>,
    /// How the group catches up from the ledger, once anybody had to.
    pub catch_up: Option<CatchUp>,
    /// The documents, by name.
    pub documents: BTreeMap<Arc<str>, Document>,
    /// Items that cannot be read, by what names them, and why: perhaps a newer program wrote them. They are left alone.
    pub unreadable: BTreeMap<String, String>,
}

impl Items {
    /// Puts an item in.
    pub fn insert(&mut self, item: Item) {
        match item {
            Item::Worker(worker) => drop(self.workers.insert(worker.id.clone(), worker)),
            Item::Lease(lease) => drop(self.leases.insert(lease.partition.clone(), lease)),
            Item::Generations(generations) => {
                drop(self.generations.insert(Arc::clone(&generations.projection), generations));
            }
            Item::CatchUp(catch_up) => self.catch_up = Some(catch_up),
            Item::Document(document) => drop(self.documents.insert(Arc::clone(&document.name), document)),
        }
    }

    /// Every item whose owner shows life by its counter, by what names it.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (ItemKey, u64)> + '_ {
        let workers = self.workers.values().map(|w| (ItemKey::Worker(w.id.clone()), w.counter));
        let leases = self.leases.values().map(|l| (ItemKey::Lease(l.partition.clone()), l.counter));
        let catch_up = self.catch_up.iter().map(|c| (ItemKey::CatchUp, c.counter));
        let documents = self.documents.values().map(|d| (ItemKey::Document(Arc::clone(&d.name)), d.counter));
        workers.chain(leases).chain(catch_up).chain(documents)
    }
}
