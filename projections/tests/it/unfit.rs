//! A row store with limits of its own: what it cannot hold together is written apart, and what it cannot hold at all parks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected};
use headwater_projections::rows::{Generation, RowError, Written};
use headwater_projections::{CauseKind, MemoryRows, Parked, Projection, RowStore, Runner, Transaction};
use headwater_store_memory::MemoryStore;

use crate::faulty::{Fault, Faulty};
use crate::harness::{generation, live};
use crate::model::{AccountEvent, Balance, Total, account, deposited};

/// Holds at most so many rows together, and no row with such a text in it.
#[derive(Debug)]
struct Narrow {
    together: usize,
    never: &'static str,
}

#[async_trait]
impl Fault for Narrow {
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError> {
        let texts = transaction.rows.iter().filter_map(|row| row.fields.as_deref());
        let never = texts.map(String::from_utf8_lossy).any(|text| text.contains(self.never));
        if never || transaction.rows.len() > self.together {
            return Err(RowError::Unfit { reason: "it has more bytes than an item".to_owned() });
        }
        rows.write(generation, transaction).await
    }
}

async fn parked<P: Projection>(rows: &Faulty<Narrow>) -> Vec<Parked> {
    rows.parked(&generation::<P>(), None, 100).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_a_row_store_cannot_hold_parks_its_stream_and_all_else_is_written() {
    // A deposit of 666 makes a balance, a day and a sum that the store refuses; the day and the sum go on without it.
    let rows = Arc::new(Faulty { rows: MemoryRows::new(), fault: Narrow { together: 2, never: "666" } });
    let store = Arc::new(MemoryStore::new());
    for id in 0..30 {
        let amount = if id == 7 { 666_000 } else { 1 };
        let day = format!("day {id}");
        let events =
            [deposited(1, &day), deposited(amount, &day), deposited(1, &day), AccountEvent::Noted {}];
        let data = events.iter().map(|event| event.encode().unwrap()).collect();
        store.append(Append::new(account(&id.to_string()), Expected::Any, data)).await.unwrap();
    }
    let runner = Runner::new(
        Arc::clone(&store) as Arc<dyn EventStore>,
        Arc::clone(&store) as Arc<dyn EventFeed>,
        Arc::clone(&rows) as Arc<dyn RowStore>,
    );
    let runner = runner.projection::<Balance>().unwrap().projection::<Total>().unwrap();
    let running = tokio::spawn(runner.run(std::future::pending()));
    let total = async || live::<Total>(&rows.rows).await.get("all").map(|row| (row.total, row.count));
    let begun = tokio::time::Instant::now();
    while total().await != Some((29 * 3 + 1, 29 * 3 + 1)) || live::<Balance>(&rows.rows).await.len() < 30 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", total().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for parked in [parked::<Balance>(&rows).await, parked::<Total>(&rows).await] {
        let [record] = &parked[..] else { panic!("one stream is parked: {parked:?}") };
        assert_eq!((&record.stream, record.first_failing.0, record.highest.0), (&account("7"), 2, 4));
        assert_eq!(record.cause.kind, CauseKind::TooLarge);
        assert!(record.cause.message.contains("more bytes than an item"), "{}", record.cause.message);
    }
    let balances = live::<Balance>(&rows.rows).await;
    let counts = balances.iter().map(|(id, row)| (id.as_str(), row.balance, row.events));
    for (id, balance, events) in counts {
        assert_eq!((balance, events), if id == "7" { (1, 1) } else { (3, 3) }, "account {id}");
    }
    running.abort();
}
