//! Making and checking tables. What differs from the wanted is a value; a plan is the list of them.

use std::fmt;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
};

mod apply;
mod check;

/// Limits of waiting for a table.
pub mod limits {
    use std::time::Duration;

    /// Looks at a table that is not usable yet before it is given up, ten minutes in all. Filling the index of a large
    /// table may take longer; `apply` then says so, and is called again.
    pub const LOOKS: u32 = 2_400;
    /// The time between two of those looks.
    pub const PAUSE: Duration = Duration::from_millis(250);
}

/// A table as it should be: paid by request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it is for, with an article: "a ledger".
    pub purpose: &'static str,
    key: Keys,
    indexes: Vec<Index>,
}

/// A global secondary index as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    key: Keys,
    projection: ProjectionType,
}

/// An attribute that is part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    name: String,
    kind: ScalarAttributeType,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Keys {
    partition: Key,
    sort: Option<Key>,
}

/// How a table is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// It does not exist. `apply` makes it.
    Missing {
        /// The table.
        table: String,
    },
    /// It, or an index of it, is being made, changed or deleted. `apply` waits until it is usable.
    NotActive {
        /// The table.
        table: String,
        /// What it is instead.
        status: String,
    },
    /// It is not paid by request. `apply` changes that.
    Billing {
        /// The table.
        table: String,
    },
    /// An index does not exist. `apply` makes it; DynamoDB fills it from the table.
    MissingIndex {
        /// The table.
        table: String,
        /// The index.
        index: String,
    },
    /// Its key is another one: it is a table of something else. Nothing changes that.
    Key {
        /// The table.
        table: String,
        /// The key it has.
        found: String,
        /// The key it should have.
        wanted: String,
    },
    /// The key of an index, or what it holds, is another one. Nothing changes that but deleting it by hand.
    IndexKey {
        /// The table.
        table: String,
        /// The index.
        index: String,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
}

impl Table {
    /// A table with this partition key.
    #[must_use]
    pub fn new(name: impl Into<String>, purpose: &'static str, partition: Key) -> Self {
        Self { name: name.into(), purpose, key: Keys { partition, sort: None }, indexes: Vec::new() }
    }

    /// The same with a sort key.
    #[must_use]
    pub fn sort(mut self, key: Key) -> Self {
        self.key.sort = Some(key);
        self
    }

    /// The same with an index.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }
}

impl Index {
    /// An index that holds keys only.
    #[must_use]
    pub fn keys_only(name: impl Into<String>, partition: Key) -> Self {
        let key = Keys { partition, sort: None };
        Self { name: name.into(), key, projection: ProjectionType::KeysOnly }
    }

    /// An index that holds every attribute.
    #[must_use]
    pub fn all(name: impl Into<String>, partition: Key) -> Self {
        Self { projection: ProjectionType::All, ..Self::keys_only(name, partition) }
    }

    /// The same with a sort key.
    #[must_use]
    pub fn sort(mut self, key: Key) -> Self {
        self.key.sort = Some(key);
        self
    }

    fn wanted(&self) -> String {
        format!("{}, {}", self.key, self.projection.as_str())
    }

    fn projection(&self) -> Projection {
        Projection::builder().projection_type(self.projection.clone()).build()
    }
}

impl Key {
    /// A key of text.
    #[must_use]
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ScalarAttributeType::S }
    }

    /// A key that is a number.
    #[must_use]
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ScalarAttributeType::N }
    }

    /// A key of bytes.
    #[must_use]
    pub fn binary(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ScalarAttributeType::B }
    }
}

impl Keys {
    fn attributes(&self) -> impl Iterator<Item = AttributeDefinition> {
        [Some(&self.partition), self.sort.as_ref()].into_iter().flatten().map(|key| {
            let attribute =
                AttributeDefinition::builder().attribute_name(&key.name).attribute_type(key.kind.clone());
            attribute.build().expect("name and type are given")
        })
    }

    fn schema(&self) -> Vec<KeySchemaElement> {
        let element = |key: &Key, kind| {
            let element = KeySchemaElement::builder().attribute_name(&key.name).key_type(kind).build();
            element.expect("name and type are given")
        };
        let sort = self.sort.as_ref().map(|sort| element(sort, KeyType::Range));
        std::iter::once(element(&self.partition, KeyType::Hash)).chain(sort).collect()
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} HASH {}", self.partition.name, self.partition.kind)?;
        match &self.sort {
            Some(sort) => write!(f, ", {} RANGE {}", sort.name, sort.kind),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { table } => write!(f, "table {table} does not exist"),
            Self::NotActive { table, status } => write!(f, "table {table} is {status}, not ACTIVE"),
            Self::Billing { table } => write!(f, "table {table} is not paid by request"),
            Self::MissingIndex { table, index } => write!(f, "table {table} has no index {index}"),
            Self::Key { table, found, wanted } => {
                write!(f, "table {table} has the key ({found}), not ({wanted}): use another prefix")
            }
            Self::IndexKey { table, index, found, wanted } => {
                write!(
                    f,
                    "index {index} of table {table} is ({found}), not ({wanted}): delete the index to have it made anew"
                )
            }
        }
    }
}
