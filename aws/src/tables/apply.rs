//! Making a table as it should be.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::update_table::UpdateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::{Difference, Index, Table, limits};
use crate::{Failure, failure};

impl Table {
    /// Makes a table or an index that is missing, changes what can be changed, and waits until all of it is usable.
    /// Gives what it changed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] for a table or index that has another key, or is not usable within
    /// [`limits::LOOKS`] looks.
    ///
    /// # Cancel safety
    /// What was begun goes on in DynamoDB; call it again.
    pub async fn apply(&self, client: &Client) -> Result<Vec<Difference>, Failure> {
        let mut changed = Vec::new();
        let mut last = String::new();
        for look in 0..limits::LOOKS {
            if look > 0 {
                futures_timer::Delay::new(limits::PAUSE).await;
            }
            let left = self.check(client).await?;
            let lasting = |d: &&Difference| matches!(d, Difference::Key { .. } | Difference::IndexKey { .. });
            if let Some(difference) = left.iter().find(lasting) {
                return Err(self.unusable(difference.to_string()));
            }
            let waiting = |d: &Difference| matches!(d, Difference::NotActive { .. });
            // DynamoDB makes one change at a time; the next one waits until the table is active again.
            match left.iter().find(|d| !waiting(d)).filter(|_| !left.iter().any(waiting)) {
                Some(difference) => {
                    if !changed.contains(difference) {
                        changed.push(difference.clone());
                    }
                    self.change(client, difference).await?;
                }
                None if left.is_empty() => return Ok(changed),
                None => {}
            }
            last = left.first().map(ToString::to_string).unwrap_or_default();
        }
        Err(self.unusable(format!("{last}, and that did not change in time")))
    }

    async fn change(&self, client: &Client, difference: &Difference) -> Result<(), Failure> {
        match difference {
            Difference::Missing { .. } => self.create(client).await,
            Difference::Billing { .. } => {
                let request = client.update_table().table_name(&self.name);
                let request = request.billing_mode(BillingMode::PayPerRequest);
                self.updated(request.send().await.err())
            }
            Difference::MissingIndex { index, .. } => {
                let index = self.indexes.iter().find(|wanted| wanted.name == *index);
                self.add_index(client, index.expect("only wanted indexes can be missing")).await
            }
            Difference::NotActive { .. } | Difference::Key { .. } | Difference::IndexKey { .. } => Ok(()),
        }
    }

    async fn create(&self, client: &Client) -> Result<(), Failure> {
        let indexes: Vec<_> = self.indexes.iter().map(Index::definition).collect();
        let request = client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(self.attributes()))
            .set_key_schema(Some(self.key.schema()))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
            {
                // Another process makes it at the same time; whether it is as wanted shows at the next look.
                Ok(())
            }
            Err(error) => Err(failure(error, format!("make table {}", self.name), &self.resource())),
        }
    }

    async fn add_index(&self, client: &Client, index: &Index) -> Result<(), Failure> {
        let create = CreateGlobalSecondaryIndexAction::builder()
            .index_name(&index.name)
            .set_key_schema(Some(index.key.schema()))
            .projection(index.projection())
            .build()
            .expect("name, key and projection are given");
        let request = client
            .update_table()
            .table_name(&self.name)
            .set_attribute_definitions(Some(self.attributes()))
            .global_secondary_index_updates(GlobalSecondaryIndexUpdate::builder().create(create).build());
        self.updated(request.send().await.err())
    }

    /// Another process may make the same change at the same time: then there is nothing to do but wait.
    fn updated(&self, error: Option<SdkError<UpdateTableError, HttpResponse>>) -> Result<(), Failure> {
        match error {
            None => Ok(()),
            Some(SdkError::ServiceError(error))
                if matches!(error.err(), UpdateTableError::ResourceInUseException(_)) =>
            {
                Ok(())
            }
            Some(error) => Err(failure(error, format!("change table {}", self.name), &self.resource())),
        }
    }

    /// Every attribute that is part of a key, once.
    fn attributes(&self) -> Vec<AttributeDefinition> {
        let keys = std::iter::once(&self.key).chain(self.indexes.iter().map(|index| &index.key));
        let attributes: BTreeMap<String, AttributeDefinition> = keys
            .flat_map(|keys| keys.attributes())
            .map(|attribute| (attribute.attribute_name().to_owned(), attribute))
            .collect();
        attributes.into_values().collect()
    }

    fn unusable(&self, reason: String) -> Failure {
        let attempted = format!("use table {} as {}", self.name, self.purpose);
        Failure::Unavailable { attempted, source: reason.into() }
    }
}

impl Index {
    fn definition(&self) -> GlobalSecondaryIndex {
        let index = GlobalSecondaryIndex::builder()
            .index_name(&self.name)
            .set_key_schema(Some(self.key.schema()))
            .projection(self.projection());
        index.build().expect("name, key and projection are given")
    }
}
