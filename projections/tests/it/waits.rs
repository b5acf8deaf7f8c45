//! Waits end when the version is applied, also when the answer to the write that applied it was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected, StreamName, Version};
use headwater_projections::rows::{
    AuditPage, Generation, List, LoadedRows, Query, RowError, RowPage, Wanted, Written,
};
use headwater_projections::{AuditEntry, MemoryRows, Parked, RowStore, Runner, Transaction};
use headwater_store_memory::MemoryStore;
use tokio::time::Instant;

use crate::model::{AccountEvent, Balance};

/// Carries the first write out and loses its answer.
#[derive(Debug, Default)]
struct LosesAnAnswer {
    rows: MemoryRows,
    lost: AtomicBool,
}

#[async_trait]
impl RowStore for LosesAnAnswer {
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        self.rows.load(generation, wanted).await
    }
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        let written = self.rows.write(generation, transaction).await?;
        match self.lost.swap(true, Ordering::Relaxed) {
            true => Ok(written),
            false => Err(RowError::Unavailable { attempted: "answer".to_owned(), source: "lost".into() }),
        }
    }
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        self.rows.prepare(generation, indexes).await
    }
    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError> {
        self.rows.drop_generation(generation).await
    }
    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError> {
        self.rows.query(generation, query).await
    }
    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        self.rows.unpark(generation, stream, first_failing).await
    }
    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError> {
        self.rows.audit(generation, entry).await
    }
    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError> {
        self.rows.audits(generation, list).await
    }
    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        self.rows.list(generation, list).await
    }
    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        self.rows.park(generation, parked).await
    }
    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        self.rows.parked(generation, after, limit).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_woken_although_the_answer_to_the_write_was_lost() {
    let store = Arc::new(MemoryStore::new());
    let rows = Arc::new(LosesAnAnswer::default());
    let runner = Runner::new(
        Arc::clone(&store) as Arc<dyn EventStore>,
        Arc::clone(&store) as Arc<dyn EventFeed>,
        Arc::clone(&rows) as Arc<dyn RowStore>,
    );
    let runner = runner.projection::<Balance>().unwrap();
    let read_models = runner.read_models();
    let running = tokio::spawn(runner.run(std::future::pending::<()>()));

    let stream = StreamName::parse("account/1").unwrap();
    let asked = Instant::now();
    let waiting = {
        let stream = stream.clone();
        tokio::spawn(async move {
            read_models.wait_applied("balances", &stream, Version(1), Duration::from_secs(3_600)).await
        })
    };
    tokio::task::yield_now().await;
    let event = AccountEvent::Noted {}.encode().unwrap();
    store.append(Append::new(stream, Expected::NoStream, vec![event])).await.unwrap();
    assert!(waiting.await.unwrap().unwrap());
    assert!(rows.lost.load(Ordering::Relaxed), "an answer was lost");
    assert!(asked.elapsed() < Duration::from_secs(60), "woken after {:?}", asked.elapsed());
    running.abort();
}
