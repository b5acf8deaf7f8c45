//! The read model out of a filled memory store, in both ways: by the step that live events take, and by a backfill.

use std::sync::Arc;

use headwater::EventStore;
use headwater::store::Scan;
use headwater_projections::backfill::{
    Backfill, Budget, LedgerHistory, Options, Pace, Progress, Target, Verify,
};
use headwater_projections::group::MemoryLeases;
use headwater_projections::rows::{Generation, List, MAX_PAGE_ROWS};
use headwater_projections::{Batch, Definition, GROUP, LeaseStore, Memory, MemoryRows, RowStore};
use headwater_store_memory::MemoryStore;
use headwater_workload::{Library, Rebuild, Totals};

use crate::timed::timed;
use crate::{Account, AccountCommand, AccountRow, Headwater, take_in};

/// How the read model is made.
#[derive(Debug, Clone)]
pub enum Replayed {
    /// As live events do: page by page, and each row made ready to be written once a page.
    ByStep(Headwater<Account>),
    /// As a rebuild does: all events folded, each row written once.
    ByBackfill(Headwater<Account>),
}

impl Replayed {
    fn headwater(&self) -> &Headwater<Account> {
        match self {
            Self::ByStep(headwater) | Self::ByBackfill(headwater) => headwater,
        }
    }

    fn headwater_mut(&mut self) -> &mut Headwater<Account> {
        match self {
            Self::ByStep(headwater) | Self::ByBackfill(headwater) => headwater,
        }
    }
}

impl Library for Replayed {
    type Account = headwater::Id<Account>;
    type Command = AccountCommand;

    fn account(number: usize) -> Self::Account {
        Headwater::id(number)
    }

    async fn carry_out(&mut self, account: &Self::Account, command: AccountCommand) {
        self.headwater_mut().carry_out(account, command).await;
    }

    async fn seed(&mut self, account: usize, commands: u32) {
        self.headwater_mut().seed(account, commands).await;
    }

    async fn held(&self, account: usize) -> (i64, u64) {
        self.headwater().held(account).await
    }
}

impl Rebuild for Replayed {
    async fn rebuild(&self, threads: usize) -> (Totals, Option<f64>) {
        let store = Arc::clone(self.headwater().store());
        match self {
            Self::ByStep(_) => (by_step(store, u32::try_from(threads).unwrap_or(1)).await, None),
            Self::ByBackfill(_) => by_backfill(store, threads).await,
        }
    }
}

/// Each thread has a segment of the ledger and a memory of its own.
async fn by_step(store: Arc<MemoryStore>, threads: u32) -> Totals {
    let mut working = Vec::new();
    for segment in 0..threads {
        let store = Arc::clone(&store);
        let work = async move { segment_by_step(&store, segment, threads).await };
        working.push(tokio::spawn(work));
    }
    let mut totals = Totals::default();
    for working in working {
        let memory = working.await.expect("it does not panic");
        totals = memory.live_rows().fold(totals, |totals, (_, row)| totals.with(row.row()));
    }
    totals
}

async fn segment_by_step(store: &MemoryStore, segment: u32, segments: u32) -> Memory<AccountRow> {
    let definition = Definition::<AccountRow>::new().expect("it keeps the rules");
    let mut memory = Memory::new();
    let mut next = Some(Scan::segment(segment, segments));
    while let Some(scan) = next {
        let page = store.scan(scan.clone()).await.expect("it is in memory");
        let batch = Batch::from(page.commits);
        let _not_written = take_in(&definition, &mut memory, &batch);
        next = page.next.map(|cursor| scan.after(cursor));
    }
    memory
}

async fn by_backfill(store: Arc<MemoryStore>, threads: usize) -> (Totals, Option<f64>) {
    let ledger: Arc<dyn EventStore> = store;
    let leases: Arc<dyn LeaseStore> = Arc::new(MemoryLeases::new());
    let rows = Arc::new(MemoryRows::new());
    let mut options = Options::default();
    (options.workers, options.promote, options.verify) = (threads, false, Verify::Nothing);
    options.memory_bytes = usize::MAX >> 1;
    let timed = timed(Backfill {
        target: Target::of::<AccountRow>().expect("it keeps the rules"),
        ledger: Arc::clone(&ledger),
        rows: Arc::clone(&rows) as _,
        leases: Arc::clone(&leases),
        group: GROUP.into(),
        history: Arc::new(LedgerHistory::new(ledger, leases, GROUP)),
        options,
        progress: Arc::new(Progress::default()),
        pace: Pace::new(Budget::Unlimited),
    });
    let timed = timed.await.expect("nothing fails in memory");
    (sums(&rows, timed.built.generation).await, Some(timed.written.as_secs_f64()))
}

async fn sums(rows: &MemoryRows, generation: u32) -> Totals {
    let generation = Generation::new("account-rows", generation);
    let (mut totals, mut after) = (Totals::default(), None);
    loop {
        let page = rows.list(&generation, &List { after, limit: MAX_PAGE_ROWS }).await;
        let page = page.expect("it is in memory");
        for row in page.rows {
            let row: AccountRow = serde_json::from_slice(&row.fields.expect("listed rows have fields"))
                .expect("it was written so");
            totals = totals.with(row.row());
        }
        after = page.next;
        if after.is_none() {
            return totals;
        }
    }
}
