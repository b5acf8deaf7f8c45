//! Several streams together: one TransactWriteItems, and what the reasons mean when it is cancelled.
//!
//! A stream that is only checked takes one condition. That a stream is at version v means that a commit ends at v, which
//! is known or read beforehand and stays true, and that nothing is at v+1, which is the condition. That it does not exist
//! is the same for version 0. That it exists stays true, so it is known or read beforehand and takes no condition.
//!
//! Every condition is thus that nothing is at a place, and one that has failed fails for good: no try of a transaction that
//! arrives late is carried out after another was refused.

use std::sync::Arc;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use headwater::store::{Append, Appended, Check, Conflict, Transaction};
use headwater::{Commit, CommitId, Expected, Version};

use super::append::{NOTHING_THERE, checked, pause};
use headwater_aws::{Attempts, Failure};

use super::error::{Fault, write_fault};
use super::item;
use super::limits;
use super::place::{Place, exact};
use super::store::Ledger;
use crate::outbox::Ticket;

/// What came of a try.
enum Sent {
    Stored,
    /// In the order of the actions sent.
    Cancelled(Vec<CancellationReason>),
}

impl Ledger {
    /// Carries out a transaction that is within the limits.
    pub(crate) async fn append_together(
        &self,
        transaction: &Transaction,
        tickets: &mut [Ticket],
    ) -> Result<Vec<Appended>, Fault> {
        let attempts = Attempts::default();
        let appended = self.try_together(transaction, tickets, &attempts).await;
        let first = transaction.appends.first().expect("a transaction that passed its check has a commit");
        appended.map_err(|fault| fault.unless_done(&attempts, &first.stream, first.id))
    }

    async fn try_together(
        &self,
        transaction: &Transaction,
        tickets: &mut [Ticket],
        attempts: &Attempts,
    ) -> Result<Vec<Appended>, Fault> {
        let mut reason = String::new();
        for again in 0..limits::TRANSACTION_TRIES {
            let mut places = Vec::with_capacity(transaction.appends.len());
            for append in &transaction.appends {
                places.push(self.place(append).await?);
            }
            let (checks, refused) = self.checks(&transaction.checks).await?;
            let firsts: Vec<Version> = places.iter().filter_map(Place::free).collect();
            if refused.is_some() || firsts.len() < places.len() {
                return self.judge(transaction, places, refused).await;
            }
            let commits = transaction.appends.iter().zip(&firsts);
            let commits: Vec<_> = commits.map(|(a, first)| Arc::new(a.clone().into_commit(*first))).collect();
            let reasons = match self.send(&commits, tickets, checks, attempts).await? {
                Sent::Stored => return Ok(self.stored(commits)),
                Sent::Cancelled(reasons) => reasons,
            };
            let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
            if !reasons.iter().any(failed) {
                reason = busy(&reasons)?;
            } else if self.lost(transaction, &commits, &reasons, failed)? {
                return self.judge(transaction, places, None).await;
            }
            pause(again).await;
        }
        let reason = if reason.is_empty() { "other writers were faster" } else { &reason };
        Err(Fault::busy(format!("a transaction was tried often enough: {reason}")))
    }

    /// What failed conditions mean. An error is a conflict, `true` that a retry of our own has to be told from one, and
    /// `false` that only heads that were read have moved on.
    fn lost(
        &self,
        transaction: &Transaction,
        commits: &[Arc<Commit>],
        reasons: &[CancellationReason],
        failed: impl Fn(&CancellationReason) -> bool,
    ) -> Result<bool, Fault> {
        let mut conflict = None;
        for (append, (commit, reason)) in transaction.appends.iter().zip(commits.iter().zip(reasons)) {
            if !failed(reason) {
                continue;
            }
            // A winner that the answer does not hold has to be read.
            let Some(item) = reason.item().filter(|item| !item.is_empty()) else { return Ok(true) };
            let winner = Arc::new(item::decode(&commit.stream, item.clone())?);
            self.heads.note(&winner.stream, winner.last());
            if winner.id == append.id {
                return Ok(true);
            }
            if exact(append.expected).is_some() && conflict.is_none() {
                let end = winner.last();
                conflict = Some(self.conflict(&append.stream, append.expected, end, Some(winner)));
            }
        }
        let checked = transaction.checks.iter().filter(|check| exact(check.expected).is_some());
        for (check, reason) in checked.zip(reasons.iter().skip(commits.len())) {
            if failed(reason) && conflict.is_none() {
                let item = reason.item().filter(|item| !item.is_empty()).cloned();
                let winner = item.map(|item| item::decode(&check.stream, item)).transpose()?.map(Arc::new);
                conflict = Some(self.conflict(&check.stream, check.expected, Version::EMPTY, winner));
            }
        }
        conflict.map_or(Ok(false), |conflict| Err(Fault::Conflict(conflict)))
    }

