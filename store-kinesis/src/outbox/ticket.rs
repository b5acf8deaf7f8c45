//! A ticket: one number, from before its commit is written to the answer of Kinesis.
//!
//! A ticket that is dropped says what happened by what is known: if nothing was sent its number ends, and if a write was
//! sent whose answer nobody saw, the commit is in doubt and is looked for. So a dropped future of `append` loses nothing.

use std::sync::Arc;

use headwater::Commit;

use super::doubts::{Doubt, Doubts};
use super::lanes::{Lanes, Number};
use crate::publisher::{Job, Publisher, Room};

/// The number of one commit, and room for it in the publisher.
#[derive(Debug)]
pub(crate) struct Ticket {
    open: Option<Open>,
    sent: Option<Arc<Commit>>,
    doubts: Arc<Doubts>,
}

/// A number that is not finished.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) lanes: Arc<Lanes>,
    pub(super) number: Number,
    pub(super) room: Room,
    pub(super) publisher: Publisher,
}

impl Ticket {
    pub(super) fn new(open: Open, doubts: Arc<Doubts>) -> Self {
        Self { open: Some(open), sent: None, doubts }
    }

    /// The number, which is written with the commit.
    pub(crate) fn number(&self) -> &Number {
        &self.open.as_ref().expect("only the methods that consume the ticket take it").number
    }

    /// Says that the write of a commit is about to be sent. Only the last one counts: what was sent before was answered.
    pub(crate) fn sending(&mut self, commit: &Arc<Commit>) {
        self.sent = Some(Arc::clone(commit));
    }

    /// The commit is in the ledger: hands it to the publisher.
    pub(crate) fn stored(mut self, commit: Arc<Commit>) {
        if let Some(open) = self.open.take() {
            open.publish(commit);
        }
    }

    /// It is certain that nothing was written.
    pub(crate) fn not_written(mut self) {
        if let Some(open) = self.open.take() {
            open.finish();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        match (self.open.take(), self.sent.take()) {
            (Some(open), Some(commit)) => self.doubts.add(Doubt::new(open, commit)),
            (Some(open), None) => open.finish(),
            (None, _) => {}
        }
    }
}

impl Open {
    /// Gives the commit to the publisher; the number ends when it is published.
    pub(super) fn publish(self, commit: Arc<Commit>) {
        let Self { lanes, number, room, publisher } = self;
        let done = Box::new(move || lanes.finish(&number));
        publisher.publish(room, Job { commit, redelivered: false, done });
    }

    /// There is no commit of this number.
    pub(super) fn finish(self) {
        self.lanes.finish(&self.number);
    }
}
