//! The reader of a partition: keeps its projections in as few cohorts as can be, and in one as soon as it can.
//!
//! A projection that joins the group late, or was paused, is behind the others. They do not wait for it: it reads on its
//! own until it has reached them. Generations come and go while it reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use headwater::store::Position;
use tokio::task::{JoinError, JoinSet};

use super::cohort::{Cohort, Context, Place, Turn};
use super::kind::Keeping;
use super::limits::IDLE_WAIT;
use crate::group::Checkpoint;

/// What the task of a reader owns.
pub(super) struct Reader {
    context: Arc<Context>,
    /// The cohort of those that are furthest.
    lead: Cohort,
    /// Those that are behind, each cohort in a task of its own.
    behind: JoinSet<Returned>,
    /// Those that read apart from the others, however far they are.
    apart: JoinSet<Returned>,
    /// Those that are paused.
    paused: Vec<Place>,
    /// Which projections were paused when they were last sorted.
    seen: BTreeSet<&'static str>,
    /// Which generations were kept then.
    kept: Arc<[Keeping]>,
    /// Those that had a place here, also when they have come to the end.
    placed: BTreeSet<Arc<str>>,
}

/// A cohort that was behind.
struct Returned {
    places: Vec<Place>,
    /// Whether it has reached the others.
    near: bool,
}

impl Reader {
    pub(super) fn new(context: Context) -> Self {
        let context = Arc::new(context);
        Self {
            context,
            lead: Cohort::default(),
            behind: JoinSet::new(),
            apart: JoinSet::new(),
            paused: Vec::new(),
            seen: BTreeSet::new(),
            kept: Arc::default(),
            placed: BTreeSet::new(),
        }
    }

    /// Reads until every projection has come to the end of the partition: `true`; or until a stop is asked for.
    pub(super) async fn read(mut self) -> bool {
        while !self.context.assignment.stop.is_requested() {
            self.come_and_go().await;
            self.pause_and_resume();
            let late = !self.behind.is_empty() || !self.paused.is_empty();
            self.context.assignment.progress.set_lead(self.lead.from(), late);
            if self.lead.places.is_empty() {
                if self.behind.is_empty() && self.apart.is_empty() && self.paused.is_empty() {
                    return true;
                }
                self.wait(false).await;
                continue;
            }
            match self.lead.turn(&self.context).await {
                Turn::Ended => self.lead.places.clear(),
                Turn::Idle => self.wait(true).await,
                Turn::Done | Turn::Not => {}
            }
            self.leave_slow_ones_behind();
            while let Some(returned) = self.behind.try_join_next().or_else(|| self.apart.try_join_next()) {
                self.take_back(returned);
            }
        }
        while self.behind.join_next().await.is_some() || self.apart.join_next().await.is_some() {}
        false
    }

    /// Gives places to generations that are new here, and takes them from those that are not kept any more.
    async fn come_and_go(&mut self) {
        let kept = Arc::clone(&self.context.kept.borrow());
        if Arc::ptr_eq(&kept, &self.kept) {
            return;
        }
        self.kept = kept;
        self.placed.retain(|generation| self.kept.iter().any(|kept| kept.generation == *generation));
        for places in [&mut self.lead.places, &mut self.paused] {
            places.retain(|place| self.placed.contains(&place.generation));
        }
        let new: Vec<_> =
            self.kept.iter().filter(|kept| self.placed.insert(Arc::clone(&kept.generation))).collect();
        let new: Vec<_> = new.into_iter().filter_map(|kept| place(&self.context, kept)).collect();
        // A lane that partitions share may remember rows from before somebody else had this one.
        for place in &new {
            place.lane.lock().await.forget();
        }
        self.place(new);
    }

    fn leave_slow_ones_behind(&mut self) {
        let (mut slow, near): (Vec<_>, Vec<_>) = self.lead.places.drain(..).partition(|place| place.slow);
        self.lead.places = near;
        slow.iter_mut().for_each(|place| place.slow = false);
        self.place(slow);
    }

