//! A ledger with accounts, an archive that can be damaged, and a backfill of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use headwater::store::Append;
use headwater::{Commit, Event, EventStore, Expected};
use headwater_projections::backfill::{
    Backfill, Budget, Damage, History, HistoryError, HistoryEvent, Lane, LedgerHistory, Mark, Options, Pace,
    Part, Progress, Survey, Target, Verify, Visit,
};
use headwater_projections::group::{Generations, MemoryLeases};
use headwater_projections::rows::{Generation, List};
use headwater_projections::{GROUP, LeaseStore, Projection, RowStore};
use headwater_store_memory::MemoryStore;
use serde_json::Value;

use crate::model::{AccountEvent, account};

/// An archive in memory: commits in files of a few, in lanes by stream.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    pub(crate) files: Vec<Vec<Vec<Arc<Commit>>>>,
    /// Files that are missing from the beginning.
    pub(crate) missing: BTreeSet<String>,
    /// Files that are cut short in the middle.
    pub(crate) cut_short: BTreeSet<String>,
}

impl Archive {
    /// Commits over some lanes, in files of so many.
    pub(crate) fn of(commits: &[Arc<Commit>], lanes: usize, file: usize) -> Self {
        let mut by_lane = vec![Vec::new(); lanes];
        for commit in commits {
            let place = commit.stream.id().bytes().map(usize::from).sum::<usize>() % lanes;
            by_lane[place].push(Arc::clone(commit));
        }
        let files = by_lane.into_iter().map(|lane| lane.chunks(file).map(<[_]>::to_vec).collect());
        Self { files: files.collect(), ..Self::default() }
    }
}

#[async_trait]
impl History for Archive {
    fn kind(&self) -> &'static str {
        "archive"
    }
    async fn survey(&self) -> Result<Survey, HistoryError> {
        let part = |lane: usize, file: usize| Part {
            name: format!("{lane}/{file}").into(),
            events: None,
            bytes: None,
        };
        let lanes = self.files.iter().enumerate().map(|(lane, files)| {
            let parts = (0..files.len()).map(|file| part(lane, file));
            let parts = parts.filter(|part| !self.missing.contains(&*part.name)).collect();
            Lane { parts, after: if lane == 2 { vec![0] } else { Vec::new() } }
        });
        let damage = self.missing.iter().map(|name| Damage {
            part: name.as_str().into(),
            partition: None,
            reason: "the file is missing".to_owned(),
        });
        Ok(Survey { lanes: lanes.collect(), damage: damage.collect(), ..Survey::default() })
    }
    async fn read(
        &self,
        part: &Part,
        _: Option<&Mark>,
        visit: Visit<'_>,
    ) -> Result<Option<Mark>, HistoryError> {
        let (lane, file) = part.name.split_once('/').unwrap();
        let commits = &self.files[lane.parse::<usize>().unwrap()][file.parse::<usize>().unwrap()];
        let short = self.cut_short.contains(&*part.name);
        let read = if short { commits.len() / 2 } else { commits.len() };
        for commit in &commits[..read] {
            for event in commit.recorded() {
                let event = HistoryEvent {
                    category: commit.stream.category(),
                    id: commit.stream.id(),
                    version: event.version(),
                    name: &event.data.name,
                    schema: event.data.schema,
                    payload: &event.data.payload,
                    recorded_at: commit.recorded_at,
                    metadata: b"",
                    commit: commit.id,
                    index: event.index,
                };
                if visit(event).is_break() {
                    return Ok(None);
                }
            }
        }
        match short {
            false => Ok(None),
            true => Err(HistoryError::Damaged(Damage {
                part: Arc::clone(&part.name),
                partition: None,
                reason: "it ends in the middle".to_owned(),
            })),
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) ledger: Arc<MemoryStore>,
    pub(crate) rows: Arc<dyn RowStore>,
    pub(crate) leases: Arc<MemoryLeases>,
    pub(crate) commits: Vec<Arc<Commit>>,
    pub(crate) plain: BTreeMap<String, Vec<AccountEvent>>,
}

impl World {
    pub(crate) fn new(rows: Arc<dyn RowStore>) -> Self {
        Self {
            ledger: Arc::new(MemoryStore::new()),
            rows,
            leases: Arc::new(MemoryLeases::new()),
            commits: Vec::new(),
            plain: BTreeMap::new(),
        }
    }

    pub(crate) async fn append(&mut self, id: &str, events: &[AccountEvent]) {
        let data = events.iter().map(|event| event.encode().unwrap()).collect();
        let appended = self.ledger.append(Append::new(account(id), Expected::Any, data)).await.unwrap();
        self.commits.push(appended.commit);
        self.plain.entry(id.to_owned()).or_default().extend(events.iter().cloned());
    }

    pub(crate) fn of_ledger<P: Projection>(&self) -> Backfill {
        let ledger = Arc::clone(&self.ledger) as Arc<dyn EventStore>;
        let leases = Arc::clone(&self.leases) as Arc<dyn LeaseStore>;
        self.of::<P>(Arc::new(LedgerHistory::new(ledger, leases, GROUP)))
    }

    pub(crate) fn of<P: Projection>(&self, history: Arc<dyn History>) -> Backfill {
        let mut options = Options::default();
        options.workers = 3;
        options.verify = Verify::All;
        Backfill {
            target: Target::of::<P>().unwrap(),
            ledger: Arc::clone(&self.ledger) as Arc<dyn EventStore>,
            rows: Arc::clone(&self.rows),
            leases: Arc::clone(&self.leases) as Arc<dyn LeaseStore>,
            group: GROUP.into(),
            history,
            options,
            progress: Arc::new(Progress::default()),
            pace: Pace::new(Budget::Unlimited),
        }
    }

    pub(crate) async fn generations(&self, projection: &str) -> Generations {
        self.leases.list(GROUP).await.unwrap().generations.remove(projection).unwrap()
    }
}

/// The rows of a generation: fields, and of rows fed by one stream the version.
pub(crate) async fn rows<P: Projection>(
    rows: &dyn RowStore,
    generation: &Generation,
) -> BTreeMap<String, (Value, u64)> {
    let page = rows.list(generation, &List { after: None, limit: 1_000 }).await.unwrap();
    assert!(page.next.is_none());
    let read = |row: headwater_projections::rows::StoredRow| {
        let version = if P::SHARED { 0 } else { row.revision.0 };
        (row.key, (serde_json::from_slice(&row.fields.unwrap()).unwrap(), version))
    };
    page.rows.into_iter().map(read).collect()
}
