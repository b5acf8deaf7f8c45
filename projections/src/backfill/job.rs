//! A backfill from its beginning to the switch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use headwater::store::PartitionId;
use headwater::{EventStore, StreamName};
use tokio::sync::{OnceCell, watch};
use tokio::time::sleep;

use super::compare::{Differences, Verify};
use super::lanes::Reading;
use super::limits::{FIRST_YIELD, LEVEL_EVERY, WRITE_TRIES};
use super::pace::Pace;
use super::progress::{Phase, Progress};
use super::switch::Switch;
use super::target::{Context, Filled, Target};
use super::work::{Work, Worked, group, patiently, stopped};
use super::{BackfillError, Budget, History, Slot};
use crate::group::{Checkpoint, Generations, LeaseStore, Stage, WorkerId, deploy, note_done};
use crate::rows::{Generation, MAX_PAGE_ROWS, RowError};
use crate::{Parked, RowStore};

/// How often a generation is begun anew because a stream failed where others had its events already, or because somebody
/// died while settling up to where streams count.
const GENERATIONS_BEGUN: u32 = 100;

/// How a backfill is done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Options {
    /// Bytes that rows and streams may take in memory together with what is read and written; what does not fit is done
    /// in slots.
    pub memory_bytes: usize,
    /// Threads that read and fold.
    pub workers: usize,
    /// What it may take.
    pub budget: Budget,
    /// Which rows are compared.
    pub verify: Verify,
    /// Whether it is promoted by itself once it is level with the live generation.
    pub promote: bool,
    /// Whether nothing is written: only to see how long reading takes and how many rows there are.
    pub dry_run: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            budget: Budget::Unlimited,
            verify: Verify::Sample,
            promote: true,
            dry_run: false,
        }
    }
}

/// What a backfill works with.
#[derive(Debug, Clone)]
pub struct Backfill {
    /// The projection.
    pub target: Target,
    /// The ledger, with settings of its own, so that it does not starve commands.
    pub ledger: Arc<dyn EventStore>,
    /// The rows, likewise.
    pub rows: Arc<dyn RowStore>,
    /// Where generations, slots and checkpoints are kept.
    pub leases: Arc<dyn LeaseStore>,
    /// The group that keeps the projection.
    pub group: Arc<str>,
    /// Where the events are read.
    pub history: Arc<dyn History>,
    /// How it is done.
    pub options: Options,
    /// To be shown.
    pub progress: Arc<Progress>,
    /// To be told whether live traffic lags.
    pub pace: Pace,
}

/// How a backfill ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The new generation; of a dry run, the one it would be.
    pub generation: u32,
    /// Whether it is live.
    pub live: bool,
    /// Rows that were compared.
    pub compared: u64,
    /// Streams of it that are parked.
    pub parked: u64,
}

impl Backfill {
    /// Builds a new generation beside the live one, or goes on with one that was begun, until it is level with the live
    /// one, and promotes it if that is wanted. The live generation is not touched before the switch, which is one
    /// conditional write (L9). Reactors do not run: nothing but rows is made of the events.
    ///
    /// # Errors
    /// [`BackfillError`]; nothing was switched, and the same call goes on where this one ended.
    ///
    /// # Cancel safety
    /// When the future is dropped, or the process dies at any moment, the live generation is as it was. What slots are
    /// done stays done.
    pub async fn run(&self, stop: watch::Receiver<bool>) -> Result<Built, BackfillError> {
        let (name, version) = (self.target.name(), self.target.version());
        let switch = Switch::new(Arc::clone(&self.leases), Arc::clone(&self.rows), &self.group);
        deploy(self.leases.as_ref(), &self.group, name, version).await?;
        self.progress.enter(Phase::Surveying);
        let survey = tokio::select! {
            survey = self.history.survey() => survey?,
            () = stopped(stop.clone()) => return Err(BackfillError::Stopped),
        };
        for damage in &survey.damage {
            self.progress.note(format!("the {} is damaged: {damage}", self.history.kind()));
        }
        let all = switch.generations(name).await?;
        if self.options.dry_run {
            return tokio::select! {
                built = self.dry_run(survey, &all) => built,
                () = stopped(stop) => Err(BackfillError::Stopped),
            };
        }
        if let Some(number) = self.filled(&all).await? {
            self.progress.building(number);
            self.progress
                .note(format!("going on with generation {number}, which is filled and not live yet"));
            return self.join(&switch, &all.generation(number), 0, stop).await;
        }
        if all.version(all.live) == Some(version) {
            // It may never have run.
            let live = all.live();
            tried(|| self.rows.prepare(&live, self.target.0.indexes())).await?;
        }
        let mut building = self.begin(&switch, &survey.positions).await?;
        let mut compared = 0;
        for _ in 0..GENERATIONS_BEGUN {
            self.progress.building(building.number);
            let context = self.context(survey.clone(), &building);
            let work = Work {
                target: &self.target,
                context: &context,
                group: group(&building),
                me: WorkerId::random(),
                stop: stop.clone(),
            };
            let worked = work.run().await?;
            compared = context.differences.found().0;
            match worked {
                Worked::Done => return self.join(&switch, &building, compared, stop).await,
                Worked::Anew(parked) => {
                    building = self.begin_anew(&switch, &building, &survey.positions, parked).await?;
                }
            }
        }
        let _ = compared;
        Err(BackfillError::Contended { projection: name.to_owned() })
    }