    /// Reads what is still unknown of a transaction that cannot be sent or was cancelled: it is a retry when every one
    /// of its commits is stored, otherwise the first stream that is not as expected is the conflict.
    async fn judge(
        &self,
        transaction: &Transaction,
        places: Vec<Place>,
        check: Option<Box<Conflict>>,
    ) -> Result<Vec<Appended>, Fault> {
        let (mut earlier, mut conflict) = (Vec::new(), None);
        for (append, place) in transaction.appends.iter().zip(places) {
            match self.known(append, place).await? {
                Place::Stored(commit) => earlier.push(commit),
                Place::Refused(refused) => conflict = conflict.or(Some(refused)),
                Place::At(_) => {}
            }
        }
        if earlier.len() == transaction.appends.len() {
            return Ok(earlier.into_iter().map(|commit| Appended { commit, own_retry: true }).collect());
        }
        // A transaction is stored whole. One that finds only some of its commits is another one with a used id.
        let used = earlier.into_iter().next().map(|commit| {
            let append = transaction.appends.iter().find(|append| append.id == commit.id);
            let expected = append.map_or(Expected::Any, |append| append.expected);
            self.conflict(&commit.stream.clone(), expected, commit.last(), Some(commit))
        });
        match conflict.or(used).or(check) {
            Some(conflict) => Err(Fault::Conflict(conflict)),
            None => Err(Fault::busy("a transaction met another that has gone again".to_owned())),
        }
    }

    /// A place after looking at what is there.
    async fn known(&self, append: &Append, place: Place) -> Result<Place, Fault> {
        let Place::At(first) = place else { return Ok(place) };
        let Some(winner) = self.table.commit_at(&append.stream, first).await? else { return Ok(place) };
        if winner.id == append.id {
            return Ok(Place::Stored(Arc::new(winner)));
        }
        if exact(append.expected).is_none() {
            return Ok(place);
        }
        let end = winner.last();
        Ok(Place::Refused(self.conflict(&append.stream, append.expected, end, Some(Arc::new(winner)))))
    }

    /// The conditions of streams that are only checked, and the first that is known not to hold.
    async fn checks(
        &self,
        checks: &[Check],
    ) -> Result<(Vec<TransactWriteItem>, Option<Box<Conflict>>), Fault> {
        let (mut conditions, mut refused) = (Vec::new(), None);
        for Check { stream, expected } in checks {
            let known = exact(*expected);
            let holds = match known {
                Some(known) => self.heads.is_end(stream, known),
                None => expected.allows(self.heads.highest(stream)),
            };
            if !holds {
                let head = self.head(stream).await?;
                if !expected.allows(head) {
                    refused = refused.or_else(|| Some(self.conflict(stream, *expected, head, None)));
                    continue;
                }
            }
            let Some(known) = known else { continue };
            let condition = ConditionCheck::builder()
                .table_name(&self.table.name)
                .set_key(Some(item::key(stream, known.next())))
                .condition_expression(NOTHING_THERE)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .expect("table, key and condition are given");
            conditions.push(TransactWriteItem::builder().condition_check(condition).build());
        }
        Ok((conditions, refused))
    }

    async fn send(
        &self,
        commits: &[Arc<Commit>],
        tickets: &mut [Ticket],
        checks: Vec<TransactWriteItem>,
        attempts: &Attempts,
    ) -> Result<Sent, Fault> {
        let table = &self.table;
        let mut actions = Vec::with_capacity(commits.len() + checks.len());
        for (commit, ticket) in commits.iter().zip(tickets.iter()) {
            let put = Put::builder()
                .table_name(&table.name)
                .set_item(Some(checked(commit, ticket.number())?))
                .condition_expression(NOTHING_THERE)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .expect("table and item are given");
            actions.push(TransactWriteItem::builder().put(put).build());
        }
        actions.extend(checks);
        commits.iter().zip(tickets).for_each(|(commit, ticket)| ticket.sending(commit));
        // The token covers the SDK's own tries of this request. Tries of ours are told by commit ids, which do not
        // expire after ten minutes.
        let request = table
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .client_request_token(CommitId::new().to_string())
            .set_return_consumed_capacity(table.capacity.clone());
        let error = match request.customize().interceptor(attempts.clone()).send().await {
            Ok(_) => return Ok(Sent::Stored),
            Err(error) => error,
        };
        let cancelled = match &error {
            SdkError::ServiceError(failed) => match failed.err() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    cancelled.cancellation_reasons.clone()
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(reasons) = cancelled {
            return Ok(Sent::Cancelled(reasons));
        }
        let first = commits.first().expect("a transaction that passed its check has a commit");
        Err(write_fault(error, &table.resource(), &first.stream, first.id, attempts.maybe_done()))
    }

    fn stored(&self, commits: Vec<Arc<Commit>>) -> Vec<Appended> {
        let stored = commits.into_iter().map(|commit| {
            self.heads.note(&commit.stream, commit.last());
            Appended { commit, own_retry: false }
        });
        stored.collect()
    }
}

impl Place {
    /// The version, if it may be written there.
    fn free(&self) -> Option<Version> {
        match self {
            Self::At(first) => Some(*first),
            Self::Stored(_) | Self::Refused(_) => None,
        }
    }
}

/// Why a transaction without a failed condition was cancelled, when trying again helps.
fn busy(reasons: &[CancellationReason]) -> Result<String, Fault> {
    let reason = reasons.iter().find(|reason| reason.code().is_some_and(|code| code != "None"));
    let code = reason.and_then(CancellationReason::code).unwrap_or("no reason given");
    let message = reason.and_then(CancellationReason::message).unwrap_or("no message");
    match code {
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => Ok(code.to_owned()),
        _ => Err(Fault::Undone(Failure::Unavailable {
            attempted: "carry out a transaction".to_owned(),
            source: format!("DynamoDB cancelled it ({code}: {message})").into(),
        })),
    }
}
