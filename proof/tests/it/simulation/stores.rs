//! The stores as a worker sees them: every operation goes the way, and the laws are checked where it arrives.

use std::time::Duration;

use async_trait::async_trait;
use headwater::store::{
    Append, Appended, Capabilities, FeedBatch, Page, Partition, PartitionId, Position, Read, Scan, ScanPage,
    StoreError, Transaction as StoreTransaction,
};
use headwater::{EventFeed, EventStore, StreamName, Version};
use headwater_projections::group::{Item, ItemKey, Items, LeaseError, Saved};
use headwater_projections::rows::{
    AuditPage, Generation, List, LoadedRows, Query, RowError, RowPage, Wanted, Written,
};
use headwater_projections::{AuditEntry, LeaseStore, Parked, RowStore, Transaction};

use headwater_proof::simulation::lock;

use super::check;
use super::shared::now;
use super::way::Way;

fn unavailable() -> StoreError {
    StoreError::Unavailable { attempted: "answer".to_owned(), source: "simulated".into() }
}

fn rows_failed() -> RowError {
    RowError::Unavailable { attempted: "answer".to_owned(), source: "simulated".into() }
}

fn leases_failed() -> LeaseError {
    LeaseError::Unavailable { attempted: "answer".to_owned(), source: "simulated".into() }
}

fn said<T, E: std::fmt::Display>(result: &Result<T, E>, words: impl Fn(&T) -> String) -> String {
    match result {
        Ok(answer) => words(answer),
        Err(error) => error.to_string(),
    }
}

#[async_trait]
impl EventStore for Way {
    fn capabilities(&self) -> Capabilities {
        self.shared.ledger.capabilities()
    }
    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.shared.ledger.append(append).await
    }
    async fn append_all(&self, transaction: StoreTransaction) -> Result<Vec<Appended>, StoreError> {
        self.shared.ledger.append_all(transaction).await
    }
    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        let (what, stream) = (format!("read {stream} after {}", read.after), stream.clone());
        self.call(
            what,
            move |shared| now(shared.ledger.read(&stream, read)),
            |page| said(page, |page| format!("{} commits", page.commits.len())),
            unavailable,
        )
        .await
    }
    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.call(
            format!("scan {}/{}", scan.segment, scan.segments),
            move |shared| now(shared.ledger.scan(scan)),
            |page| said(page, |page| format!("{} commits", page.commits.len())),
            unavailable,
        )
        .await
    }
}

#[async_trait]
impl EventFeed for Way {
    async fn partitions(&self) -> Result<Vec<Partition>, StoreError> {
        self.call(
            "partitions".to_owned(),
            |shared| Ok(lock(&shared.feed).partitions()),
            |found| said(found, |found: &Vec<Partition>| found.len().to_string()),
            unavailable,
        )
        .await
    }
    async fn read_after(
        &self,
        partition: &PartitionId,
        position: Option<&Position>,
        limit: usize,
    ) -> Result<FeedBatch, StoreError> {
        let (id, after) = (partition.clone(), position.cloned());
        // Small pages, so that much lies between two reads.
        let limit = limit.min(7);
        self.call(
            format!("read {partition} after {position:?}"),
            move |shared| lock(&shared.feed).read(&id, after.as_ref(), limit),
            |batch| said(batch, |batch: &FeedBatch| format!("{} records", batch.records.len())),
            unavailable,
        )
        .await
    }
    async fn wait(&self, _: &PartitionId, _: Option<&Position>, timeout: Duration) {
        tokio::time::sleep(timeout.min(Duration::from_millis(200))).await;
    }
}

