//! Batched loads: BatchGetItem, strongly consistent, until nothing is left.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::stream::{self, StreamExt, TryStreamExt};
use headwater_projections::rows::{LoadedRows, RowError, Wanted, check_keys};

use super::error::read_error;
use super::layout::{Item, PARTITION, row_key, stream_key, text_in};
use super::store::DynamoRows;
use super::write::pause;
use super::{limits, row, stream as streams};

impl DynamoRows {
    pub(super) async fn load_wanted(&self, table: &str, wanted: &Wanted) -> Result<LoadedRows, RowError> {
        check_keys(wanted)?;
        let rows = wanted.rows.iter().map(|key| row_key(key));
        let keys: Vec<Item> = rows.chain(wanted.streams.iter().map(stream_key)).collect();
        let mut loaded = LoadedRows::default();
        for item in self.items(table, keys).await? {
            if text_in(&item, PARTITION).is_some_and(|partition| partition.starts_with('r')) {
                loaded.rows.push(row::decode(&item)?);
                continue;
            }
            if let Some(version) = streams::version(&item)? {
                loaded.versions.push((streams::name(&item)?, version));
            }
            loaded.parked.extend(streams::parked(&item)?);
        }
        Ok(loaded)
    }

    /// The items of these keys that exist, in any order.
    pub(super) async fn items(&self, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, RowError> {
        let batches: Vec<Vec<Item>> = keys.chunks(limits::BATCH_KEYS).map(<[Item]>::to_vec).collect();
        let batches = stream::iter(batches).map(|batch| self.batch(table, batch));
        batches.buffer_unordered(limits::BATCHES_IN_FLIGHT).try_concat().await
    }

    async fn batch(&self, table: &str, mut left: Vec<Item>) -> Result<Vec<Item>, RowError> {
        let (mut items, mut tries) = (Vec::with_capacity(left.len()), 0);
        while !left.is_empty() {
            let before = left.len();
            let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let wanted = HashMap::from([(table.to_owned(), wanted.expect("keys are given"))]);
            let request = self.client.batch_get_item().set_request_items(Some(wanted));
            let answer = request.set_return_consumed_capacity(self.capacity.clone()).send().await;
            let answer = answer.map_err(|error| read_error(error, "load rows".to_owned(), table))?;
            items.extend(answer.responses.unwrap_or_default().remove(table).unwrap_or_default());
            let unread = answer.unprocessed_keys.unwrap_or_default().remove(table);
            left = unread.map(|unread| unread.keys).unwrap_or_default();
            // An answer holds 16 MB. Keys left over for that are no sign of trouble, an answer to none of them is.
            tries = if left.len() < before { 0 } else { tries + 1 };
            if tries == limits::BATCH_TRIES {
                let reason = format!("DynamoDB left keys of table {table} unread, {tries} times in a row");
                return Err(RowError::Overloaded { reason });
            }
            if tries > 0 {
                pause(tries).await;
            }
        }
        Ok(items)
    }
}
