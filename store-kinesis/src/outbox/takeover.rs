//! Publishing what a dead writer left.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::StreamExt;
use headwater::{Commit, StreamName, Version};
use headwater_aws::{Failure, failure};
use tokio::time::Instant;

use super::INDEX;
use super::book::{Book, Record};
use super::lanes::{Number, lane_name};
use super::limits;
use super::watch::Watch;
use crate::ledger::{NUMBER, Table, WRITER};
use crate::publisher::{Job, Publisher};
use crate::record;

/// What looks after the writers of other processes.
#[derive(Debug)]
pub(super) struct Takeover {
    pub(super) book: Book,
    pub(super) table: Table,
    pub(super) publisher: Publisher,
    pub(super) watch: Watch,
    /// Published by this process; forgotten when there are too many of them, which costs repeats only.
    pub(super) published: HashSet<Number>,
}

/// A commit as the index has it.
struct Place {
    stream: StreamName,
    first: Version,
    number: Number,
}

impl Takeover {
    /// Looks at all records and makes the passes that are due.
    pub(super) async fn look(&mut self, own: Option<&str>) -> Result<(), Failure> {
        let records = self.book.writers().await?;
        for seen in self.watch.due(records, own, Instant::now()) {
            let Some(record) = self.book.claim(&seen).await? else { continue };
            if record.passes == 1 {
                tracing::warn!(writer = record.writer, "a writer has not moved: what it left is published");
            }
            self.pass(&record).await?;
            if record.passes >= limits::PASSES {
                self.book.remove(&record.writer, record.counter).await?;
                self.published.retain(|number| !number.lane.starts_with(&record.writer));
            }
        }
        Ok(())
    }

    /// Publishes everything behind the marks that this process has not published before.
    async fn pass(&mut self, record: &Record) -> Result<(), Failure> {
        let mut places = Vec::new();
        for (lane, mark) in record.marks.iter().enumerate() {
            let behind = self.behind(&lane_name(&record.writer, lane), *mark).await?;
            places.extend(behind.into_iter().filter(|place| !self.published.contains(&place.number)));
        }
        let reads = futures::stream::iter(places).map(|place| read(&self.table, place));
        let mut reads = reads.buffered(limits::READS_AT_ONCE);
        let mut given = Vec::new();
        while let Some(read) = reads.next().await {
            let Some((number, commit)) = read? else { continue };
            let bytes = record::encode(&commit, true).len() + commit.stream.as_str().len();
            let room = self.publisher.wait_for_room(bytes).await;
            let done = Box::new(|| {});
            self.publisher.publish(room, Job { commit: Arc::new(commit), redelivered: true, done });
            given.push(number);
        }
        drop(reads);
        self.publisher.flush().await;
        if !given.is_empty() {
            tracing::info!(
                writer = record.writer,
                commits = given.len(),
                "commits of a dead writer are published"
            );
        }
        if self.published.len() + given.len() > limits::REMEMBERED {
            self.published.clear();
        }
        self.published.extend(given);
        Ok(())
    }

    /// The commits of a lane behind a mark, as far as the index knows.
    async fn behind(&self, lane: &str, mark: u64) -> Result<Vec<Place>, Failure> {
        let mut places = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .table
                .client
                .query()
                .table_name(&self.table.name)
                .index_name(INDEX)
                .key_condition_expression(format!("{WRITER} = :lane AND {NUMBER} > :mark"))
                .expression_attribute_values(":lane", AttributeValue::S(lane.to_owned()))
                .expression_attribute_values(":mark", AttributeValue::N(mark.to_string()))
                .limit(limits::PAGE_COMMITS)
                .set_exclusive_start_key(start);
            let answer = request.send().await.map_err(|error| {
                let resource = format!("index {INDEX} of table {}", self.table.name);
                failure(error, format!("read what writer {lane} left"), &resource)
            })?;
            places.extend(
                answer.items.unwrap_or_default().into_iter().filter_map(crate::ledger::place_of).map(
                    |(stream, first, value)| Place {
                        stream,
                        first,
                        number: Number { lane: lane.to_owned(), value },
                    },
                ),
            );
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(places);
            }
        }
    }
}

/// Reads a commit. One that cannot be understood is not published: whoever reads its stream meets the same error.
async fn read(table: &Table, place: Place) -> Result<Option<(Number, Commit)>, Failure> {
    match table.commit_at(&place.stream, place.first).await {
        Ok(Some(commit)) => Ok(Some((place.number, commit))),
        Ok(None) => {
            tracing::error!(stream = %place.stream, first = place.first.0, "the index names a commit that is not there");
            Ok(None)
        }
        Err(crate::ledger::Fault::Undone(failure)) => Err(failure),
        Err(fault) => {
            tracing::error!(stream = %place.stream, first = place.first.0, ?fault, "a commit cannot be published");
            Ok(None)
        }
    }
}
