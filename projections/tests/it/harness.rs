//! A driver of the step for tests: a ledger in a map, rows in a store, everything by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::Commit;
use headwater_projections::rows::{Generation, List, LoadedRows, Written};
use headwater_projections::{Batch, Definition, Memory, Projection, RowStore, Step, Writes, step};

/// Commits of every stream, in order.
pub(crate) type Ledger = BTreeMap<String, Vec<Arc<Commit>>>;

/// One owner of a projection.
#[derive(Debug)]
pub(crate) struct Owner<P> {
    pub(crate) definition: Definition<P>,
    pub(crate) memory: Memory<P>,
    pub(crate) rows: Arc<dyn RowStore>,
    pub(crate) ledger: Ledger,
    pub(crate) applied: u64,
}

impl<P: Projection> Owner<P> {
    pub(crate) fn new(rows: Arc<dyn RowStore>, ledger: Ledger) -> Self {
        let definition = Definition::new().expect("projections of the tests are well defined");
        Self { definition, memory: Memory::new(), rows, ledger, applied: 0 }
    }

    /// Decides what a batch does, without writing.
    pub(crate) async fn decide(&mut self, commits: &[Arc<Commit>]) -> Writes {
        let mut batch = Batch::from(commits.to_vec());
        loop {
            match step(&self.definition, &mut self.memory, &batch) {
                Step::Writes(writes) => return writes,
                Step::Needs(wanted, gaps) => {
                    let generation = generation::<P>();
                    let loaded = self.rows.load(&generation, &wanted).await.expect("rows load");
                    self.memory.learn(&wanted, loaded);
                    for gap in gaps.into_iter().rev() {
                        let stream = self.ledger.get(gap.stream.as_str()).cloned().unwrap_or_default();
                        let missing = |c: &Arc<Commit>| c.last() > gap.after && c.first <= gap.until;
                        let missing: Vec<_> = stream.into_iter().filter(missing).collect();
                        if missing.last().map(|c| c.last()) != Some(gap.until) {
                            batch.holes.insert(gap.stream, "it ends".to_owned());
                        }
                        batch.commits.splice(gap.before..gap.before, missing);
                    }
                }
            }
        }
    }

    /// Writes what was decided.
    pub(crate) async fn write(&mut self, writes: &Writes) -> Written {
        let generation = generation::<P>();
        for transaction in &writes.transactions {
            let written = self.rows.write(&generation, transaction).await.expect("rows are written");
            if written == Written::Lost {
                self.memory.clear();
                return Written::Lost;
            }
        }
        for parked in &writes.parked {
            self.rows.park(&generation, parked).await.expect("streams are parked");
        }
        self.applied += writes.applied;
        Written::Done
    }

    /// Decides and writes until it is done.
    pub(crate) async fn carry(&mut self, commits: &[Arc<Commit>]) -> Writes {
        loop {
            let writes = self.decide(commits).await;
            if self.write(&writes).await == Written::Done {
                return writes;
            }
        }
    }
}

/// The live rows in a store.
pub(crate) async fn live<P: Projection>(rows: &dyn RowStore) -> BTreeMap<String, P> {
    let generation = generation::<P>();
    let page = rows.list(&generation, &List { after: None, limit: 1_000 }).await.expect("rows are listed");
    assert!(page.next.is_none(), "the tests have few rows");
    let read = |json: &[u8]| serde_json::from_slice(json).expect("rows fit");
    page.rows.into_iter().filter_map(|row| Some((row.key, read(row.fields.as_deref()?)))).collect()
}

/// The generation of a first deployment.
pub(crate) fn generation<P: Projection>() -> Generation {
    Generation::new(P::NAME, 1)
}

/// Steps over a batch where nothing was there before.
pub(crate) fn fresh<P: Projection>(memory: &mut Memory<P>, commits: &[Arc<Commit>]) -> Writes {
    let definition = Definition::new().expect("projections of the tests are well defined");
    let batch = Batch::from(commits.to_vec());
    loop {
        match step(&definition, memory, &batch) {
            Step::Writes(writes) => return writes,
            Step::Needs(wanted, gaps) => {
                assert!(gaps.is_empty(), "unexpected gaps: {gaps:?}");
                memory.learn(&wanted, LoadedRows::default());
            }
        }
    }
}
