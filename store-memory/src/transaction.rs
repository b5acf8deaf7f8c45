//! Several streams written together or not at all: every shard they are in is locked while that is decided.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLockWriteGuard};

use headwater::store::{Append, Appended, StoreError, Transaction};
use headwater::{Commit, StreamName};

use crate::shard::{Shard, State, Verdict, shard_number};

/// The shards a transaction is about, locked until this is dropped.
pub(crate) struct Locked<'a> {
    states: BTreeMap<usize, RwLockWriteGuard<'a, State>>,
}

impl<'a> Locked<'a> {
    /// Locks the shards. They come with the lowest number first, so that two transactions never wait for each other
    /// in a circle.
    pub(crate) fn new(shards: impl Iterator<Item = (usize, &'a Shard)>) -> Self {
        Self { states: shards.map(|(number, shard)| (number, shard.write())).collect() }
    }

    /// Judges every append and check before anything is written. A retry of the whole transaction gives what the
    /// earlier try stored, whatever has been written since.
    pub(crate) fn judge(&self, transaction: &Transaction) -> Result<Option<Vec<Appended>>, StoreError> {
        let mut earlier = Vec::new();
        let mut refused = None;
        for append in &transaction.appends {
            match self.state(&append.stream).judge(append) {
                Ok(Verdict::Retry(commit)) => earlier.push((append, commit)),
                Ok(Verdict::Fits) => {}
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        if earlier.len() == transaction.appends.len() {
            let answer = |(_, commit)| Appended { commit, own_retry: true };
            return Ok(Some(earlier.into_iter().map(answer).collect()));
        }
        if let Some(error) = refused {
            return Err(error);
        }
        // A transaction is stored whole. One that finds only some of its commits is another one with a used id.
        if let Some((append, commit)) = earlier.into_iter().next() {
            return Err(self.used(append, commit));
        }
        for check in &transaction.checks {
            self.state(&check.stream).check(&check.stream, check.expected)?;
        }
        Ok(None)
    }

    /// Writes what was judged.
    pub(crate) fn write(&mut self, appends: Vec<Append>) -> Vec<Appended> {
        let mut appended = Vec::with_capacity(appends.len());
        for append in appends {
            let state = self.states.get_mut(&shard_number(&append.stream));
            let commit = state.expect("the shard of every stream is locked").push(append);
            appended.push(Appended { commit, own_retry: false });
        }
        appended
    }

    fn state(&self, stream: &StreamName) -> &State {
        self.states.get(&shard_number(stream)).expect("the shard of every stream is locked")
    }

    fn used(&self, append: &Append, commit: Arc<Commit>) -> StoreError {
        let actual = self.state(&append.stream).version(&append.stream);
        StoreError::conflict(append.stream.clone(), append.expected, actual, Some(commit))
    }
}
