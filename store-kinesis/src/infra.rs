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

/// What becomes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// [`apply`] makes or changes it.
    Apply,
    /// AWS is at it; [`apply`] waits.
    Wait,
    /// Nothing changes it but somebody who deletes it.
    ByHand,
}

impl Difference {
    /// What kind of difference it is, in a word or two that never change.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(difference) => match difference {
                tables::Difference::Missing { .. } => "table-missing",
                tables::Difference::NotActive { .. } => "table-not-active",
                tables::Difference::Billing { .. } => "table-billing",
                tables::Difference::MissingIndex { .. } => "index-missing",
                tables::Difference::Key { .. } => "table-key",
                tables::Difference::IndexKey { .. } => "index-key",
                _ => "table-different",
            },
            Self::Stream(difference) => match difference {
                stream::Difference::Missing { .. } => "stream-missing",
                stream::Difference::NotActive { .. } => "stream-not-active",
                stream::Difference::Retention { .. } => "stream-retention",
            },
        }
    }

    /// What becomes of it.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self.kind() {
            "table-not-active" | "stream-not-active" => Remedy::Wait,
            "table-key" | "index-key" | "table-different" => Remedy::ByHand,
            _ => Remedy::Apply,
        }
    }
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
