//! The work of a runner: its projections read each partition together.

use std::sync::Arc;

use async_trait::async_trait;
use headwater::EventFeed;

use super::Control;
use super::cohort::Context;
use super::kind::{Keeping, keeping};
use super::reader::Reader;
use super::work::{Assignment, Work};
use crate::directory::Directory;
use crate::group::Items;

/// The projections of a runner.
#[derive(Debug)]
pub(super) struct Views {
    pub(super) feed: Arc<dyn EventFeed>,
    pub(super) directory: Arc<Directory>,
    pub(super) control: Control,
}

impl Views {
    /// Looks which generations are to be kept. Readers notice for themselves.
    pub(super) fn keep(&self) {
        let before = self.control.all_kept();
        let now = keeping(&self.control.kinds(), &self.directory.changes().borrow(), &before);
        let same = |(one, other): (&Keeping, &Keeping)| {
            one.generation == other.generation && one.live == other.live && one.from == other.from
        };
        if before.len() != now.len() || !before.iter().zip(&now).all(same) {
            let names: Vec<_> = now.iter().map(|kept| (kept.generation.as_ref(), kept.live)).collect();
            tracing::info!(generations = ?names, "these generations are kept, those with true are live");
            self.control.keep(now.into());
        }
    }
}

#[async_trait]
impl Work for Views {
    fn names(&self) -> Arc<[Arc<str>]> {
        self.control.all_kept().iter().map(|kept| Arc::clone(&kept.generation)).collect()
    }

    fn notice(&self, items: &Items) {
        self.directory.learn(&items.generations);
        self.keep();
    }

    async fn read(&self, assignment: Assignment) -> bool {
        let (feed, paused, kept) = (Arc::clone(&self.feed), self.control.paused(), self.control.keeping());
        Reader::new(Context { feed, assignment, paused, kept }).read().await
    }
}
