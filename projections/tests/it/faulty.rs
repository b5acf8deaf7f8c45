//! Rows in memory with a fault in front of them.

use std::fmt::Debug;

use async_trait::async_trait;
use headwater::{StreamName, Version};
use headwater_projections::rows::{
    AuditPage, Generation, List, LoadedRows, Query, RowError, RowPage, Wanted, Written,
};
use headwater_projections::{AuditEntry, MemoryRows, Parked, RowStore, Transaction};

/// What goes wrong when tables are made, and rows loaded and written; all else goes well.
#[async_trait]
pub(crate) trait Fault: Debug + Send + Sync {
    async fn prepare(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        indexes: &[&str],
    ) -> Result<(), RowError> {
        rows.prepare(generation, indexes).await
    }
    async fn load(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        wanted: &Wanted,
    ) -> Result<LoadedRows, RowError> {
        rows.load(generation, wanted).await
    }
    async fn write(
        &self,
        rows: &MemoryRows,
        generation: &Generation,
        transaction: &Transaction,
    ) -> Result<Written, RowError>;
}

#[derive(Debug, Default)]
pub(crate) struct Faulty<F> {
    pub(crate) rows: MemoryRows,
    pub(crate) fault: F,
}

#[async_trait]
impl<F: Fault> RowStore for Faulty<F> {
    async fn load(&self, generation: &Generation, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        self.fault.load(&self.rows, generation, wanted).await
    }
    async fn write(&self, generation: &Generation, transaction: &Transaction) -> Result<Written, RowError> {
        self.fault.write(&self.rows, generation, transaction).await
    }
    async fn prepare(&self, generation: &Generation, indexes: &[&str]) -> Result<(), RowError> {
        self.fault.prepare(&self.rows, generation, indexes).await
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
