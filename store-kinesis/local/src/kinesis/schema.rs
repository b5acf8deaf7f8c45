//! The tables.

use std::path::Path;

use rusqlite::Connection;

/// `next` is the number that the stream gives next: one row of numbers for all of its shards, so that children begin
/// above their parents. Hash keys are decimal text of 39 digits, which sorts like the numbers. `latest_creation`
/// remembers when a stream was created last, also one that is deleted, so that no two have the same creation time.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    mode TEXT NOT NULL,
    created INTEGER NOT NULL,
    retention_hours INTEGER NOT NULL,
    changing TEXT NOT NULL,
    changing_until INTEGER NOT NULL,
    next INTEGER NOT NULL,
    next_shard INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS shards (
    stream INTEGER NOT NULL,
    number INTEGER NOT NULL,
    parent INTEGER,
    adjacent INTEGER,
    first_hash TEXT NOT NULL,
    last_hash TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER,
    created INTEGER NOT NULL,
    closed INTEGER,
    PRIMARY KEY (stream, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    stream INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    partition_key TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (stream, shard, sequence)
);
CREATE TABLE IF NOT EXISTS latest_creation (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tags (
    stream INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consumers (
    stream INTEGER NOT NULL,
    name TEXT NOT NULL,
    arn TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (stream, name)
) WITHOUT ROWID;
";

/// Opens the file, or a database in memory, and makes the tables when absent.
pub(crate) fn open(file: Option<&Path>) -> rusqlite::Result<Connection> {
    let connection = match file {
        Some(file) => Connection::open(file)?,
        None => Connection::open_in_memory()?,
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(TABLES)?;
    Ok(connection)
}
