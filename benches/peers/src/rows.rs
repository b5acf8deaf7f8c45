//! The read model of all of them: a hash map of rows.

use std::collections::HashMap;

use headwater_workload::Row;

use crate::Event;

/// Rows by account.
pub(crate) type Rows = HashMap<String, Row>;

/// Takes an event in. Only a new account costs a text of its own.
pub(crate) fn see(rows: &mut Rows, account: &str, version: u64, event: &Event) {
    let row = match rows.get_mut(account) {
        Some(row) => row,
        None => rows.entry(account.to_owned()).or_default(),
    };
    row.balance += event.change();
    row.events += 1;
    row.version = version;
}
