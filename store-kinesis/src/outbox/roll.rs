//! The roll of writers, for whoever looks after a service: which there are, and which were taken for dead.

use headwater::store::StoreError;

use super::Book;
use crate::{Clients, Config};

/// A process that writes commits, as its record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// Its name.
    pub id: String,
    /// It moves about every second while the writer lives.
    pub counter: u64,
    /// Passes in which others published what it left; 0 while it lives, or while nobody has noticed.
    pub passes: u32,
}

/// Every writer that has a record. One that stopped in good order has none, and neither has one that was idle for long.
///
/// # Errors
/// [`StoreError::Unavailable`] or [`StoreError::Overloaded`] when DynamoDB cannot be asked.
pub async fn writers(clients: &Clients, config: &Config) -> Result<Vec<Writer>, StoreError> {
    let book = Book::new(config.bookkeeping.dynamodb(&clients.dynamodb), &config.prefix);
    let records = book.writers().await?;
    let writer = |record: super::book::Record| Writer {
        id: record.writer,
        counter: record.counter,
        passes: record.passes,
    };
    Ok(records.into_iter().map(writer).collect())
}
