//! Making and checking the table of a ledger. What differs from the wanted is a value; a plan is the list of them.

use std::fmt;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription,
    TableStatus,
};
use headwater::store::StoreError;

use super::error::{Fault, fault};
use super::item::{FIRST, STREAM};
use super::limits;

/// How a table is not as the ledger needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// It does not exist. `apply` makes it.
    Missing {
        /// The table.
        table: String,
    },
    /// It is being made, changed or deleted. `apply` waits until it is usable.
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
    /// Its key is another one: it is not a ledger. Nothing changes that.
    Key {
        /// The table.
        table: String,
        /// The key it has.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { table } => write!(f, "table {table} does not exist"),
            Self::NotActive { table, status } => write!(f, "table {table} is {status}, not ACTIVE"),
            Self::Billing { table } => write!(f, "table {table} is not paid by request"),
            Self::Key { table, found } => {
                write!(f, "table {table} has the key ({found}), not ({}): use another prefix", wanted_key())
            }
        }
    }
}

/// What differs between a table and a ledger's. Nothing means that it can be used.
///
/// # Errors
/// [`StoreError::Unavailable`] or [`StoreError::Overloaded`].
pub async fn check(client: &Client, table: &str) -> Result<Vec<Difference>, StoreError> {
    Ok(match describe(client, table).await? {
        Some(description) => differences(table, &description),
        None => vec![Difference::Missing { table: table.to_owned() }],
    })
}

/// Makes a table that is missing, changes what can be changed, and waits until it is usable. Gives what it changed.
///
/// # Errors
/// [`StoreError::Unavailable`] for a table that has another key, or is not usable within the named limits.
pub async fn apply(client: &Client, table: &str) -> Result<Vec<Difference>, StoreError> {
    let differences = check(client, table).await?;
    for difference in &differences {
        match difference {
            Difference::Missing { .. } => create(client, table).await?,
            Difference::Billing { .. } => {
                let request =
                    client.update_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
                let changed = request.send().await;
                changed.map_err(|error| fault(error, format!("change table {table}"), table))?;
            }
            Difference::NotActive { .. } => {}
            Difference::Key { .. } => return Err(unusable(table, difference.to_string()).into()),
        }
    }
    wait(client, table).await?;
    Ok(differences)
}

async fn create(client: &Client, table: &str) -> Result<(), Fault> {
    let attribute = |name: &str, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
        attribute.expect("name and type are given")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        key.expect("name and type are given")
    };
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(STREAM, ScalarAttributeType::S))
        .attribute_definitions(attribute(FIRST, ScalarAttributeType::N))
        .key_schema(key(STREAM, KeyType::Hash))
        .key_schema(key(FIRST, KeyType::Range));
    match request.send().await {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
        {
            // Another process makes it at the same time; whether it is as wanted shows while waiting for it.
            Ok(())
        }
        Err(error) => Err(fault(error, format!("make table {table}"), table)),
    }
}

async fn wait(client: &Client, table: &str) -> Result<(), Fault> {
    let mut last = String::new();
    for look in 0..limits::TABLE_LOOKS {
        if look > 0 {
            futures_timer::Delay::new(limits::TABLE_PAUSE).await;
        }
        let left = match describe(client, table).await? {
            Some(description) => differences(table, &description),
            None => vec![Difference::Missing { table: table.to_owned() }],
        };
        match left.first() {
            None => return Ok(()),
            Some(key @ Difference::Key { .. }) => return Err(unusable(table, key.to_string())),
            Some(difference) => last = difference.to_string(),
        }
    }
    Err(unusable(table, format!("{last}, and that did not change in time")))
}

async fn describe(client: &Client, table: &str) -> Result<Option<TableDescription>, Fault> {
    match client.describe_table().table_name(table).send().await {
        Ok(answer) => Ok(answer.table),
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), DescribeTableError::ResourceNotFoundException(_)) =>
        {
            Ok(None)
        }
        Err(error) => Err(fault(error, format!("look at table {table}"), table)),
    }
}

fn differences(table: &str, description: &TableDescription) -> Vec<Difference> {
    let mut differences = Vec::new();
    let found = key_of(description);
    if found != wanted_key() {
        differences.push(Difference::Key { table: table.to_owned(), found });
    }
    let billing = description.billing_mode_summary().and_then(|summary| summary.billing_mode());
    if billing != Some(&BillingMode::PayPerRequest) {
        differences.push(Difference::Billing { table: table.to_owned() });
    }
    match description.table_status() {
        Some(TableStatus::Active) => {}
        status => {
            let status = status.map_or("of unknown status", TableStatus::as_str).to_owned();
            differences.push(Difference::NotActive { table: table.to_owned(), status });
        }
    }
    differences
}

fn wanted_key() -> String {
    format!("{STREAM} HASH S, {FIRST} RANGE N")
}

fn key_of(description: &TableDescription) -> String {
    let kind = |name: &str| {
        let attributes = description.attribute_definitions();
        let attribute = attributes.iter().find(|attribute| attribute.attribute_name() == name);
        attribute.map_or("?", |attribute| attribute.attribute_type().as_str()).to_owned()
    };
    let part = |key: &KeySchemaElement| {
        format!("{} {} {}", key.attribute_name(), key.key_type().as_str(), kind(key.attribute_name()))
    };
    description.key_schema().iter().map(part).collect::<Vec<_>>().join(", ")
}

fn unusable(table: &str, reason: String) -> Fault {
    Fault::Unavailable { attempted: format!("use table {table} as a ledger"), source: reason.into() }
}
