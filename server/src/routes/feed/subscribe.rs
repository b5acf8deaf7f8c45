//! The feed as it comes.

use std::collections::VecDeque;

use axum::response::Response;
use headwater::store::{FeedRecord, PartitionId};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::CloudEvent;
use super::wanted::Filter;
use crate::feed::{Follower, Next, Start, limits};
use crate::openapi::Form;
use crate::routes::frames::{CHECKPOINT, Control, Frames, HEARTBEAT};
use crate::{Problem, Services, Stopping};

struct Subscription {
    follower: Follower,
    filter: Filter,
    frames: Frames,
    stopping: Stopping,
    /// Records of one partition that are not written yet.
    pending: VecDeque<(PartitionId, FeedRecord)>,
    /// Where the client goes on.
    cursor: String,
    /// Whether the client knows the cursor, and when it was last told one.
    told: bool,
    told_at: Instant,
    over: bool,
}

pub(super) async fn subscribe(
    services: &Services,
    filter: Filter,
    start: &Start,
    form: Form,
) -> Result<Response, Problem> {
    let follower = services.hub.subscribe(start).await?;
    let frames = Frames::new(form);
    let subscription = Subscription {
        cursor: follower.cursor(),
        follower,
        filter,
        frames,
        stopping: services.stopping.clone(),
        pending: VecDeque::new(),
        told: false,
        told_at: Instant::now(),
        over: false,
    };
    Ok(frames.answer(subscription, Subscription::step))
}

impl Subscription {
    /// The next piece.
    async fn step(mut self) -> Option<(String, Self)> {
        if self.over {
            return None;
        }
        loop {
            if let Some((partition, record)) = self.pending.pop_front() {
                match self.record(&partition, &record) {
                    Ok(text) if text.is_empty() => continue,
                    Ok(text) => return Some((text, self)),
                    Err(problem) => return Some(self.end(Control::Problem, &problem.body())),
                }
            }
            let stopping = self.stopping.clone();
            let next = tokio::select! {
                biased;
                () = stopping.stopped() => return Some(self.end(Control::Bye, &json!({}))),
                next = self.follower.next(limits::BATCH, HEARTBEAT) => next,
            };
            match next {
                Ok(Next::Records(partition, records)) => {
                    self.pending.extend(records.into_iter().map(|record| (partition.clone(), record)));
                }
                Ok(Next::CaughtUp) => return Some(self.tell(Control::CaughtUp)),
                Ok(Next::Lagged) => return Some(self.end(Control::Lagged, &json!({}))),
                Ok(Next::Idle) if !self.told => return Some(self.tell(Control::Checkpoint)),
                Ok(Next::Idle) => return Some((self.frames.heartbeat(), self)),
                Err(problem) => return Some(self.end(Control::Problem, &problem.body())),
            }
        }
    }

    /// The events of a record that pass the filter. Only the last of them takes the cursor past the record, so that
    /// whoever goes on from another one gets the rest of the commit.
    fn record(&mut self, partition: &PartitionId, record: &FeedRecord) -> Result<String, Problem> {
        let behind = self.follower.cursor_at(partition, record);
        let mut events = Vec::new();
        if self.filter.of_commit(&record.commit) {
            events = record.commit.recorded().filter(|event| self.filter.of_type(&event.data.name)).collect();
        }
        let mut text = String::new();
        let count = events.len();
        for (index, event) in events.into_iter().enumerate() {
            let id = if index + 1 == count { &behind } else { &self.cursor };
            text.push_str(&self.frames.event(id, &CloudEvent::new(event)?)?);
        }
        self.cursor = behind;
        if count > 0 {
            (self.told, self.told_at) = (true, Instant::now());
        } else {
            self.told = false;
            if self.told_at.elapsed() >= CHECKPOINT {
                (self.told, self.told_at) = (true, Instant::now());
                text = self.frames.control(Control::Checkpoint, &self.cursor, &json!({}));
            }
        }
        Ok(text)
    }

    fn tell(mut self, control: Control) -> (String, Self) {
        self.cursor = self.follower.cursor();
        (self.told, self.told_at) = (true, Instant::now());
        (self.frames.control(control, &self.cursor, &json!({})), self)
    }

    fn end(mut self, control: Control, data: &Value) -> (String, Self) {
        self.over = true;
        (self.frames.control(control, &self.cursor, data), self)
    }
}
