//! One commit to one stream: one conditional PutItem, and what it means when the condition fails.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use headwater::Commit;
use headwater::store::{Append, Appended, Invalid};

use headwater_aws::Attempts;

use super::error::{Fault, write_fault};
use super::item::{self, Item};
use super::limits;
use super::place::{Place, exact};
use super::store::Ledger;
use crate::outbox::{Number, Ticket};

/// The condition of every write: nothing is at this key.
pub(crate) const NOTHING_THERE: &str = "attribute_not_exists(s)";

/// What came of a write.
enum Put {
    Stored,
    Taken(Arc<Commit>),
}

impl Ledger {
    /// Appends a commit that is within the limits.
    pub(crate) async fn append_one(&self, append: Append, ticket: &mut Ticket) -> Result<Appended, Fault> {
        let mut first = match self.place(&append).await? {
            Place::At(first) => first,
            Place::Stored(commit) => return Ok(Appended { commit, own_retry: true }),
            Place::Refused(conflict) => return Err(Fault::Conflict(conflict)),
        };
        for _ in 0..limits::HEAD_TRIES {
            let commit = Arc::new(append.clone().into_commit(first));
            let winner = match self.put(&commit, ticket).await? {
                Put::Stored => {
                    self.heads.note(&commit.stream, commit.last());
                    return Ok(Appended { commit, own_retry: false });
                }
                Put::Taken(winner) => winner,
            };
            self.heads.note(&winner.stream, winner.last());
            if winner.id == append.id {
                return Ok(Appended { commit: winner, own_retry: true });
            }
            if exact(append.expected).is_some() {
                let end = winner.last();
                return Err(Fault::Conflict(self.conflict(
                    &append.stream,
                    append.expected,
                    end,
                    Some(winner),
                )));
            }
            first = match self.place_after(&append, winner.last()).await? {
                Place::Stored(commit) => return Ok(Appended { commit, own_retry: true }),
                Place::At(first) => first,
                Place::Refused(conflict) => return Err(Fault::Conflict(conflict)),
            };
        }
        let tries = limits::HEAD_TRIES;
        Err(Fault::busy(format!("{tries} times in a row another writer of {} was faster", append.stream)))
    }

    async fn put(&self, commit: &Arc<Commit>, ticket: &mut Ticket) -> Result<Put, Fault> {
        let (stream, table) = (&commit.stream, &self.table);
        let item = checked(commit, ticket.number())?;
        ticket.sending(commit);
        let attempts = Attempts::default();
        for again in 0..limits::TRANSACTION_TRIES {
            let request = table.client.put_item().table_name(&table.name).set_item(Some(item.clone()));
            let request = request
                .condition_expression(NOTHING_THERE)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .set_return_consumed_capacity(table.capacity.clone());
            let error = match request.customize().interceptor(attempts.clone()).send().await {
                Ok(_) => return Ok(Put::Stored),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(PutItemError::TransactionConflictException(_)) => pause(again).await,
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    let taken = self.taken(commit, error).await;
                    return taken.map_err(|fault| fault.unless_done(&attempts, stream, commit.id));
                }
                _ => {
                    return Err(write_fault(
                        error,
                        &table.resource(),
                        stream,
                        commit.id,
                        attempts.maybe_done(),
                    ));
                }
            }
        }
        let busy = Fault::busy(format!("transactions over {stream} are in the way"));
        Err(busy.unless_done(&attempts, stream, commit.id))
    }

    /// Who is at the place: the failed condition hands the item over.
    async fn taken(
        &self,
        commit: &Commit,
        error: SdkError<PutItemError, HttpResponse>,
    ) -> Result<Put, Fault> {
        let item = match error.into_service_error() {
            PutItemError::ConditionalCheckFailedException(failed) => {
                failed.item.filter(|item| !item.is_empty())
            }
            _ => None,
        };
        let winner = match item {
            Some(item) => Some(item::decode(&commit.stream, item)?),
            None => self.table.commit_at(&commit.stream, commit.first).await?,
        };
        let missing = || Fault::Corrupt {
            stream: commit.stream.clone(),
            version: commit.first,
            reason: "the condition of a write says that its place is taken, but nothing is there".to_owned(),
        };
        Ok(Put::Taken(Arc::new(winner.ok_or_else(missing)?)))
    }
}

/// The item of a commit, if DynamoDB takes one of its size.
pub(crate) fn checked(commit: &Commit, number: &Number) -> Result<Item, Fault> {
    let item = item::encode(commit, number);
    let bytes = item::size_bytes(&item);
    match bytes > limits::ITEM_BYTES {
        true => Err(Fault::Invalid(Invalid::CommitBytes { bytes, limit: limits::ITEM_BYTES })),
        false => Ok(item),
    }
}

/// Waits a little before a write is tried again, longer each time, never two writers alike.
pub(crate) async fn pause(again: u32) {
    let most = (25_u64 << again.min(5)).max(1);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
}
