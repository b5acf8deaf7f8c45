//! What a store needs in AWS: two tables and a stream. Making them is for `dev`, tests and the `infra` command; a server
//! only uses them.

use headwater::store::StoreError;
use headwater_aws::{control, tables};

use crate::feed::stream;
use crate::{Clients, Config, ledger};

/// How what there is differs from what a store needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A table.
    Table(tables::Difference),
    /// The stream of the feed.
    Stream(stream::Difference),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Table(difference) => difference.fmt(f),
            Self::Stream(difference) => difference.fmt(f),
        }
    }
}

/// What differs. Nothing means that a store can be used.
///
/// # Errors
/// [`StoreError::Unavailable`] or [`StoreError::Overloaded`] when AWS cannot be asked.
pub async fn check(clients: &Clients, config: &Config) -> Result<Vec<Difference>, StoreError> {
    let mut differences = Vec::new();
    for table in tables(config) {
        differences.extend(table.check(&clients.dynamodb).await?.into_iter().map(Difference::Table));
    }
    let stream = stream::check(&clients.kinesis, config).await?;
    differences.extend(stream.into_iter().map(Difference::Stream));
    Ok(differences)
}

/// Makes what is missing, changes what can be changed, and waits until all of it is usable. Gives what it changed.
///
/// # Errors
/// [`StoreError::Unavailable`] for something that cannot be changed into what is needed, or is not usable in time.
pub async fn apply(clients: &Clients, config: &Config) -> Result<Vec<Difference>, StoreError> {
    let mut changed = Vec::new();
    for table in tables(config) {
        changed.extend(table.apply(&clients.dynamodb).await?.into_iter().map(Difference::Table));
    }
    let stream = stream::apply(&clients.kinesis, config).await?;
    changed.extend(stream.into_iter().map(Difference::Stream));
    Ok(changed)
}

/// The tables of a store.
fn tables(config: &Config) -> [tables::Table; 2] {
    [ledger::table(&config.prefix), control::table(&config.prefix)]
}
