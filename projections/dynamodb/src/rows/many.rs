//! Adding many new items in one request: a batch of PartiQL INSERTs, each of which is refused if its key is taken.
//!
//! It is the one request of DynamoDB that writes many items, each under a condition and for the price of one.
//! BatchWriteItem knows no condition, and a transaction costs twice as much. An answer that was lost is not looked for:
//! whoever fills a generation compares what it finds there.

use std::slice::from_ref;

use aws_sdk_dynamodb::types::{
    BatchStatementError, BatchStatementErrorCodeEnum as Code, BatchStatementRequest,
};
use futures::future::Either;
use futures::stream::{self, StreamExt};
use headwater::Version;
use headwater_projections::rows::{Generation, RowError, Written};
use headwater_projections::{Expect, RowWrite, Transaction, VersionWrite};

use super::error::write_error;
use super::layout::{Item, KEY, PARTITION, VERSION, number, stream_key, text_in};
use super::shape::Shape;
use super::store::DynamoRows;
use super::{limits, row};

/// One INSERT of a batch.
struct Insert<'a> {
    /// The place of its transaction among all.
    place: usize,
    transaction: &'a Transaction,
    key: (String, String),
    statement: BatchStatementRequest,
    bytes: usize,
}

/// What became of a transaction, by its place.
type Answer = (usize, Result<Written, RowError>);

impl DynamoRows {
    /// Adds what is expected to be absent. 1 request for 25 items, 1 write unit for each KB of an item.
    pub(super) async fn add_many(
        &self,
        generation: &Generation,
        all: &[Transaction],
    ) -> Vec<Result<Written, RowError>> {
        let shape = self.shape(generation).await;
        let (mut batches, mut others) = (Vec::new(), Vec::new());
        for (place, transaction) in all.iter().enumerate() {
            // Without a shape each says itself why it cannot be written.
            match shape.as_ref().ok().and_then(|shape| insert(place, transaction, shape)) {
                Some(insert) => push(&mut batches, insert),
                None => others.push((place, transaction)),
            }
        }
        let batches = batches.into_iter().map(|batch| Either::Left(self.insert_batch(generation, batch)));
        let others = others.into_iter().map(|(place, transaction)| {
            Either::Right(async move { vec![(place, self.write_together(generation, transaction).await)] })
        });
        let writing: Vec<_> = batches.chain(others).collect();
        let mut answers: Vec<Answer> =
            stream::iter(writing).buffer_unordered(limits::INSERTS_IN_FLIGHT).concat().await;
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Writes a batch. A version whose item is there already is written by itself: the item may be the record of a parked
    /// stream, and only the condition on its own attribute tells whether there is a version.
    async fn insert_batch(&self, generation: &Generation, batch: Vec<Insert<'_>>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        for (insert, answer) in batch.iter().zip(self.send_batch(generation, &batch).await) {
            let answer = match answer {
                Ok(Written::Lost) if insert.transaction.rows.is_empty() => {
                    self.write_together(generation, insert.transaction).await
                }
                answer => answer,
            };
            answers.push((insert.place, answer));
        }
        answers
    }

    /// Sends a batch; an answer for each of it.
    async fn send_batch(
        &self,
        generation: &Generation,
        batch: &[Insert<'_>],
    ) -> Vec<Result<Written, RowError>> {
        let table = self.config.table(generation);
        let attempted = || format!("add {} rows and versions", batch.len());
        let statements = batch.iter().map(|insert| insert.statement.clone()).collect();
        let request = self
            .client
            .batch_execute_statement()
            .set_statements(Some(statements))
            .set_return_consumed_capacity(self.capacity.clone());
        let responses = match request.send().await {
            Ok(answer) => answer.responses.unwrap_or_default(),
            Err(error) => {
                // What the request met is what each of it met; the source of an error is not to be had twice.
                let error = write_error(error, attempted(), &table, false);
                let said = error.to_string();
                let again = |_| match &error {
                    RowError::Overloaded { .. } => RowError::Overloaded { reason: said.clone() },
                    RowError::Unavailable { .. } => {
                        RowError::Unavailable { attempted: attempted(), source: said.clone().into() }
                    }
                    _ => RowError::Unfit { reason: said.clone() },
                };
                let rest: Vec<_> = batch.iter().skip(1).map(again).collect();
                return std::iter::once(error).chain(rest).map(Err).collect();
            }
        };
        let mut responses = responses.into_iter();
        let answer = |insert: &Insert<'_>| match responses.next() {
            None => {
                let source = "the answer has no word about it".into();
                Err(RowError::Unavailable { attempted: attempted(), source })
            }
            Some(response) => match response.error {
                None => Ok(Written::Done),
                Some(error) => meaning(&error, &insert.key.1),
            },
        };
        batch.iter().map(answer).collect()
    }
}

