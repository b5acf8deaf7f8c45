//! eventually 0.4: its repository on its own store in memory; rows by its projector.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use eventually::inmemory::{EventStore as MemoryStore, EventStoreBuilder, Projector};
use eventually::store::{EventStore, Expected, Persisted};
use eventually::subscription::Transient;
use eventually::sync::RwLock;
use eventually::{Aggregate, AggregateRootBuilder, Projection, Repository, Versioned};
use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt, ready, select};
use headwater_workload::{Command, Library, Rebuild, Totals, name};

use crate::rows::{Rows, see};
use crate::{Account, Event, Refusal};

type Store = MemoryStore<String, Event>;

/// The aggregate as eventually has it.
#[derive(Debug, Clone)]
struct Bank;

impl Aggregate for Bank {
    type Id = String;
    type State = Account;
    type Event = Event;
    type Command = Command;
    type Error = Refusal;

    fn apply(mut state: Account, event: Event) -> Result<Account, Refusal> {
        state.take(event);
        Ok(state)
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _: &'s String,
        state: &'s Account,
        command: Command,
    ) -> BoxFuture<'a, Result<Option<Vec<Event>>, Refusal>> {
        ready(state.decide(command).map(|event| Some(vec![event]))).boxed()
    }
}

/// Its repository, and the store in it.
#[derive(Clone)]
pub struct Eventually {
    repository: Repository<Bank, Store>,
    store: Store,
}

impl Default for Eventually {
    fn default() -> Self {
        let store = EventStoreBuilder::for_aggregate(&Bank);
        Self { repository: Repository::new(AggregateRootBuilder::from(Bank), store.clone()), store }
    }
}

impl Library for Eventually {
    type Account = String;
    type Command = Command;

    fn account(number: usize) -> String {
        name(number)
    }

    async fn carry_out(&mut self, account: &String, command: Command) {
        let mut root = self.repository.get(account.clone()).await.expect("it is there");
        root.handle(command).await.expect("the workload keeps the rules");
        self.repository.add(root).await.expect("nobody else writes to this account");
    }

    async fn seed(&mut self, account: usize, commands: u32) {
        let events = Account::history(account, commands);
        self.store.append(name(account), Expected::Exact(0), events).await.expect("it is new");
    }

    async fn held(&self, account: usize) -> (i64, u64) {
        let root = self.repository.get(name(account)).await.expect("it is there");
        (root.state().balance, u64::from(root.version()))
    }
}

/// Rows, and whom to tell when all events are in.
struct Counted {
    rows: Rows,
    left: usize,
    done: Option<oneshot::Sender<()>>,
}

impl Projection for Counted {
    type SourceId = String;
    type Event = Event;
    type Error = Infallible;

    fn project<'a>(&'a mut self, event: Persisted<String, Event>) -> BoxFuture<'a, Result<(), Infallible>> {
        see(&mut self.rows, event.source_id(), u64::from(event.version()), &event);
        self.left -= 1;
        if self.left == 0
            && let Some(done) = self.done.take()
        {
            let _ = done.send(());
        }
        ready(Ok(())).boxed()
    }
}

/// How many events the store of [`Eventually`] holds must be known: its projector never ends.
impl Rebuild for Eventually {
    async fn rebuild(&self, _threads: usize) -> (Totals, Option<f64>) {
        let (done, all) = oneshot::channel();
        let counted = Arc::new(RwLock::new(Counted {
            rows: HashMap::new(),
            left: self.events().await,
            done: Some(done),
        }));
        let begun = std::time::Instant::now();
        let mut projector =
            Projector::new(Arc::clone(&counted), Transient::new(self.store.clone(), self.store.clone()));
        select(Box::pin(projector.run()), all).await;
        let took = begun.elapsed().as_secs_f64();
        let totals = Totals::of(counted.read().await.rows.values().copied());
        (totals, Some(took))
    }
}

impl Eventually {
    async fn events(&self) -> usize {
        use eventually::store::Select;
        use futures::StreamExt;
        let all = self.store.stream_all(Select::All).await.expect("it is in memory");
        all.count().await
    }
}
