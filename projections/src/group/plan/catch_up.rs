//! What a worker does about the catching up of its group.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::View;
use crate::group::{CatchUp, ItemKey};

/// One thing to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatchingUp {
    /// Note that these have to read the ledger: nobody knows them.
    Ask(BTreeSet<Arc<str>>),
    /// Take it, as it was seen, and read for those that one is able to.
    Take(CatchUp),
    /// Nothing.
    Nothing,
}

impl View<'_> {
    /// Decides what to do, when one does not read the ledger already. `able` are the generations that may be read for:
    /// those that are kept here and not paused.
    pub(crate) fn catching_up(&self, able: &BTreeSet<Arc<str>>) -> CatchingUp {
        if self.items.unreadable.contains_key(&ItemKey::CatchUp.to_string()) {
            return CatchingUp::Nothing;
        }
        let nobody = CatchUp::default();
        let item = self.items.catch_up.as_ref().unwrap_or(&nobody);
        let filled = self.filled();
        let knows = |generation: &Arc<str>| item.knows(generation) || filled.contains(&**generation);
        let unknown: BTreeSet<_> = self.generations.iter().filter(|one| !knows(one)).cloned().collect();
        if !unknown.is_empty() {
            return CatchingUp::Ask(unknown);
        }
        let is_mine = item.owner.as_ref() == Some(self.me);
        let is_free = item.owner.is_none() || is_mine || self.is_still(&ItemKey::CatchUp);
        if is_free && able.iter().any(|generation| item.is_open_for(generation)) {
            return CatchingUp::Take(item.clone());
        }
        CatchingUp::Nothing
    }

    /// The generations that were filled from history and follow the feed from behind it.
    fn filled(&self) -> BTreeSet<String> {
        let all = self.items.generations.values();
        let filled = all.flat_map(|all| {
            let filled = all.made.iter().filter(|(_, made)| !made.from.is_empty());
            filled.map(|(number, _)| all.generation(*number).to_string())
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::group::limits::{EXPIRY, ROUND};
    use crate::group::{Items, Observed, WorkerId};

    fn names(names: &[&str]) -> BTreeSet<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    /// What worker `me`, which keeps generations a and b, does about an item that it has watched standing still for so
    /// long.
    fn decide(item: Option<CatchUp>, still: Duration, able: &[&str]) -> CatchingUp {
        let items = Items { catch_up: item, ..Items::default() };
        let mut observed = Observed::default();
        let start = Instant::now();
        let mut at = Duration::ZERO;
        while at <= still {
            observed.look(&items, start + at);
            at += ROUND;
        }
        View {
            me: &WorkerId("me".into()),
            partitions: &[],
            generations: &["a".into(), "b".into()],
            items: &items,
            observed: &observed,
            held: &BTreeMap::new(),
        }
        .catching_up(&names(able))
    }

    #[test]
    fn generations_that_nobody_knows_ask_and_known_ones_do_not() {
        let ask = CatchingUp::Ask(names(&["a", "b"]));
        assert_eq!(decide(None, Duration::ZERO, &["a", "b"]), ask);
        let item = CatchUp { done: names(&["a"]), ..CatchUp::default() };
        assert_eq!(decide(Some(item.clone()), Duration::ZERO, &[]), CatchingUp::Ask(names(&["b"])));
        let item = CatchUp { done: names(&["a", "b"]), ..CatchUp::default() };
        assert_eq!(decide(Some(item), Duration::ZERO, &["a", "b"]), CatchingUp::Nothing);
    }

    #[test]
    fn it_is_taken_when_it_is_free_and_there_is_something_to_do_here() {
        let worker = |name: &str| Some(WorkerId(name.into()));
        let item = |owner| CatchUp { owner, asked: names(&["b"]), done: names(&["a"]), ..CatchUp::default() };
        let long = EXPIRY + ROUND;
        let cases = [
            (None, Duration::ZERO, ["a", "b"].as_slice(), true),
            (None, Duration::ZERO, &["a"], false),
            (worker("me"), Duration::ZERO, &["b"], true),
            (worker("other"), EXPIRY - ROUND, &["b"], false),
            (worker("other"), long, &["b"], true),
            (worker("other"), long, &["a"], false),
        ];
        for (owner, still, able, taken) in cases {
            let item = item(owner);
            let expected = if taken { CatchingUp::Take(item.clone()) } else { CatchingUp::Nothing };
            assert_eq!(decide(Some(item), still, able), expected, "{still:?} {able:?}");
        }
        let reading = CatchUp { reading: names(&["b"]), done: names(&["a"]), ..CatchUp::default() };
        assert_eq!(decide(Some(reading.clone()), Duration::ZERO, &["b"]), CatchingUp::Take(reading));
    }
}
