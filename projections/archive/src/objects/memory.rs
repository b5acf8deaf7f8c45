//! Objects in memory, for tests: every call takes a moment before and after what it does, and some fail or lose answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;

use super::{Listed, Listing, Object, ObjectError, Objects, Put, Words};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// It fails before anything is done.
    Refused,
    /// It is carried out, and its answer is lost.
    LostAnswer,
}

/// A store of objects that forgets everything when it is dropped. Clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryObjects {
    state: Arc<Mutex<State>>,
    hangs: Arc<Notify>,
    /// Whether nothing happens to the calls of this handle.
    sound: bool,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    mishaps: VecDeque<Mishap>,
    /// What is known of the calls so far: their names and keys.
    calls: Vec<(&'static str, String)>,
    /// One of so many calls has a mishap, and each takes a moment of up to so many milliseconds.
    storm: Option<(u32, u64)>,
    /// Calls until one hangs for ever, and whether it is carried out first.
    hang: Option<(usize, bool)>,
}

/// What a call is going to meet.
struct Fate {
    mishap: Mishap,
    before: Duration,
    after: Duration,
    /// Whether it hangs, and whether it is carried out first.
    hang: Option<bool>,
}

impl MemoryObjects {
    /// A store without objects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same objects for whoever checks: nothing happens to these calls, and they are not written down.
    #[must_use]
    pub fn sound(&self) -> Self {
        Self { sound: true, ..self.clone() }
    }

    /// What happens to the next calls.
    pub fn will(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.state().mishaps.extend(mishaps);
    }

    /// From now on one of so many calls fails or loses its answer, and all take up to so many milliseconds before and
    /// after what they do.
    pub fn storm(&self, rarity: u32, millis: u64) {
        self.state().storm = Some((rarity, millis));
    }

    /// Lets the call behind the next `calls` hang for ever, before or after it is carried out.
    pub fn hang_after(&self, calls: usize, carried_out: bool) {
        self.state().hang = Some((calls, carried_out));
    }

    /// Waits until the call hangs that [`hang_after`](Self::hang_after) has named.
    pub async fn hanging(&self) {
        self.hangs.notified().await;
    }

    /// The calls since the last time: their names and what they were about.
    #[must_use]
    pub fn calls(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.state().calls)
    }

    /// Puts an object whatever is there, as nobody but a test would.
    pub fn overwrite(&self, key: &str, object: Object) {
        self.state().objects.insert(key.to_owned(), object);
    }

    /// Deletes an object, as nobody but a test would.
    pub fn delete(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// No code of others runs under this lock, so a poisoned one still holds whole data.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        name: &'static str,
        key: &str,
        work: impl FnOnce(&mut State) -> Result<T, ObjectError>,
    ) -> Result<T, ObjectError> {
        let unavailable =
            || ObjectError::Unavailable { attempted: format!("{name} {key}"), source: "shaky".into() };
        if self.sound {
            return work(&mut self.state());
        }
        let fate = self.fate(name, key);
        tokio::time::sleep(fate.before).await;
        // A kill may find a call before it is carried out as well as after.
        tokio::task::yield_now().await;
        if fate.hang == Some(false) {
            self.hang().await;
        }
        if fate.mishap == Mishap::Refused {
            return Err(unavailable());
        }
        let answer = work(&mut self.state());
        if fate.hang == Some(true) {
            self.hang().await;
        }
        tokio::time::sleep(fate.after).await;
        tokio::task::yield_now().await;
        if fate.mishap == Mishap::LostAnswer { Err(unavailable()) } else { answer }
    }

    fn fate(&self, name: &'static str, key: &str) -> Fate {
        let mut state = self.state();
        state.calls.push((name, key.to_owned()));
        let hang = match &mut state.hang {
            Some((0, carried_out)) => Some(*carried_out),
            Some((calls, _)) => {
                *calls -= 1;
                None
            }
            None => None,
        };
        if hang.is_some() {
            state.hang = None;
        }
        let ordered = state.mishaps.pop_front();
        let Some((rarity, millis)) = state.storm else {
            let mishap = ordered.unwrap_or(Mishap::None);
            return Fate { mishap, before: Duration::ZERO, after: Duration::ZERO, hang };
        };
        let moment = || Duration::from_millis(fastrand::u64(0..=millis));
        let storm = || match fastrand::u32(0..rarity * 2) {
            0 => Mishap::Refused,
            1 => Mishap::LostAnswer,
            _ => Mishap::None,
        };
        Fate { mishap: ordered.unwrap_or_else(storm), before: moment(), after: moment(), hang }
    }

    async fn hang(&self) {
        self.hangs.notify_one();
        std::future::pending::<()>().await;
    }
}

fn missing(key: &str) -> ObjectError {
    ObjectError::Missing { key: key.to_owned() }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, ObjectError> {
        /// Small, so that every test of a listing has pages.
        const PAGE: usize = 3;
        self.call("list", prefix, |state| {
            let wanted =
                |key: &&String| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after);
            let keys: Vec<_> = state.objects.keys().filter(wanted).take(PAGE + 1).cloned().collect();
            let listed = |key: &String| {
                let bytes = state.objects.get(key).map_or(0, |object| object.body.len() as u64);
                Listed { key: key.clone(), bytes }
            };
            Ok(Listing { objects: keys.iter().take(PAGE).map(listed).collect(), more: keys.len() > PAGE })
        })
        .await
    }

    async fn look(&self, key: &str) -> Result<(Words, u64), ObjectError> {
        self.call("look", key, |state| {
            let object = state.objects.get(key).ok_or_else(|| missing(key))?;
            Ok((object.words.clone(), object.body.len() as u64))
        })
        .await
    }

    async fn get(&self, key: &str) -> Result<Object, ObjectError> {
        self.call("get", key, |state| state.objects.get(key).cloned().ok_or_else(|| missing(key))).await
    }

    async fn put_new(&self, key: &str, body: Bytes, words: &Words) -> Result<Put, ObjectError> {
        self.call("put", key, |state| {
            if state.objects.contains_key(key) {
                return Ok(Put::Taken);
            }
            state.objects.insert(key.to_owned(), Object { body, words: words.clone() });
            Ok(Put::Done)
        })
        .await
    }
}
