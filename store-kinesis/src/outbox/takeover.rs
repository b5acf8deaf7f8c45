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
use crate::ledger::{Item, NUMBER, Table, WRITER, place_of};
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
            let complete = self.pass(&record).await?;
            // What this program cannot read, a newer one may: the record stays until one has passed.
            if record.passes >= limits::PASSES && complete {
                self.book.remove(&record.writer, record.counter).await?;
                self.published.retain(|number| !number.lane.starts_with(&record.writer));
            }
        }
        Ok(())
    }

    /// Publishes everything behind the marks that this process has not published before. Says whether all of it could be
    /// read.
    async fn pass(&mut self, record: &Record) -> Result<bool, Failure> {
        let mut complete = true;
        for (lane, mark) in record.marks.iter().enumerate() {
            let lane = lane_name(&record.writer, lane);
            let mut start = None;
            loop {
                let (places, next) = self.behind(&lane, *mark, start).await?;
                complete &= self.publish(places).await?;
                start = next;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(complete)
    }

    /// Publishes the commits of one page.
    async fn publish(&mut self, places: Vec<Place>) -> Result<bool, Failure> {
        let places: Vec<_> =
            places.into_iter().filter(|place| !self.published.contains(&place.number)).collect();
        let wanted = places.len();
        let reads = futures::stream::iter(places).map(|place| read(&self.table, place));
        let mut reads = reads.buffered(limits::READS_AT_ONCE);
        let (mut given, mut answers) = (Vec::new(), Vec::new());
        while let Some(read) = reads.next().await {
            let Some((number, commit)) = read? else { continue };
            let bytes = record::encode(&commit, true).len() + commit.stream.as_str().len();
            let room = self.publisher.wait_for_room(bytes).await;
            let (tell, told) = tokio::sync::oneshot::channel();
            let done = Box::new(move || {
                // Nobody listens any more when the page took too long; the next pass comes to it again.
                let _ = tell.send(());
            });
            self.publisher.publish(room, Job { commit: Arc::new(commit), redelivered: true, done });
            given.push(number);
            answers.push(told);
        }
        drop(reads);
        let published = futures::future::join_all(answers);
        if tokio::time::timeout(limits::PAGE_WITHIN, published).await.is_err() {
            let attempted = "publish what a dead writer left".to_owned();
            let source = "Kinesis does not take all of it for now".into();
            return Err(Failure::Unavailable { attempted, source });
        }
        let complete = given.len() == wanted;
        if self.published.len() + given.len() > limits::REMEMBERED {
            self.published.clear();
        }
        self.published.extend(given);
        Ok(complete)
    }

    /// A page of the commits of a lane behind a mark, as far as the index knows.
    async fn behind(
        &self,
        lane: &str,
        mark: u64,
        start: Option<Item>,
    ) -> Result<(Vec<Place>, Option<Item>), Failure> {
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
        let mut places = Vec::new();
        for entry in answer.items.unwrap_or_default() {
            match place_of(entry) {
                Some((stream, first, value)) => {
                    places.push(Place { stream, first, number: Number { lane: lane.to_owned(), value } });
                }
                None => tracing::error!(lane, "an entry of the index names no commit"),
            }
        }
        Ok((places, answer.last_evaluated_key.filter(|key| !key.is_empty())))
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
