//! Rows in memory behind a slow and shaky line.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{EventStore, StreamName, Version};
use headwater_projections::rows::{
    AuditPage, Generation, List, LoadedRows, Query, RowError, RowPage, Wanted, Written,
};
use headwater_projections::{AuditEntry, MemoryRows, Parked, RowStore, Transaction};
use headwater_store_memory::MemoryStore;

use super::random::Random;
use super::stores::Fate;

#[derive(Debug)]
pub(crate) struct SlowRows {
    rows: MemoryRows,
    random: Mutex<Random>,
    rarity: usize,
    /// What is appended in the moment before a stream is taken out.
    before_unpark: Mutex<Option<(Arc<MemoryStore>, Append)>>,
}

impl SlowRows {
    /// One of `rarity` calls is refused, and the answer of as many is lost; 0 is never.
    pub(crate) fn new(seed: u64, rarity: usize) -> Self {
        Self {
            rows: MemoryRows::new(),
            random: Mutex::new(Random(seed)),
            rarity,
            before_unpark: Mutex::default(),
        }
    }

    /// Lets something be appended in the moment before a stream is taken out.
    pub(crate) fn append_before_unpark(&self, store: &Arc<MemoryStore>, append: Append) {
        *self.before_unpark.lock().unwrap() = Some((Arc::clone(store), append));
    }

    /// The rows without the line.
    pub(crate) fn inside(&self) -> &MemoryRows {
        &self.rows
    }

    async fn call<T>(&self, work: impl Future<Output = Result<T, RowError>>) -> Result<T, RowError> {
        let fate = Fate::of(&self.random, self.rarity);
        fate.before().await;
        let failed = || RowError::Unavailable { attempted: "answer".to_owned(), source: "shaky".into() };
        if fate.refused {
            return Err(failed());
        }
        let answer = work.await;
        fate.after().await;
        if fate.answer_lost { Err(failed()) } else { answer }
    }
}

#[async_trait]
impl RowStore for SlowRows {
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        self.call(self.rows.prepare(generation, indexes)).await
    }
    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError> {
        self.call(self.rows.drop_generation(generation)).await
    }
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        self.call(self.rows.load(generation, wanted)).await
    }
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        self.call(self.rows.write(generation, transaction)).await
    }
    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        self.rows.list(generation, list).await
    }
    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError> {
        self.rows.query(generation, query).await
    }
    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        self.call(self.rows.park(generation, parked)).await
    }
    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        let append = self.before_unpark.lock().unwrap().take();
        if let Some((store, append)) = append {
            store.append(append).await.unwrap();
        }
        self.call(self.rows.unpark(generation, stream, first_failing)).await
    }
    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        self.call(self.rows.parked(generation, after, limit)).await
    }
    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError> {
        self.call(self.rows.audit(generation, entry)).await
    }
    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError> {
        self.rows.audits(generation, list).await
    }
}