/// What the failure of a statement means.
fn meaning(error: &BatchStatementError, key: &str) -> Result<Written, RowError> {
    let message = error.message().unwrap_or("no message");
    let code = error.code().map_or("no code", Code::as_str);
    let attempted = format!("add {key:?}");
    match error.code() {
        Some(Code::DuplicateItem | Code::ConditionalCheckFailed) => Ok(Written::Lost),
        Some(
            Code::ProvisionedThroughputExceeded
            | Code::RequestLimitExceeded
            | Code::ThrottlingError
            | Code::TransactionConflict,
        ) => {
            Err(RowError::Overloaded { reason: format!("DynamoDB did not {attempted} ({code}: {message})") })
        }
        Some(Code::ValidationError | Code::ItemCollectionSizeLimitExceeded) => {
            Err(RowError::Unfit { reason: format!("DynamoDB will not {attempted}: {message}") })
        }
        _ => Err(RowError::Unavailable { attempted, source: format!("{code}: {message}").into() }),
    }
}

/// The INSERT of a transaction; nothing if it is more than one new item, or has names that are better not written into
/// a statement.
fn insert<'a>(place: usize, transaction: &'a Transaction, shape: &Shape) -> Option<Insert<'a>> {
    transaction.check().ok()?;
    let (item, bytes) = match (transaction.rows.as_slice(), transaction.versions.as_slice()) {
        ([row @ RowWrite { expect: Expect::Absent, .. }], []) => {
            let (mut items, bytes) = row::encode_all(from_ref(row), shape).ok()?;
            (items.pop()?, bytes)
        }
        ([], [VersionWrite { stream, version, expect: Version::EMPTY }]) => {
            let mut item = stream_key(stream);
            item.insert(VERSION.to_owned(), number(version.0));
            (item, 0)
        }
        _ => return None,
    };
    let key = (text_in(&item, PARTITION)?.to_owned(), text_in(&item, KEY)?.to_owned());
    let statement = statement(&shape.table, item)?;
    Some(Insert { place, transaction, key, statement, bytes })
}

/// `INSERT INTO "table" VALUE {'name':?,…}`.
fn statement(table: &str, item: Item) -> Option<BatchStatementRequest> {
    let (mut text, mut values) =
        (format!("INSERT INTO \"{table}\" VALUE {{"), Vec::with_capacity(item.len()));
    for (name, value) in item {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"#_-. ".contains(&byte)) {
            return None;
        }
        let comma = if values.is_empty() { "" } else { "," };
        text.push_str(&format!("{comma}'{name}':?"));
        values.push(value);
    }
    text.push('}');
    if text.len() > limits::STATEMENT_BYTES {
        return None;
    }
    BatchStatementRequest::builder().statement(text).set_parameters(Some(values)).build().ok()
}

/// Puts it into the last batch if it fits there, or else begins another.
fn push<'a>(batches: &mut Vec<Vec<Insert<'a>>>, insert: Insert<'a>) {
    let fits = batches.last().is_some_and(|batch| {
        let bytes: usize = batch.iter().map(|insert| insert.bytes).sum();
        // DynamoDB refuses a batch in which a key is twice.
        batch.len() < limits::BATCH_STATEMENTS
            && bytes + insert.bytes <= limits::BATCH_BYTES
            && batch.iter().all(|other| other.key != insert.key)
    });
    match batches.last_mut().filter(|_| fits) {
        Some(batch) => batch.push(insert),
        None => batches.push(vec![insert]),
    }
}
