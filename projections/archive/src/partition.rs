//! One partition becomes a chain of files.
//!
//! A file is named by its first commit and put only if there is no file of that name. Whoever reads on behind the same
//! file comes to the same next commit, and so to the same name: of an owner and one who only believes to be it, one puts
//! the file, and the other takes it as it is and goes on behind it. The checkpoint follows the files (L7), so a kill
//! loses nothing but work.

use std::sync::Arc;

use headwater::store::{FeedRecord, Position};
use headwater_projections::group::Checkpoint;
use headwater_projections::{Assignment, Backoff, Unread};
use tokio::time::{Instant, sleep_until};

use crate::ArchiveError;
use crate::limits::{IDLE_WAIT, READ_RECORDS};
use crate::objects::{Objects, Put};
use crate::open::{Open, Ready};
use crate::work::Writing;
use crate::{ArchiveFile, Broken};

/// What a reader of a partition has in hand.
pub(crate) struct PartitionWriter<'a> {
    writing: &'a Writing,
    /// The name of the checkpoint.
    name: Arc<str>,
    assignment: Assignment,
    /// The last position of the chain: the next file follows it.
    end: Option<Position>,
    /// Where reading goes on.
    at: Option<Position>,
    /// Whether records behind `end` may be lost.
    lost: bool,
    open: Option<Open>,
    backoff: Backoff,
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// It is there, and reading goes on as it was.
    On,
    /// Reading goes on from another position.
    Elsewhere,
    /// It is not there, and a stop was asked for.
    Stopped,
}

impl<'a> PartitionWriter<'a> {
    pub(crate) fn new(writing: &'a Writing, name: Arc<str>, assignment: Assignment) -> Self {
        Self {
            writing,
            name,
            assignment,
            end: None,
            at: None,
            lost: false,
            open: None,
            backoff: Backoff::default(),
        }
    }

    /// Archives the partition until it has ended: `true`; or until a stop is asked for. What is in the open file then is
    /// read again by the next owner.
    pub(crate) async fn run(mut self) -> bool {
        match self.assignment.checkpoint(&self.name) {
            Some(Checkpoint::End) => return true,
            Some(Checkpoint::At(position)) => self.end = Some(position.clone()),
            // New to this group, which need not mean new to the archive.
            None => {
                if !self.find_end().await {
                    return false;
                }
            }
        }
        self.at.clone_from(&self.end);
        while !self.assignment.stop().is_requested() {
            if self.open.as_ref().is_some_and(|open| open.is_due(&self.writing.rotation)) {
                let _stopped_or_read_on = self.close().await;
                continue;
            }
            let feed = self.writing.feed.as_ref();
            match self.assignment.read_after(feed, self.at.as_ref(), READ_RECORDS).await {
                Ok(batch) => {
                    self.backoff = Backoff::default();
                    let (count, idle) = (batch.records.len(), batch.records.is_empty());
                    let newest = batch.records.iter().map(|record| record.commit.recorded_at).max();
                    let turn = self.take(batch.records).await;
                    self.assignment.dealt_with(count, newest.filter(|_| turn == Turn::On));
                    if turn != Turn::On {
                        continue;
                    }
                    self.at = batch.next.or(self.at.take());
                    if batch.ended && self.finish().await {
                        return true;
                    }
                    if idle && !batch.ended {
                        self.wait().await;
                    }
                }
                Err(Unread::Failed) => self.backoff.pause_or_stop(self.assignment.stop()).await,
                Err(Unread::Lost(error)) => self.lose(&error).await,
            }
        }
        false
    }

    /// Puts commits into files.
    async fn take(&mut self, records: Vec<FeedRecord>) -> Turn {
        for record in records {
            // After a loss reading begins anew, and the chain may have it already.
            if self.end.as_ref().is_some_and(|end| record.position <= *end) {
                continue;
            }
            let due = self
                .open
                .as_ref()
                .is_some_and(|open| open.ends_before(&record) || open.is_due(&self.writing.rotation));
            if due {
                match self.close().await {
                    Turn::On => {}
                    turn => return turn,
                }
            }
            if let Err(reason) = self.add(record).await {
                return self.give_up(&reason).await;
            }
        }
        Turn::On
    }