    /// Puts the furthest into the lead, unless somebody is there, and sends off the others to catch up.
    fn place(&mut self, places: Vec<Place>) {
        let (apart, places): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| place.apart);
        if !apart.is_empty() {
            self.apart.spawn(keep_on(Cohort::of(apart), Arc::clone(&self.context)));
        }
        if places.is_empty() {
            return;
        }
        let lead = match self.lead.places.is_empty() {
            true => places.iter().map(|place| place.at.clone()).max().flatten(),
            false => self.lead.from(),
        };
        let (near, far): (Vec<_>, Vec<_>) = places.into_iter().partition(|place| place.at >= lead);
        self.lead.places.extend(near);
        if !far.is_empty() {
            self.behind.spawn(catch_up(Cohort::of(far), Arc::clone(&self.context)));
        }
    }

    fn pause_and_resume(&mut self) {
        self.seen = self.context.paused.borrow().clone();
        let paused = &self.seen;
        let (pause, go_on) = self.lead.places.drain(..).partition(|place| paused.contains(place.name));
        self.lead.places = go_on;
        let (stay, resume): (Vec<_>, Vec<_>) =
            self.paused.drain(..).partition(|place| paused.contains(place.name));
        self.paused = stay;
        self.paused.extend::<Vec<_>>(pause);
        if !resume.is_empty() {
            self.place(resume);
        }
    }

    /// Waits for something to do.
    async fn wait(&mut self, for_the_feed: bool) {
        let context = Arc::clone(&self.context);
        let from = self.lead.from();
        let news = async {
            if for_the_feed {
                context.feed.wait(context.assignment.partition(), from.as_ref(), IDLE_WAIT).await;
            } else {
                std::future::pending().await
            }
        };
        let mut paused = context.paused.clone();
        let pauses_change = async {
            // One whose sender is gone does not change any more.
            if paused.wait_for(|paused| *paused != self.seen).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let mut kept = context.kept.clone();
        let generations_change = async {
            if kept.wait_for(|kept| !Arc::ptr_eq(kept, &self.kept)).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = news => {}
            () = pauses_change => {}
            () = generations_change => {}
            () = context.assignment.stop.requested() => {}
            Some(returned) = self.behind.join_next() => self.take_back(returned),
            Some(returned) = self.apart.join_next() => self.take_back(returned),
        }
    }

    fn take_back(&mut self, returned: Result<Returned, JoinError>) {
        let Returned { places, near } = match returned {
            Ok(returned) => returned,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        let kept = |place: &Place| self.placed.contains(&place.generation);
        let places: Vec<_> = places.into_iter().filter(kept).collect();
        if near {
            self.lead.places.extend(places);
            return;
        }
        let paused = self.context.paused.borrow().clone();
        let (pause, go_on) = places.into_iter().partition(|place| paused.contains(place.name));
        self.paused.extend::<Vec<_>>(pause);
        self.place(go_on);
    }
}

/// Whether some of a cohort are to be sorted anew: they are paused, or not kept any more.
fn is_to_be_sorted(cohort: &Cohort, context: &Context) -> bool {
    let (paused, kept) = (context.paused.borrow(), context.kept.borrow());
    let gone = |place: &Place| kept.iter().all(|kept| kept.generation != place.generation);
    cohort.places.iter().any(|place| paused.contains(place.name) || gone(place))
}

/// Reads on with those that are behind, until they have reached the others or are to be sorted anew.
async fn catch_up(mut cohort: Cohort, context: Arc<Context>) -> Returned {
    loop {
        if is_to_be_sorted(&cohort, &context) || context.assignment.stop.is_requested() {
            return Returned { places: cohort.places, near: false };
        }
        match cohort.turn(&context).await {
            Turn::Ended => return Returned { places: Vec::new(), near: true },
            Turn::Idle => return Returned { places: cohort.places, near: true },
            Turn::Done if cohort.from() >= context.assignment.progress.lead() => {
                return Returned { places: cohort.places, near: true };
            }
            Turn::Done | Turn::Not => {}
        }
    }
}

/// Reads on with those that read apart from the others, until they are to be sorted anew.
async fn keep_on(mut cohort: Cohort, context: Arc<Context>) -> Returned {
    let (partition, stop) = (context.assignment.partition(), context.assignment.stop());
    while !is_to_be_sorted(&cohort, &context) && !stop.is_requested() {
        match cohort.turn(&context).await {
            Turn::Ended => return Returned { places: Vec::new(), near: true },
            Turn::Idle => {
                let from = cohort.from();
                tokio::select! {
                    () = context.feed.wait(partition, from.as_ref(), IDLE_WAIT) => {}
                    () = stop.requested() => {}
                }
            }
            Turn::Done | Turn::Not => {}
        }
    }
    Returned { places: cohort.places, near: false }
}

/// Where a generation stands in the partition; nowhere when it has come to its end.
fn place(context: &Context, kept: &Keeping) -> Option<Place> {
    let generation = Arc::clone(&kept.generation);
    let from = context.assignment.progress.checkpoints().0.remove(&generation);
    let at: Option<Position> = match from.or_else(|| kept.from.get(context.assignment.partition()).cloned()) {
        Some(Checkpoint::End) => {
            context.assignment.progress.done(&generation, Checkpoint::End);
            return None;
        }
        Some(Checkpoint::At(position)) => Some(position),
        None => None,
    };
    let (name, lane) = (kept.handler.name(), kept.handler.lane());
    let apart = kept.handler.apart();
    Some(Place { name, generation, lane, at, slow: false, apart })
}