    fn context(&self, survey: super::Survey, generation: &Generation) -> Context {
        Context {
            ledger: Arc::clone(&self.ledger),
            leases: Arc::clone(&self.leases),
            group: Arc::clone(&self.group),
            history: Arc::clone(&self.history),
            survey,
            rows: Arc::clone(&self.rows),
            generation: generation.clone(),
            indexes: self.target.0.indexes(),
            made: OnceCell::new(),
            memory_bytes: self.options.memory_bytes,
            verify: self.options.verify,
            dry_run: self.options.dry_run,
            reading: Reading {
                workers: self.options.workers,
                progress: Arc::clone(&self.progress),
                pace: self.pace.clone(),
            },
            pace: self.pace.clone(),
            progress: Arc::clone(&self.progress),
            differences: Differences::default(),
            cut: Mutex::default(),
            ready: Mutex::default(),
        }
    }

    /// The generation that is being filled by code of this version, or a new one.
    async fn begin(
        &self,
        switch: &Switch,
        positions: &BTreeMap<PartitionId, Checkpoint>,
    ) -> Result<Generation, BackfillError> {
        let (name, version) = (self.target.name(), self.target.version());
        let begun = |all: &Generations| begun(all, version);
        let all = switch.generations(name).await?;
        if let Some(number) = begun(&all) {
            self.progress.note(format!("going on with generation {number}, which was begun before"));
            return Ok(all.generation(number));
        }
        // Where the feed is read on is written down before anything is read.
        let change = |all: &Generations| match begun(all) {
            Some(_) => Ok(all.touched()),
            None => Ok(all.with_new(version, positions.clone())?.0),
        };
        let all = switch.change(name, change).await?;
        let number = begun(&all).unwrap_or(all.last);
        Ok(all.generation(number))
    }

    /// A generation that code of this version has filled, while whoever filled it died or was stopped in front of the
    /// switch: its slots are still there. One with streams that cannot be applied is left to whoever looks after it.
    async fn filled(&self, all: &Generations) -> Result<Option<u32>, BackfillError> {
        let version = self.target.version();
        let newer = all.made.range(all.live + 1..).rev();
        for (number, _) in newer.filter(|(_, made)| made.stage == Stage::Following && made.version == version)
        {
            let generation = all.generation(*number);
            let slots = group(&generation);
            let are_there = !patiently(|| self.leases.list(&slots)).await?.leases.is_empty();
            if are_there && self.fresh_parked(&all.live(), &generation).await?.is_empty() {
                return Ok(Some(*number));
            }
        }
        Ok(None)
    }

    /// Begins another generation in place of one that cannot be finished, which goes.
    async fn begin_anew(
        &self,
        switch: &Switch,
        building: &Generation,
        positions: &BTreeMap<PartitionId, Checkpoint>,
        parked: Option<Box<Parked>>,
    ) -> Result<Generation, BackfillError> {
        let (name, version) = (self.target.name(), self.target.version());
        let known = match self.all_parked(building).await {
            Ok(known) => known,
            Err(_) if parked.is_none() => Vec::new(),
            Err(error) => return Err(error),
        };
        let why = parked.as_ref().map_or_else(
            || "somebody died at a moment that cannot be taken up".to_owned(),
            |parked| format!("stream {} fails at version {}", parked.stream, parked.first_failing),
        );
        self.progress.note(format!("generation {} is begun anew: {why}", building.number));
        let change = |all: &Generations| match begun(all, version) {
            // Somebody else has begun it by now.
            Some(other) if other > building.number => Ok(all.touched()),
            _ => {
                let there = all.made.contains_key(&building.number);
                let left = if there { all.without(building.number)? } else { all.clone() };
                Ok(left.with_new(version, positions.clone())?.0)
            }
        };
        let all = switch.change(name, change).await?;
        let next = all.generation(begun(&all, version).unwrap_or(all.last));
        tried(|| self.rows.prepare(&next, self.target.0.indexes())).await?;
        for record in known.iter().chain(parked.as_deref()) {
            tried(|| self.rows.park(&next, record)).await?;
        }
        tried(|| self.rows.drop_generation(building)).await?;
        super::work::forget(&self.leases, building).await?;
        Ok(next)
    }

