//! The events of one stream as they come, read from the ledger: in order, without a gap. The feed only says when to look.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use headwater::store::Read;
use headwater::{Commit, StreamName, Version};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::CloudEvent;
use super::events::Wanted;
use crate::feed::{Follower, Next, Start, limits};
use crate::headers::single;
use crate::openapi::Form;
use crate::routes::LAST_EVENT_ID;
use crate::routes::frames::{Control, Frames, HEARTBEAT};
use crate::{Problem, Services};

/// Commits read at once.
const PAGE_COMMITS: usize = 100;

struct Following {
    services: Services,
    stream: StreamName,
    wanted: Wanted,
    frames: Frames,
    /// The version that was written last.
    version: Version,
    /// Commits that are not written yet.
    pending: VecDeque<Arc<Commit>>,
    /// Says when there may be more.
    follower: Option<Follower>,
    caught_up: bool,
    over: bool,
}

pub(super) fn follow(
    services: Services,
    stream: StreamName,
    wanted: Wanted,
    headers: &HeaderMap,
    form: Form,
) -> Result<Response, Problem> {
    let frames = Frames::new(form);
    let last = single(headers, &LAST_EVENT_ID)?.map(|id| {
        id.parse()
            .map_err(|_| Problem::invalid(format!("Last-Event-ID {id:?} is not a version of the stream")))
    });
    let version = match last.transpose()? {
        Some(last) => last,
        None => wanted.from.unwrap_or(1).max(1) - 1,
    };
    let following = Following {
        services,
        stream,
        wanted,
        frames,
        version: Version(version),
        pending: VecDeque::new(),
        follower: None,
        caught_up: false,
        over: false,
    };
    Ok(frames.answer(following, Following::step))
}

impl Following {
    async fn step(mut self) -> Option<(String, Self)> {
        if self.over {
            return None;
        }
        let stopping = self.services.stopping.clone();
        let next = tokio::select! {
            biased;
            () = stopping.stopped() => return Some(self.end(Control::Bye, &json!({}))),
            next = self.next() => next,
        };
        match next {
            Ok(text) => Some((text, self)),
            Err(problem) => Some(self.end(Control::Problem, &problem.body())),
        }
    }

    /// The next piece; dropped in between, it loses nothing.
    async fn next(&mut self) -> Result<String, Problem> {
        loop {
            while let Some(commit) = self.pending.front().cloned() {
                let text = self.commit(&commit)?;
                self.pending.pop_front();
                if !text.is_empty() {
                    return Ok(text);
                }
            }
            if self.follower.is_none() {
                // Before the ledger is read, so that what is appended in between is noticed.
                self.follower = Some(self.services.hub.subscribe(&Start::Now).await?);
            }
            let read = Read::after(self.version).limit(PAGE_COMMITS);
            let page = self.services.executor.store().read(&self.stream, read).await?;
            if !page.commits.is_empty() {
                self.pending.extend(page.commits);
                continue;
            }
            if !self.caught_up {
                self.caught_up = true;
                return Ok(self.frames.control(Control::CaughtUp, &self.version.to_string(), &json!({})));
            }
            if !self.grown().await? {
                return Ok(self.frames.heartbeat());
            }
        }
    }

    /// Waits until there may be more; `false` after a while.
    async fn grown(&mut self) -> Result<bool, Problem> {
        let deadline = Instant::now() + HEARTBEAT;
        loop {
            let Some(follower) = &mut self.follower else { return Ok(true) };
            let patience = deadline.saturating_duration_since(Instant::now());
            match follower.next(limits::BATCH, patience).await {
                Ok(Next::Records(_, records)) => {
                    let newer =
                        |commit: &Commit| commit.stream == self.stream && commit.last() > self.version;
                    if records.iter().any(|record| newer(&record.commit)) {
                        return Ok(true);
                    }
                }
                Ok(Next::CaughtUp) => {}
                // The feed is a hint: the ledger is looked at after each silence.
                Ok(Next::Idle) => return Ok(false),
                Ok(Next::Lagged) => {
                    self.follower = None;
                    return Ok(true);
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    fn commit(&mut self, commit: &Commit) -> Result<String, Problem> {
        let mut text = String::new();
        for event in commit.recorded().filter(|event| event.version() > self.version) {
            if self.wanted.wants(&event.data.name) {
                text.push_str(&self.frames.event(&event.version().to_string(), &CloudEvent::new(event)?)?);
            }
        }
        self.version = self.version.max(commit.last());
        Ok(text)
    }

    fn end(mut self, control: Control, data: &Value) -> (String, Self) {
        self.over = true;
        (self.frames.control(control, &self.version.to_string(), data), self)
    }
}
