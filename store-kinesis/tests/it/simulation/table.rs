//! A simulated table: conditional writes at once, replicas and an index that are late.

use std::collections::BTreeMap;

use serde_json::Value;

use super::conditions::{Item, Wanted, number, text};

/// A key as texts and numbers are ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    Number(u64),
    Text(String),
}

#[derive(Debug)]
pub(crate) struct Table {
    partition: &'static str,
    sort: &'static str,
    rows: BTreeMap<(String, Sort), Row>,
    /// Keys by writer and number, and from when on a query sees each. Items of the ledger never change.
    index: BTreeMap<(String, u64), (Item, u64)>,
}

#[derive(Debug, Default)]
struct Row {
    item: Option<Item>,
    /// What replicas have until then.
    older: Option<Item>,
    replicated_at: u64,
}

/// How a query is asked.
#[derive(Debug)]
pub(crate) struct How {
    pub(crate) forward: bool,
    pub(crate) strong: bool,
    pub(crate) limit: usize,
    pub(crate) start: Option<Item>,
    pub(crate) now: u64,
}

/// What a query gives, and the key it stopped at.
pub(crate) type Found = (Vec<Item>, Option<Item>);

impl Table {
    pub(crate) fn new(partition: &'static str, sort: &'static str) -> Self {
        Self { partition, sort, rows: BTreeMap::new(), index: BTreeMap::new() }
    }

    pub(crate) fn get(&self, key: &Item) -> Option<&Item> {
        self.rows.get(&self.key(key))?.item.as_ref()
    }

    /// Writes or removes an item; replicas and index show it later.
    pub(crate) fn put(&mut self, key: &Item, item: Option<Item>, now: u64, lags: (u64, u64)) {
        if let Some(item) = &item
            && let (Some(writer), Some(number)) =
                (item.get("w").and_then(text), item.get("q").and_then(number))
        {
            let names = [self.partition, self.sort, "w", "q"];
            let entry = names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
            self.index.insert((writer.to_owned(), number), (entry.collect(), now + lags.1));
        }
        let row = self.rows.entry(self.key(key)).or_default();
        if now >= row.replicated_at {
            row.older = row.item.take();
        }
        row.item = item;
        row.replicated_at = now + lags.0;
    }

    pub(crate) fn query(&self, wanted: &Wanted, how: &How) -> Found {
        let start = how.start.as_ref().map(|start| self.key(start));
        let rows = self.rows.iter().filter(|((partition, sort), _)| {
            let inside = match sort {
                Sort::Number(sort) => (wanted.from..=wanted.until).contains(sort),
                Sort::Text(_) => true,
            };
            *partition == wanted.partition && inside
        });
        let seen = rows.filter_map(|(key, row)| {
            let late = !how.strong && how.now < row.replicated_at;
            let item = if late { row.older.as_ref() } else { row.item.as_ref() };
            Some((key.clone(), item?))
        });
        let keys = [self.partition, self.sort];
        page(seen, start.as_ref(), how, &keys)
    }

    pub(crate) fn query_index(&self, wanted: &Wanted, how: &How) -> Found {
        let key = |item: &Item| {
            let writer = item.get("w").and_then(text).unwrap_or_default().to_owned();
            (writer, item.get("q").and_then(number).unwrap_or_default())
        };
        let start = how.start.as_ref().map(key);
        let entries = self.index.iter().filter(|((writer, number), (_, seen_at))| {
            let inside = (wanted.from..=wanted.until).contains(number);
            *writer == wanted.partition && inside && *seen_at <= how.now
        });
        let keys = [self.partition, self.sort, "w", "q"];
        page(entries.map(|(key, (entry, _))| (key.clone(), entry)), start.as_ref(), how, &keys)
    }

    /// Everything in a partition, as it is.
    pub(crate) fn all<'a>(&'a self, partition: &'a str) -> impl DoubleEndedIterator<Item = &'a Item> {
        let rows = self.rows.iter().filter(move |((of, _), _)| of == partition);
        rows.filter_map(|(_, row)| row.item.as_ref())
    }

    /// What a writer has stored in a lane up to a number, as it is.
    pub(crate) fn of_lane(&self, lane: &str, until: u64) -> impl Iterator<Item = &Item> {
        self.index.range((lane.to_owned(), 0)..=(lane.to_owned(), until)).map(|(_, (entry, _))| entry)
    }

    fn key(&self, item: &Item) -> (String, Sort) {
        let partition = item.get(self.partition).and_then(text).unwrap_or_default().to_owned();
        let sort = item.get(self.sort).unwrap_or(&Value::Null);
        let sort = match number(sort) {
            Some(number) => Sort::Number(number),
            None => Sort::Text(text(sort).unwrap_or_default().to_owned()),
        };
        (partition, sort)
    }
}

/// The page of what a query sees, and the key of its last item when there may be more.
fn page<'a, K: Ord>(
    seen: impl DoubleEndedIterator<Item = (K, &'a Item)>,
    start: Option<&K>,
    how: &How,
    keys: &[&str],
) -> Found {
    let mut seen: Vec<_> = seen.collect();
    if !how.forward {
        seen.reverse();
    }
    let behind = |key: &K| start.is_none_or(|start| if how.forward { key > start } else { key < start });
    let mut items: Vec<&Item> = seen.iter().filter(|(key, _)| behind(key)).map(|(_, item)| *item).collect();
    items.truncate(how.limit);
    let last = items.last().filter(|_| items.len() == how.limit);
    let last = last.map(|item| {
        let of_key = |name: &&str| Some(((*name).to_owned(), item.get(*name)?.clone()));
        keys.iter().filter_map(of_key).collect()
    });
    (items.into_iter().cloned().collect(), last)
}
