//! What a library has to say to be measured.

use crate::{Command, Totals};

/// A library with a store in it: the whole path of a command. Clones share the store; each thread has one.
pub trait Library: Clone + Send + Sync + 'static {
    /// What it calls an account by; made before the clock runs.
    type Account: Send + Sync + 'static;
    /// Its command; made before the clock runs.
    type Command: From<Command> + Send + 'static;

    /// An account.
    fn account(number: usize) -> Self::Account;

    /// Carries a command out: load the account from its events or take it from where the library keeps it, decide, append
    /// guarded by the library's own optimistic concurrency. Panics if it fails.
    fn carry_out(
        &mut self,
        account: &Self::Account,
        command: Self::Command,
    ) -> impl Future<Output = ()> + Send;

    /// Lets an account have had its first commands, in whatever way is fast. Not measured.
    fn seed(&mut self, account: usize, commands: u32) -> impl Future<Output = ()> + Send;

    /// What an account holds and how many events it has, read back through the library from its events.
    fn held(&self, account: usize) -> impl Future<Output = (i64, u64)> + Send;
}

/// A library that can build a read model from all events it has.
pub trait Rebuild: Library {
    /// A row for each account, by the library's own replay, projector or rebuilder, on so many threads if it can. Answers
    /// with the sums over the rows, and with the seconds it took, if summing up must not count.
    fn rebuild(&self, threads: usize) -> impl Future<Output = (Totals, Option<f64>)> + Send;
}
