//! A kind of handler: a projection in a runner, of which each generation that is kept has a handler.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use headwater::EventStore;
use headwater::store::PartitionId;

use super::lane::{Handler, OneStream, Shared, Typed};
use super::pace::Tally;
use super::waits::AllWaits;
use crate::group::{Checkpoint, Generations, Stage};
use crate::rows::Generation;
use crate::{Definition, Projection, RowStore};

/// A projection in a runner, its type forgotten.
pub(crate) trait Kind: Send + Sync + fmt::Debug {
    fn name(&self) -> &'static str;
    /// The version of its code.
    fn version(&self) -> u32;
    /// A handler that keeps the generation of this number.
    fn handler(&self, number: u32) -> Arc<dyn Handler>;
}

/// A projection that keeps views.
#[derive(Debug)]
pub(super) struct ViewKind<P> {
    pub(super) definition: Definition<P>,
    pub(super) rows: Arc<dyn RowStore>,
    pub(super) ledger: Arc<dyn EventStore>,
    pub(super) waits: Arc<AllWaits>,
}

impl<P: Projection> Kind for ViewKind<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn version(&self) -> u32 {
        P::VERSION
    }
    fn handler(&self, number: u32) -> Arc<dyn Handler> {
        let typed = Arc::new(Typed {
            definition: self.definition.clone(),
            generation: Generation::new(P::NAME, number),
            rows: Arc::clone(&self.rows),
            ledger: Arc::clone(&self.ledger),
            waits: self.waits.of(number),
            tally: Tally::default(),
        });
        if P::SHARED { Arc::new(Shared::new(typed)) } else { Arc::new(OneStream(typed)) }
    }
}

/// A generation that is kept up to date in this process.
#[derive(Debug, Clone)]
pub(super) struct Keeping {
    pub(super) handler: Arc<dyn Handler>,
    /// The name of the generation, by which its checkpoints go.
    pub(super) generation: Arc<str>,
    /// Whether it answers queries.
    pub(super) live: bool,
    /// Where it begins in partitions in which it has no checkpoint.
    pub(super) from: Arc<BTreeMap<PartitionId, Checkpoint>>,
}

/// The generations that a process keeps: those that follow the feed and were made by code of the version that runs here.
/// Lanes stay what they are while their generation is kept.
pub(super) fn keeping(
    kinds: &[Arc<dyn Kind>],
    made: &BTreeMap<Arc<str>, Generations>,
    before: &[Keeping],
) -> Vec<Keeping> {
    let of_kind = |kind: &Arc<dyn Kind>| {
        let generations = made.get(kind.name())?;
        let version = kind.version();
        let able = generations.made.iter();
        let able = able.filter(|(_, made)| made.stage == Stage::Following && made.version == version);
        let keep = able.map(|(number, made)| {
            let generation: Arc<str> = generations.generation(*number).to_string().into();
            let known = before.iter().find(|kept| kept.generation == generation);
            let handler = known.map_or_else(|| kind.handler(*number), |kept| Arc::clone(&kept.handler));
            Keeping {
                handler,
                generation,
                live: *number == generations.live,
                from: Arc::new(made.from.clone()),
            }
        });
        Some(keep.collect::<Vec<_>>())
    };
    kinds.iter().filter_map(of_kind).flatten().collect()
}
