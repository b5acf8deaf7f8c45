//! Limits of what is written and asked for, the same for every row store.

use std::collections::BTreeSet;

use super::{RowError, Wanted};
use crate::{
    AuditEntry, MAX_AUDIT_BYTES, MAX_ROW_BYTES, MAX_ROW_KEY_BYTES, MAX_TRANSACTION_BYTES,
    MAX_TRANSACTION_ITEMS, Transaction,
};

impl Transaction {
    /// Refuses a transaction that no row store takes.
    ///
    /// # Errors
    /// [`RowError::Unfit`] naming the limit; [`RowError::Invalid`] when an item is written twice or a key is none.
    pub fn check(&self) -> Result<(), RowError> {
        let unfit = |reason: String| Err(RowError::Unfit { reason });
        let items = self.rows.len() + self.versions.len();
        if items > MAX_TRANSACTION_ITEMS {
            return unfit(format!(
                "a transaction has {items} items, {MAX_TRANSACTION_ITEMS} is the limit: split it"
            ));
        }
        let mut bytes = 0;
        for row in &self.rows {
            check_key(&row.key)?;
            let size = row.fields.as_ref().map_or(0, bytes::Bytes::len);
            if size > MAX_ROW_BYTES {
                let key = &row.key;
                return unfit(format!(
                    "row {key:?} has {size} bytes, {MAX_ROW_BYTES} is the limit: keep less in one row"
                ));
            }
            bytes += size;
        }
        if bytes > MAX_TRANSACTION_BYTES {
            return unfit(format!(
                "the rows of a transaction have {bytes} bytes, {MAX_TRANSACTION_BYTES} is the limit: split it"
            ));
        }
        let keys: BTreeSet<_> = self.rows.iter().map(|row| &row.key).collect();
        let streams: BTreeSet<_> = self.versions.iter().map(|version| &version.stream).collect();
        if keys.len() + streams.len() < items {
            return refused("a transaction writes a row or a version twice: write each once".to_owned());
        }
        Ok(())
    }
}

impl AuditEntry {
    /// Refuses an entry that is too large.
    ///
    /// # Errors
    /// [`RowError::Invalid`] naming the limit.
    pub fn check(&self) -> Result<(), RowError> {
        let bytes = self.who.len() + self.reason.len();
        if bytes > MAX_AUDIT_BYTES {
            return refused(format!(
                "who ordered it and the reason have {bytes} bytes, {MAX_AUDIT_BYTES} is the limit: give a shorter reason"
            ));
        }
        Ok(())
    }
}

/// Refuses keys of rows that no row has.
///
/// # Errors
/// [`RowError::Invalid`] naming the limit.
pub fn check_keys(wanted: &Wanted) -> Result<(), RowError> {
    wanted.rows.iter().try_for_each(|key| check_key(key))
}

fn check_key(key: &str) -> Result<(), RowError> {
    let bytes = key.len();
    if (1..=MAX_ROW_KEY_BYTES).contains(&bytes) {
        return Ok(());
    }
    refused(format!("the key of a row has 1 to {MAX_ROW_KEY_BYTES} bytes, {bytes} were given"))
}

fn refused(reason: String) -> Result<(), RowError> {
    Err(RowError::Invalid { reason })
}
