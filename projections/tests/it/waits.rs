//! Waits end when the version is applied, also when the answer to the write that applied it was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected, StreamName, Version};
use headwater_projections::rows::{Generation, RowError, Written};
use headwater_projections::{MemoryRows, RowStore, Runner, Transaction};
use headwater_store_memory::MemoryStore;
use tokio::time::Instant;

use crate::faulty::{Fault, Faulty};
use crate::model::{AccountEvent, Balance};

/// Carries the first write out and loses its answer.
#[derive(Debug, Default)]
struct LosesAnAnswer {
    lost: AtomicBool,
}

#[async_trait]
impl Fault for LosesAnAnswer {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let written = rows.write(generation, transaction).await?;
        match self.lost.swap(true, Ordering::Relaxed) {
            true => Ok(written),
            false => Err(RowError::Unavailable { attempted: "answer".to_owned(), source: "lost".into() }),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_woken_although_the_answer_to_the_write_was_lost() {
    let store = Arc::new(MemoryStore::new());
    let rows = Arc::new(Faulty::<LosesAnAnswer>::default());
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
    assert!(rows.fault.lost.load(Ordering::Relaxed), "an answer was lost");
    assert!(asked.elapsed() < Duration::from_secs(60), "woken after {:?}", asked.elapsed());
    running.abort();
}
