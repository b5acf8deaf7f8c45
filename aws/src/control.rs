//! The control table `{prefix}-control`: who is at work, and how far. Writers of the outbox keep their marks in it, and
//! groups of projections their leases; each group of items is one partition of it.

use crate::tables::{Key, Table};

/// Its partition key: the group an item belongs to.
pub const GROUP: &str = "g";
/// Its sort key: the item within the group.
pub const KEY: &str = "k";

/// The table.
#[must_use]
pub fn table(prefix: &str) -> Table {
    Table::new(format!("{prefix}-control"), "a control table", Key::text(GROUP)).sort(Key::text(KEY))
}
