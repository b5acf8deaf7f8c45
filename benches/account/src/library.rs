//! Headwater on its memory store, measured as other libraries are.

use std::marker::PhantomData;
use std::sync::Arc;

use headwater::{Executor, Id};
use headwater_store_memory::MemoryStore;
use headwater_workload::{Library, name};

use crate::{Account, AccountCommand, Balance};

/// What an executor keeps between commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// The state of so many streams.
    States(usize),
    /// Nothing: each command loads its stream, as the first one after a restart does.
    Nothing,
}

/// An executor on a memory store, with accounts that take snapshots or not.
#[derive(Debug)]
pub struct Headwater<A = Account> {
    store: Arc<MemoryStore>,
    executor: Executor,
    keeping: Keeping,
    account: PhantomData<fn() -> A>,
}

impl<A> Clone for Headwater<A> {
    fn clone(&self) -> Self {
        let (store, executor) = (Arc::clone(&self.store), self.executor.clone());
        Self { store, executor, keeping: self.keeping, account: PhantomData }
    }
}

impl<A: Balance> Headwater<A> {
    /// An empty store.
    #[must_use]
    pub fn new(keeping: Keeping) -> Self {
        let store = Arc::new(MemoryStore::new());
        let streams = match keeping {
            Keeping::States(streams) => streams,
            Keeping::Nothing => 1,
        };
        let executor = Executor::with_cache(Arc::clone(&store) as _, streams);
        Self { store, executor, keeping, account: PhantomData }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<MemoryStore> {
        &self.store
    }

    /// The id of an account.
    #[must_use]
    pub fn id(account: usize) -> Id<A> {
        Id::new(name(account)).expect("the name is valid")
    }
}

impl<A: Balance> Library for Headwater<A> {
    type Account = Id<A>;
    type Command = AccountCommand;

    fn account(number: usize) -> Id<A> {
        Self::id(number)
    }

    async fn carry_out(&mut self, account: &Id<A>, command: AccountCommand) {
        if self.keeping == Keeping::Nothing {
            self.executor = Executor::with_cache(Arc::clone(&self.store) as _, 1);
        }
        self.executor.execute(account, command).await.expect("no command is refused");
    }

    async fn seed(&mut self, account: usize, commands: u32) {
        // By an executor of its own: nothing of it is remembered by the one that is measured.
        let (executor, id) = (Executor::with_cache(Arc::clone(&self.store) as _, 1), Self::id(account));
        for number in 0..commands {
            executor.execute(&id, crate::command(account, number)).await.expect("no command is refused");
        }
    }

    async fn held(&self, account: usize) -> (i64, u64) {
        let fold = self.executor.state(&Self::id(account)).await.expect("a stream must be readable");
        (fold.state.balance(), fold.version.0)
    }
}
