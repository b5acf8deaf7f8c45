//! Not a library: the least code that does the work. What a library costs above it is the library.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use headwater_workload::{Command, Library, Rebuild, Totals, name};

use crate::rows::{Rows, see};
use crate::{Account, Event};

/// Maps, so that threads seldom meet.
const SHARDS: usize = 64;

/// How an event is kept.
pub trait Kept: Send + Sync + 'static {
    /// As it is kept.
    fn keep(event: Event) -> Self;
    /// Into a state.
    fn apply(&self, account: &mut Account);
    /// Lets somebody look at it.
    fn with<T>(&self, look: impl FnOnce(&Event) -> T) -> T;
}

/// As it is.
impl Kept for Event {
    fn keep(event: Event) -> Self {
        event
    }

    fn apply(&self, account: &mut Account) {
        account.see(self);
    }

    fn with<T>(&self, look: impl FnOnce(&Event) -> T) -> T {
        look(self)
    }
}

/// As JSON: written once, read each time.
impl Kept for Box<[u8]> {
    fn keep(event: Event) -> Self {
        serde_json::to_vec(&event).expect("it is JSON").into()
    }

    fn apply(&self, account: &mut Account) {
        account.take(serde_json::from_slice(self).expect("it was written here"));
    }

    fn with<T>(&self, look: impl FnOnce(&Event) -> T) -> T {
        look(&serde_json::from_slice(self).expect("it was written here"))
    }
}

/// Streams in hash maps, each behind a lock.
#[derive(Debug)]
pub struct ByHand<K> {
    shards: Arc<[RwLock<HashMap<String, Vec<K>>>]>,
    hash: RandomState,
}

/// Events as they are.
pub type Typed = ByHand<Event>;

/// Events as JSON.
pub type Json = ByHand<Box<[u8]>>;

impl<K> Default for ByHand<K> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), hash: RandomState::new() }
    }
}

impl<K> Clone for ByHand<K> {
    fn clone(&self) -> Self {
        Self { shards: Arc::clone(&self.shards), hash: self.hash.clone() }
    }
}

impl<K: Kept> ByHand<K> {
    fn shard(&self, account: &str) -> &RwLock<HashMap<String, Vec<K>>> {
        let place = usize::try_from(self.hash.hash_one(account) >> 58).unwrap_or_default();
        self.shards.get(place).expect("six bits are fewer than 64")
    }

    fn load(&self, account: &str) -> (Account, usize) {
        let shard = self.shard(account).read().unwrap_or_else(PoisonError::into_inner);
        let events = shard.get(account).map(Vec::as_slice).unwrap_or_default();
        let mut state = Account::default();
        events.iter().for_each(|event| event.apply(&mut state));
        (state, events.len())
    }

    fn append(&self, account: &str, expected: usize, events: impl IntoIterator<Item = Event>) {
        let mut shard = self.shard(account).write().unwrap_or_else(PoisonError::into_inner);
        let stream = match shard.get_mut(account) {
            Some(stream) => stream,
            None => shard.entry(account.to_owned()).or_default(),
        };
        assert_eq!(stream.len(), expected, "somebody was faster");
        stream.extend(events.into_iter().map(K::keep));
    }
}

impl<K: Kept> Library for ByHand<K> {
    type Account = String;
    type Command = Command;

    fn account(number: usize) -> String {
        name(number)
    }

    async fn carry_out(&mut self, account: &String, command: Command) {
        let (state, version) = self.load(account);
        let event = state.decide(command).expect("the workload keeps the rules");
        self.append(account, version, [event]);
    }

    async fn seed(&mut self, account: usize, commands: u32) {
        self.append(&name(account), 0, Account::history(account, commands));
    }

    async fn held(&self, account: usize) -> (i64, u64) {
        let (state, version) = self.load(&name(account));
        (state.balance, version as u64)
    }
}

impl<K: Kept> Rebuild for ByHand<K> {
    /// Threads share the maps out; each has rows of its own.
    async fn rebuild(&self, threads: usize) -> (Totals, Option<f64>) {
        let part = |thread: usize| {
            let mut rows = Rows::new();
            for shard in self.shards.iter().skip(thread).step_by(threads) {
                for (account, events) in shard.read().unwrap_or_else(PoisonError::into_inner).iter() {
                    for (version, event) in (1..).zip(events) {
                        event.with(|event| see(&mut rows, account, version, event));
                    }
                }
            }
            rows
        };
        let parts: Vec<Rows> = thread::scope(|scope| {
            let working: Vec<_> = (0..threads)
                .map(|thread| {
                    let part = &part;
                    scope.spawn(move || part(thread))
                })
                .collect();
            working.into_iter().map(|working| working.join().expect("it adds up")).collect()
        });
        (Totals::of(parts.iter().flat_map(HashMap::values).copied()), None)
    }
}
