//! Writing what was folded: each row once, many at a time, under the condition that nobody has written it yet.

use std::time::Duration;

use futures::StreamExt;
use tokio::time::Instant;

use super::limits::{BATCH_ROWS, BATCHES_IN_FLIGHT, WRITE_TRIES};
use super::pace::Pace;
use super::progress::Progress;
use crate::rows::{Generation, RowError, Wanted, Written};
use crate::{Expect, Parked, RowStore, RowWrite, Transaction, VersionWrite};

/// What writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing<'a> {
    pub(super) rows: &'a dyn RowStore,
    pub(super) generation: &'a Generation,
    pub(super) pace: &'a Pace,
    pub(super) progress: &'a Progress,
}

impl Writing<'_> {
    /// Adds rows and versions that are expected to be absent; answers with the places of those that were there.
    pub(super) async fn add(&self, all: &[Transaction]) -> Result<Vec<usize>, RowError> {
        let batches = all.chunks(BATCH_ROWS).enumerate();
        // Made one by one, and run a few at a time: the compiler does not follow a stream of borrowing closures.
        let adding: Vec<_> = batches.map(|(number, batch)| self.add_batch(number, batch)).collect();
        let mut adding = futures::stream::iter(adding).buffer_unordered(BATCHES_IN_FLIGHT);
        let mut there = Vec::new();
        while let Some(found) = adding.next().await {
            there.extend(found?);
        }
        Ok(there)
    }

    /// Adds a batch; what is refused of it is tried again, and only that.
    async fn add_batch(&self, number: usize, batch: &[Transaction]) -> Result<Vec<usize>, RowError> {
        let mut left: Vec<(usize, Transaction)> = batch.iter().cloned().enumerate().collect();
        let (mut there, mut tries) = (Vec::new(), 0);
        while !left.is_empty() {
            let begun = Instant::now();
            let (places, some): (Vec<usize>, Vec<Transaction>) = left.drain(..).unzip();
            self.pace.take(some.iter().map(units).sum()).await;
            let answers = self.rows.add(self.generation, &some).await;
            let (mut rows, mut written_units, mut refused) = (0, 0, None);
            for ((place, transaction), answer) in places.into_iter().zip(some).zip(answers) {
                match answer {
                    Ok(written) => {
                        rows += transaction.rows.len() as u64;
                        written_units += units(&transaction);
                        if written == Written::Lost {
                            there.push(number * BATCH_ROWS + place);
                        }
                    }
                    Err(error) if error.retry_helps() => {
                        refused = Some(error);
                        left.push((place, transaction));
                    }
                    Err(error) => return Err(error),
                }
            }
            self.progress.wrote(rows, written_units);
            match refused {
                None => self.pace.accepted(),
                // Tries count only while nothing gets through.
                Some(error) => {
                    tries = if rows + written_units > 0 { 0 } else { tries + 1 };
                    if tries > WRITE_TRIES {
                        return Err(error);
                    }
                    self.again(&error, tries).await;
                }
            }
            self.pace.rest(begun.elapsed(), || false).await;
        }
        Ok(there)
    }

    /// Brings rows that are fed by one stream, and were there, up to the version that was folded. What is further stays.
    pub(super) async fn raise(&self, rows: Vec<RowWrite>) -> Result<(), RowError> {
        for batch in rows.chunks(100) {
            let keys = || batch.iter().map(|row| row.key.clone());
            let mut wanted = Wanted { rows: keys().collect(), ..Wanted::default() };
            while !wanted.is_empty() {
                let loaded = self.patiently(0, || self.rows.load(self.generation, &wanted)).await?;
                wanted = Wanted::default();
                for row in batch {
                    let Some(there) = loaded.rows.iter().find(|there| there.key == row.key) else { continue };
                    if there.revision >= row.revision {
                        continue;
                    }
                    let row = RowWrite { expect: Expect::Revision(there.revision), ..row.clone() };
                    let key = row.key.clone();
                    let transaction = Transaction { rows: vec![row], versions: Vec::new() };
                    let units = units(&transaction);
                    let writing = || self.rows.write(self.generation, &transaction);
                    if self.patiently(units, writing).await? == Written::Lost {
                        wanted.rows.insert(key);
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps the records of streams that cannot be applied.
    pub(super) async fn park(&self, parked: &[Parked]) -> Result<(), RowError> {
        for record in parked {
            let (stream, version, cause) = (&record.stream, record.first_failing, &record.cause);
            self.progress.note(format!("stream {stream} is parked in front of version {version}: {cause}"));
            self.patiently(1, || self.rows.park(self.generation, record)).await?;
        }
        Ok(())
    }

    /// Tries until it goes well, within a bound; what is refused slows everything down.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, RowError>>>(
        &self,
        units: u64,
        mut work: impl FnMut() -> F,
    ) -> Result<T, RowError> {
        let mut tries = 0;
        loop {
            self.pace.take(units).await;
            let begun = Instant::now();
            match work().await {
                Ok(done) => {
                    self.pace.accepted();
                    self.pace.rest(begun.elapsed(), || false).await;
                    return Ok(done);
                }
                Err(error) if error.retry_helps() && tries < WRITE_TRIES => {
                    tries += 1;
                    self.again(&error, tries).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Slows everything down, and waits before the next try.
    async fn again(&self, error: &RowError, tries: u32) {
        self.pace.refused();
        self.progress.refused();
        tracing::debug!(error = %error, "the row store refuses, trying again");
        tokio::time::sleep(Duration::from_millis(20 << tries.min(8))).await;
    }
}

/// A row or a version that is expected to be absent.
pub(super) fn row(row: RowWrite) -> Transaction {
    Transaction { rows: vec![row], versions: Vec::new() }
}

/// The same for a version.
pub(super) fn version(version: VersionWrite) -> Transaction {
    Transaction { rows: Vec::new(), versions: vec![version] }
}

/// Write units: one for each KB begun, of key and fields. An estimate, names of attributes are not known here.
fn units(transaction: &Transaction) -> u64 {
    let row = |row: &RowWrite| (row.key.len() + row.fields.as_ref().map_or(0, bytes::Bytes::len)) as u64;
    let rows = transaction.rows.iter().map(|one| row(one).div_ceil(1_024).max(1)).sum::<u64>();
    rows + transaction.versions.len() as u64
}

/// A row that cannot be written, though every event that made it could be.
pub(super) fn unfit(key: &str) -> RowError {
    RowError::Invalid { reason: format!("row {key:?} cannot be written as JSON, or is too large") }
}