    async fn add(&mut self, record: FeedRecord) -> Result<(), String> {
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let share = self.writing.hold.share();
                none.insert(Open::new(self.assignment.partition(), self.end.clone(), &record, share)?)
            }
        };
        open.add(record).await
    }

    /// Writes the open file, and moves the checkpoint behind it.
    async fn close(&mut self) -> Turn {
        let Some(open) = self.open.take() else { return Turn::On };
        if open.is_stale() {
            tracing::warn!(partition = %self.assignment.partition(), "a file was open for too long and is made anew");
            return self.read_from_end();
        }
        let root = self.writing.archive.root();
        match open.finish(root, self.assignment.parents(), self.lost).await {
            Ok(ready) => self.put(ready).await,
            Err(reason) => self.give_up(&reason).await,
        }
    }

    async fn put(&mut self, ready: Ready) -> Turn {
        let Ready { file, body, share } = ready;
        let (objects, words) = (self.writing.archive.objects(), file.words());
        let begun = Instant::now();
        loop {
            let there = match objects.put_new(&file.key, body.clone(), &words).await {
                Ok(Put::Done) => Ok(file.clone()),
                // Another owner was first, or an own earlier try: whoever it was decides.
                Ok(Put::Taken) => winner(objects, &file).await,
                Err(error) => Err(error.into()),
            };
            match there {
                Ok(there) => {
                    drop(share);
                    return self.follow(&file, there);
                }
                Err(error) => {
                    let (key, error): (_, &dyn std::error::Error) = (&file.key, &error);
                    match error.downcast_ref::<Broken>() {
                        Some(_) => tracing::error!(key, error, "a file is in the way, the partition waits"),
                        None => tracing::warn!(key, error, "a file cannot be written, trying again"),
                    }
                }
            }
            if self.assignment.stop().is_requested() {
                return Turn::Stopped;
            }
            if begun.elapsed() >= crate::limits::OPEN_AT_MOST / 2 {
                return self.read_from_end();
            }
            self.backoff.pause_or_stop(self.assignment.stop()).await;
        }
    }

    /// Goes on behind the file that is there, which may be another owner's.
    fn follow(&mut self, own: &ArchiveFile, there: ArchiveFile) -> Turn {
        self.backoff = Backoff::default();
        self.lost = false;
        self.assignment.done(&self.name, Checkpoint::At(there.last.clone()));
        let same = there.last == own.last;
        tracing::debug!(
            key = there.key,
            commits = there.commits,
            bytes = there.bytes,
            same,
            "a file is there"
        );
        self.end = Some(there.last);
        if same { Turn::On } else { self.read_from_end() }
    }

    fn read_from_end(&mut self) -> Turn {
        self.open = None;
        self.at.clone_from(&self.end);
        Turn::Elsewhere
    }

    /// The file cannot be encoded. That is a defect; nothing is passed over, and trying again is all there is.
    async fn give_up(&mut self, reason: &str) -> Turn {
        tracing::error!(partition = %self.assignment.partition(), reason, "a file cannot be made, trying again");
        self.backoff.pause_or_stop(self.assignment.stop()).await;
        self.read_from_end()
    }

    /// Writes what is left when the partition has ended; whether that is done.
    async fn finish(&mut self) -> bool {
        if self.close().await != Turn::On {
            return false;
        }
        self.assignment.done(&self.name, Checkpoint::End);
        true
    }

    /// Waits for news, or until the open file is due.
    async fn wait(&self) {
        let idle = Instant::now() + IDLE_WAIT;
        let due = self.open.as_ref().map_or(idle, |open| open.due(&self.writing.rotation).min(idle));
        tokio::select! {
            () = self.writing.feed.wait(self.assignment.partition(), self.at.as_ref(), IDLE_WAIT) => {}
            () = sleep_until(due) => {}
            () = self.assignment.stop().requested() => {}
        }
    }

    /// The feed does not have the position any more: the chain goes on with its oldest record, and says so.
    async fn lose(&mut self, error: &headwater::store::StoreError) {
        let partition = self.assignment.partition().clone();
        if self.at != self.end {
            // What was read already and is not in a file yet may be gone as well.
            self.read_from_end();
            return;
        }
        // Somebody else may have got further than the checkpoint says.
        let known = self.end.clone();
        if !self.find_end().await || self.end != known {
            self.read_from_end();
            return;
        }
        tracing::error!(
            %partition,
            position = self.at.as_ref().map(tracing::field::display),
            error = %error,
            "the feed does not have the checkpoint of the archive any more: the chain goes on with the oldest record \
             there is, and what may be missing between them only the ledger has"
        );
        self.assignment.position_lost();
        (self.at, self.lost) = (None, true);
    }

    /// Looks for the end of the chain in the archive itself; `false` if a stop came first.
    async fn find_end(&mut self) -> bool {
        let mut backoff = Backoff::default();
        loop {
            match self.writing.archive.end_of(self.assignment.partition()).await {
                Ok(end) => {
                    self.end = end.or(self.end.take());
                    return true;
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the end of a chain of the archive cannot be found, trying again");
                }
            }
            if self.assignment.stop().is_requested() {
                return false;
            }
            backoff.pause_or_stop(self.assignment.stop()).await;
        }
    }
}

/// The file that is there in place of this one.
async fn winner(objects: &dyn Objects, own: &ArchiveFile) -> Result<ArchiveFile, ArchiveError> {
    let (words, bytes) = objects.look(&own.key).await?;
    let broken =
        |reason: String| Broken { key: own.key.clone(), partition: Some(own.partition.clone()), reason };
    let there = ArchiveFile::read(&own.key, bytes, &words).map_err(broken)?;
    match there.partition == own.partition && there.first == own.first && there.after == own.after {
        true => Ok(there),
        false => Err(broken("it is in the place of another file".to_owned()).into()),
    }
}
