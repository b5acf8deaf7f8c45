//! Comparing a table with how it should be.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, TableDescription,
    TableStatus,
};

use super::{Difference, Index, Table};
use crate::{Failure, failure};

impl Table {
    /// What differs between the table there is and this one. Nothing means that it can be used.
    ///
    /// # Errors
    /// [`Failure`] when DynamoDB cannot be asked.
    pub async fn check(&self, client: &Client) -> Result<Vec<Difference>, Failure> {
        Ok(match self.describe(client).await? {
            Some(description) => self.differences(&description),
            None => vec![Difference::Missing { table: self.name.clone() }],
        })
    }

    pub(super) fn resource(&self) -> String {
        format!("table {}", self.name)
    }

    async fn describe(&self, client: &Client) -> Result<Option<TableDescription>, Failure> {
        match client.describe_table().table_name(&self.name).send().await {
            Ok(answer) => Ok(answer.table),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), DescribeTableError::ResourceNotFoundException(_)) =>
            {
                Ok(None)
            }
            Err(error) => Err(failure(error, format!("look at table {}", self.name), &self.resource())),
        }
    }

    fn differences(&self, description: &TableDescription) -> Vec<Difference> {
        let table = || self.name.clone();
        let mut differences = Vec::new();
        let (found, wanted) = (key_of(description, description.key_schema()), self.key.to_string());
        if found != wanted {
            differences.push(Difference::Key { table: table(), found, wanted });
        }
        for index in &self.indexes {
            differences.extend(self.index_difference(description, index));
        }
        let billing = description.billing_mode_summary().and_then(|summary| summary.billing_mode());
        if billing != Some(&BillingMode::PayPerRequest) {
            differences.push(Difference::Billing { table: table() });
        }
        match description.table_status() {
            // It serves while it is changed; an index that is not there yet has a status of its own.
            Some(TableStatus::Active | TableStatus::Updating) => {}
            status => {
                let status = status.map_or("of unknown status", TableStatus::as_str).to_owned();
                differences.push(Difference::NotActive { table: table(), status });
            }
        }
        differences
    }

    fn index_difference(&self, description: &TableDescription, index: &Index) -> Option<Difference> {
        let (table, name) = (self.name.clone(), index.name.clone());
        let found =
            description.global_secondary_indexes().iter().find(|i| i.index_name() == Some(&index.name));
        let Some(found) = found else { return Some(Difference::MissingIndex { table, index: name }) };
        let (is, wanted) = (shape(description, found), index.wanted());
        if is != wanted {
            return Some(Difference::IndexKey { table, index: name, found: is, wanted });
        }
        match found.index_status() {
            Some(IndexStatus::Active) => None,
            status => {
                let status = status.map_or("of unknown status", IndexStatus::as_str);
                Some(Difference::NotActive {
                    table,
                    status: format!("there, but its index {name} is {status}"),
                })
            }
        }
    }
}

fn shape(description: &TableDescription, index: &GlobalSecondaryIndexDescription) -> String {
    let projection = index.projection().and_then(|projection| projection.projection_type());
    let projection = projection.map_or("?", |projection| projection.as_str());
    format!("{}, {projection}", key_of(description, index.key_schema()))
}

fn key_of(description: &TableDescription, schema: &[KeySchemaElement]) -> String {
    let kind = |name: &str| {
        let attributes = description.attribute_definitions();
        let attribute = attributes.iter().find(|attribute| attribute.attribute_name() == name);
        attribute.map_or("?", |attribute| attribute.attribute_type().as_str()).to_owned()
    };
    let part = |key: &KeySchemaElement| {
        format!("{} {} {}", key.attribute_name(), key.key_type().as_str(), kind(key.attribute_name()))
    };
    schema.iter().map(part).collect::<Vec<_>>().join(", ")
}
