//! One process: a whole store on a runtime and a clock of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use headwater::{EventStore, Executor};
use headwater_aws::testing;
use headwater_proof::simulation::{Clock, Random};
use headwater_store_kinesis::{Clients, Config, KinesisStore};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::aws::Aws;
use super::clients::ask;
use super::errands::{self, Errand};
use super::line::Line;
use super::orders::Order;

/// How the stores of a world are configured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    pub(crate) page_commits: usize,
    pub(crate) heads: usize,
    pub(crate) cached_states: usize,
    pub(crate) queue_commits: usize,
    pub(crate) takeover_after: Duration,
}

#[derive(Debug)]
pub(crate) struct Process {
    number: usize,
    runtime: Runtime,
    pub(crate) line: Line,
    pub(crate) clock: Clock,
    store: Arc<KinesisStore>,
    executor: Executor,
    closing: Option<JoinHandle<bool>>,
    asked: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(
        aws: &Arc<Aws>,
        number: usize,
        how: How,
        random: &mut Random,
        death: Option<(u64, bool)>,
    ) -> Self {
        let line = Line::new(aws, number, random.draw(), death);
        let http = SharedHttpClient::new(line.clone());
        let clients =
            Clients { dynamodb: testing::dynamodb_over(http.clone()), kinesis: testing::kinesis_over(http) };
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let entered = runtime.enter();
        let store = Arc::new(KinesisStore::open(&clients, &config(how)));
        drop(entered);
        let executor = Executor::with_cache(Arc::clone(&store) as Arc<dyn EventStore>, how.cached_states);
        let executor = executor.pausing(|time| Box::pin(tokio::time::sleep(time)));
        let clock = Clock::new(random);
        Self { number, runtime, line, clock, store, executor, closing: None, asked: Vec::new() }
    }

    /// A client asks it for something.
    pub(crate) fn ask(&mut self, aws: &Arc<Aws>, order: Order) {
        let asked = ask(Arc::clone(aws), Arc::clone(&self.store), self.number, order);
        self.asked.push(self.runtime.spawn(asked));
    }

    /// A client has a command carried out.
    pub(crate) fn run(&mut self, aws: &Arc<Aws>, errand: Errand) {
        let run = errands::run(Arc::clone(aws), self.executor.clone(), self.number, errand);
        self.asked.push(self.runtime.spawn(run));
    }

    /// A client looks into some purse.
    pub(crate) fn look(&mut self, aws: &Arc<Aws>, number: u64) {
        let look = errands::look(Arc::clone(aws), self.executor.clone(), number);
        self.asked.push(self.runtime.spawn(look));
    }

    /// It is asked to stop in good order.
    pub(crate) fn close(&mut self) {
        if self.closing.is_none() {
            let store = Arc::clone(&self.store);
            self.closing = Some(self.runtime.spawn(async move { store.close().await }));
        }
    }

    /// Whether it still owes somebody an answer.
    pub(crate) fn is_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Lives for a while, if it is awake. Says whether it has come to its end.
    pub(crate) fn turn(&mut self, aws: &Aws, millis: u64) -> bool {
        let Some(turn) = self.clock.turn(aws.air.now(), millis) else { return false };
        let Self { runtime, number, .. } = self;
        if turn.wakes {
            aws.air.note(&format!("{number} wakes"));
            runtime.block_on(tokio::time::advance(turn.jumps));
        }
        runtime.block_on(async { tokio::time::sleep(turn.lives).await });
        for asked in self.asked.extract_if(.., |asked| asked.is_finished()) {
            if let Err(error) = runtime.block_on(asked) {
                aws.air.broke(format!("an append of {number} panicked: {error}"));
            }
        }
        let closed = self.closing.take_if(|closing| closing.is_finished());
        match closed.map(|closed| runtime.block_on(closed)) {
            Some(Ok(emptied)) => {
                aws.air.note(&format!("{number} has closed, everything published: {emptied}"))
            }
            Some(Err(error)) => aws.air.broke(format!("{number} panicked while it closed: {error}")),
            None => return self.line.is_dead(),
        }
        true
    }

    /// Carries out something at once, in the time of this process.
    pub(crate) fn now<T>(&self, work: impl AsyncFnOnce(&KinesisStore, &Executor) -> T) -> T {
        self.runtime.block_on(work(&self.store, &self.executor))
    }
}

fn config(how: How) -> Config {
    static PROCESSES: AtomicU64 = AtomicU64::new(0);
    let mut config = Config::new("sim");
    config.page_commits = how.page_commits;
    config.heads = how.heads;
    config.queue_commits = how.queue_commits;
    config.takeover_after = how.takeover_after;
    // The budgets of the SDK live as long as the program that runs all worlds: no two processes share them.
    let process = PROCESSES.fetch_add(1, Ordering::Relaxed);
    for settings in [&mut config.commands, &mut config.publishing, &mut config.bookkeeping] {
        settings.budget = format!("{}-{process}", settings.budget).into();
    }
    config
}