#[async_trait]
impl LeaseStore for Way {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        let group = group.to_owned();
        self.call(
            "list leases".to_owned(),
            move |shared| now(shared.leases.list(&group)),
            |items| said(items, |items: &Items| format!("{} leases", items.leases.len())),
            leases_failed,
        )
        .await
    }
    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        let (what, group, item) =
            (format!("save {} over {counter:?}", item.key()), group.to_owned(), item.clone());
        self.call(
            what,
            move |shared| {
                let before = now(shared.leases.list(&group))?;
                let saved = now(shared.leases.save(&group, &item, counter))?;
                if let (Saved::Done, Item::Lease(lease)) = (&saved, &item) {
                    check::lease(shared, before.leases.get(&lease.partition), lease);
                }
                Ok(saved)
            },
            |saved| said(saved, |saved| if *saved == Saved::Done { "done" } else { "lost" }.to_owned()),
            leases_failed,
        )
        .await
    }
    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        let (what, group, key) = (format!("delete {key}"), group.to_owned(), key.clone());
        self.call(
            what,
            move |shared| now(shared.leases.delete(&group, &key, counter)),
            |saved| said(saved, |saved| if *saved == Saved::Done { "done" } else { "lost" }.to_owned()),
            leases_failed,
        )
        .await
    }
}

#[async_trait]
impl RowStore for Way {
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        self.shared.rows.prepare(generation, indexes).await
    }
    async fn drop_generation(&self, generation: &Generation) -> Result<(), RowError> {
        self.shared.rows.drop_generation(generation).await
    }
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        let (what, generation, wanted) =
            (format!("load of {generation}"), generation.clone(), wanted.clone());
        self.call(
            what,
            move |shared| now(shared.rows.load(&generation, &wanted)),
            |loaded| said(loaded, |loaded: &LoadedRows| format!("{} rows", loaded.rows.len())),
            rows_failed,
        )
        .await
    }
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        let keys: Vec<_> =
            transaction.rows.iter().map(|row| format!("{}@{}", row.key, row.revision.0)).collect();
        let (what, generation) = (format!("write {generation} {}", keys.join(" ")), generation.clone());
        let transaction = transaction.clone();
        self.call(
            what,
            move |shared| {
                let written = now(shared.rows.write(&generation, &transaction))?;
                if written == Written::Done {
                    check::rows(shared, &generation, &transaction);
                }
                Ok(written)
            },
            |written| said(written, |written| format!("{written:?}")),
            rows_failed,
        )
        .await
    }
    async fn list(&self, generation: &Generation, list: &List) -> Result<RowPage, RowError> {
        self.shared.rows.list(generation, list).await
    }
    async fn query(&self, generation: &Generation, query: &Query) -> Result<RowPage, RowError> {
        self.shared.rows.query(generation, query).await
    }
    async fn park(&self, generation: &Generation, parked: &Parked) -> Result<(), RowError> {
        let what = format!("park {} at {} to {}", parked.stream, parked.first_failing, parked.highest);
        let (generation, parked) = (generation.clone(), parked.clone());
        self.call(
            what,
            move |shared| now(shared.rows.park(&generation, &parked)),
            |parked| said(parked, |()| "done".to_owned()),
            rows_failed,
        )
        .await
    }
    async fn unpark(
        &self,
        generation: &Generation,
        stream: &StreamName,
        first_failing: Version,
    ) -> Result<Written, RowError> {
        let (what, generation, stream) = (format!("unpark {stream}"), generation.clone(), stream.clone());
        self.call(
            what,
            move |shared| now(shared.rows.unpark(&generation, &stream, first_failing)),
            |written| said(written, |written| format!("{written:?}")),
            rows_failed,
        )
        .await
    }
    async fn parked(
        &self,
        generation: &Generation,
        after: Option<&StreamName>,
        limit: usize,
    ) -> Result<Vec<Parked>, RowError> {
        let (generation, after) = (generation.clone(), after.cloned());
        self.call(
            "parked".to_owned(),
            move |shared| now(shared.rows.parked(&generation, after.as_ref(), limit)),
            |parked| said(parked, |parked: &Vec<Parked>| parked.len().to_string()),
            rows_failed,
        )
        .await
    }
    async fn audit(&self, generation: &Generation, entry: &AuditEntry) -> Result<(), RowError> {
        self.shared.rows.audit(generation, entry).await
    }
    async fn audits(&self, generation: &Generation, list: &List) -> Result<AuditPage, RowError> {
        self.shared.rows.audits(generation, list).await
    }
}