    /// Lets the generation follow the feed, waits until it is level with the live one, and promotes it.
    async fn join(
        &self,
        switch: &Switch,
        building: &Generation,
        compared: u64,
        stop: watch::Receiver<bool>,
    ) -> Result<Built, BackfillError> {
        let (name, number) = (self.target.name(), building.number);
        let all = switch.generations(name).await?;
        if all.made.get(&number).is_some_and(|made| made.stage == Stage::Filling) {
            // Nobody has to read the ledger for it once more.
            let generation = building.to_string().into();
            patiently(|| note_done(self.leases.as_ref(), &self.group, &generation)).await?;
            switch.change(name, |all| all.following(number)).await?;
        }
        self.progress.enter(Phase::CatchingUp);
        let live = all.live();
        let fresh = self.fresh_parked(&live, building).await?;
        let (count, first) = (fresh.len() as u64, fresh.into_iter().next());
        if let Some(first) = first.filter(|_| self.options.promote) {
            return Err(BackfillError::Parked { count, first, generation: number });
        }
        let mut level = 0;
        // Twice in a row, with checkpoints saved in between: then both are read together.
        while level < 2 {
            tokio::select! {
                () = sleep(LEVEL_EVERY * 3) => {}
                () = stopped(stop.clone()) => return Err(BackfillError::Stopped),
            }
            let now = switch.level(building).await?;
            level = if now.behind.is_empty() { level + 1 } else { 0 };
        }
        let built = Built { generation: number, live: false, compared, parked: count };
        if !self.options.promote {
            super::work::forget(&self.leases, building).await?;
            self.progress.enter(Phase::Done);
            return Ok(built);
        }
        switch.promote(name, number, false).await?;
        self.progress.enter(Phase::Done);
        Ok(Built { live: true, ..built })
    }

    /// Streams that are parked in the new generation and not in the live one.
    async fn fresh_parked(
        &self,
        live: &Generation,
        building: &Generation,
    ) -> Result<Vec<StreamName>, BackfillError> {
        let before = self.all_parked(live).await?;
        let parked = self.all_parked(building).await?.into_iter();
        let fresh = parked.filter(|parked| before.iter().all(|before| before.stream != parked.stream));
        Ok(fresh.map(|parked| parked.stream).collect())
    }

    async fn all_parked(&self, generation: &Generation) -> Result<Vec<Parked>, BackfillError> {
        let mut all: Vec<Parked> = Vec::new();
        while all.len() < crate::MAX_GROUPED_STREAMS {
            let after = all.last().map(|last| last.stream.clone());
            let page = tried(|| self.rows.parked(generation, after.as_ref(), MAX_PAGE_ROWS)).await?;
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        Ok(all)
    }

    async fn dry_run(&self, survey: super::Survey, all: &Generations) -> Result<Built, BackfillError> {
        let context = self.context(survey, &all.generation(all.last + 1));
        let mut slots = vec![Slot::ALL];
        while let Some(slot) = slots.pop() {
            if let Filled::TooLarge = self.target.0.fill(&context, slot).await? {
                let (budget, of) = (self.options.memory_bytes, slot.of());
                slots.extend(slot.halves().ok_or(BackfillError::Memory { budget, slots: of })?);
            }
        }
        self.progress.enter(Phase::Done);
        Ok(Built { generation: all.last + 1, live: false, compared: 0, parked: 0 })
    }
}

/// The generation that code of this version has begun to fill and not finished.
fn begun(all: &Generations, version: u32) -> Option<u32> {
    let mut open = all.made.iter().rev();
    let filling = open.find(|(_, made)| made.stage == Stage::Filling && made.version == version);
    filling.map(|(number, _)| *number)
}

/// Asks the row store until it answers, within a bound.
pub(super) async fn tried<T, F: Future<Output = Result<T, RowError>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, RowError> {
    let mut tries = 0;
    loop {
        match ask().await {
            Err(error) if error.retry_helps() && tries < WRITE_TRIES => {
                tries += 1;
                tracing::debug!(error = %error, "the row store does not answer, trying again");
                sleep(FIRST_YIELD * 2_u32.pow(tries.min(7))).await;
            }
            answer => return answer,
        }
    }
}
