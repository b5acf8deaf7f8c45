//! The laws, checked at every write where it arrives, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use headwater::{StreamName, Version};
use headwater_proof::simulation::lock;
use headwater_store_kinesis::record::Record;

use super::aws::Aws;
use super::conditions::{Item, number, text};
use super::items::{Kept, events, kept, stream};
use super::orders::TILL;
use super::purses;
use super::stream::Entry;

/// The version of a stream, as it is.
pub(crate) fn head(aws: &Aws, stream: &StreamName) -> Version {
    let ledger = lock(&aws.ledger);
    ledger.all(stream.as_str()).next_back().map_or(Version::EMPTY, |item| kept(item).last)
}

/// What a plain fold of the ledger gives at the end of a commit.
pub(crate) fn sum_at(aws: &Aws, stream: &StreamName, version: Version) -> Option<u64> {
    let (ledger, book) = (lock(&aws.ledger), lock(&aws.book));
    let (mut reached, mut sum) = (Version::EMPTY, 0);
    for item in ledger.all(stream.as_str()) {
        if reached >= version {
            break;
        }
        let place = kept(item);
        sum += book.stories.get(&place.id)?.amounts().sum::<u64>();
        reached = place.last;
    }
    (reached == version).then_some(sum)
}

/// A commit is about to be stored: at the end of its stream (L1), for the first time, as it was asked for, and not after
/// a client was told that it would not be (L3), and not behind the mark of its writer (L4).
pub(crate) fn committed(aws: &Aws, item: &Item) {
    let place = kept(item);
    let before = head(aws, &place.stream);
    if place.first != before.next() {
        aws.air.broke(format!("L1: {} at version {before} gets a commit at {}", place.stream, place.first));
    }
    let twice = lock(&aws.book).places.insert(place.id, (place.stream.clone(), place.first));
    if let Some((stream, first)) = twice {
        aws.air.broke(format!(
            "L3: commit {} is at {first} of {stream}, and again at {}",
            place.id, place.first
        ));
    }
    is_asked_for(aws, &place, item);
    let lane = item.get("w").and_then(text).and_then(|lane| lane.split_once('#'));
    let (writer, lane) = lane.expect("an item has a writer");
    let marks = lock(&aws.control).get(&key(writer)).map(marks);
    let mark = marks.and_then(|marks| marks.get(lane.parse::<usize>().ok()?).copied());
    if mark.is_some_and(|mark| item.get("q").and_then(number).is_some_and(|number| number <= mark)) {
        aws.air
            .broke(format!("L4: {} of {} arrives behind the mark of its writer", place.first, place.stream));
    }
}

/// A commit is what a client asked for, and none was told that it would not be stored.
fn is_asked_for(aws: &Aws, place: &Kept, item: &Item) {
    let Some(events) = events(item) else {
        aws.air.broke(format!("L1: the events of {} of {} cannot be read", place.first, place.stream));
        return;
    };
    if is_till(&place.stream) {
        let book = lock(&aws.book);
        let story = book.stories.get(&place.id);
        let asked = story.is_some_and(|story| story.append.events == events);
        let refused = story.is_some_and(|story| story.tries.is_refused());
        drop(book);
        if !asked || refused {
            let said = if asked { "was refused, and then carried out" } else { "was not asked for" };
            aws.air.broke(format!("L3: {} of {} {said}", place.first, place.stream));
        }
    } else {
        purses::committed(aws, place, &events, item);
    }
    lock(&aws.book).events.insert(place.id, events);
}

/// A record of a writer is about to be saved: its marks pass nothing that is not on the feed (L4).
pub(crate) fn saved(aws: &Aws, before: Option<&Item>, record: &Item) {
    let older = before.map(marks).unwrap_or_default();
    let writer = record.get("k").and_then(text).unwrap_or_default();
    for (lane, mark) in marks(record).into_iter().enumerate() {
        if older.get(lane).is_some_and(|older| mark < *older) {
            aws.air.broke(format!("L4: a mark of writer {writer} goes back to {mark}"));
        }
        if let Some(missing) = missing(aws, writer, lane, mark) {
            aws.air
                .broke(format!("L4: a mark of writer {writer} passes {missing}, which is not on the feed"));
        }
    }
}

/// A record of a writer is about to be removed: everything it stood for is on the feed (L4).
pub(crate) fn removed(aws: &Aws, key: &Item) {
    let writer = key.get("k").and_then(text).unwrap_or_default();
    let lanes = lock(&aws.control).get(key).map(marks).unwrap_or_default().len();
    for lane in 0..lanes {
        if let Some(missing) = missing(aws, writer, lane, u64::MAX) {
            aws.air.broke(format!("L4: writer {writer} is removed, and {missing} is not on the feed"));
        }
    }
}

/// The first commit of a lane that is not on the feed.
fn missing(aws: &Aws, writer: &str, lane: usize, until: u64) -> Option<String> {
    let (ledger, feed) = (lock(&aws.ledger), lock(&aws.stream));
    let lane = format!("{writer}#{lane}");
    let place = |entry: &Item| (stream(entry), Version(entry.get("v").and_then(number).unwrap_or_default()));
    let mut places = ledger.of_lane(&lane, until).map(place);
    places.find(|place| !feed.seen.contains(place)).map(|(stream, first)| format!("{first} of {stream}"))
}

fn marks(record: &Item) -> Vec<u64> {
    let marks = record.get("m").and_then(|marks| marks.get("L")?.as_array());
    marks.into_iter().flatten().filter_map(number).collect()
}

fn key(writer: &str) -> Item {
    let key = serde_json::json!({ "g": { "S": "#writers" }, "k": { "S": writer } });
    key.as_object().cloned().unwrap_or_default()
}

/// A record is about to be taken by the stream: the ledger has this commit, and it stands under its stream (L2).
pub(crate) fn is_committed(aws: &Aws, entry: &Entry) {
    let commit = &entry.record.commit;
    let book = lock(&aws.book);
    let stored = book.places.get(&commit.id) == Some(&(commit.stream.clone(), commit.first));
    let same = book.events.get(&commit.id) == Some(&commit.events);
    drop(book);
    if !stored || !same || entry.key != commit.stream.as_str() {
        aws.air.broke(format!("L2: a record is not what the ledger has: {entry:?}"));
    }
}

/// A record was taken: what its process had acknowledged of its stream before it was even asked for it is on the feed.
pub(crate) fn published(aws: &Aws, process: usize, record: &Record) {
    let commit = &record.commit;
    if record.redelivered {
        return;
    }
    let (book, feed) = (lock(&aws.book), lock(&aws.stream));
    let before = book.before.get(&(process, commit.id)).copied().unwrap_or_default();
    let acknowledged = book.acknowledged.get(&(process, commit.stream.clone()));
    let earlier = acknowledged.into_iter().flatten().take(before).filter(|first| **first < commit.first);
    let missing = earlier.copied().find(|first| !feed.seen.contains(&(commit.stream.clone(), *first)));
    drop((book, feed));
    if let Some(missing) = missing {
        aws.air.broke(format!(
            "L4: {} of {} is published before {missing}, which was there first",
            commit.first, commit.stream
        ));
    }
}

/// A commit that is not on the feed, if there is one.
pub(crate) fn unpublished(aws: &Aws) -> Option<String> {
    let (book, feed) = (lock(&aws.book), lock(&aws.stream));
    let mut places = book.places.values();
    let missing = places.find(|place| !feed.seen.contains(*place));
    missing.map(|(stream, first)| format!("{first} of {stream} does not reach the feed"))
}

/// Writers on the books.
pub(crate) fn writers(aws: &Aws) -> usize {
    lock(&aws.control).all("#writers").count()
}

/// What clients were told is so, and the feed is the ledger.
pub(crate) fn end(aws: &Aws) -> Result<(), String> {
    if let Some(missing) = unpublished(aws) {
        return Err(format!("L4: {missing}"));
    }
    let (book, feed) = (lock(&aws.book), lock(&aws.stream));
    for (id, story) in &book.stories {
        let place = book.places.get(id);
        let told = story.acknowledged.map(|first| (story.append.stream.clone(), first));
        if told.is_some() && told.as_ref() != place {
            return Err(format!("L3: {id} is told to be at {told:?}, the ledger has it at {place:?}"));
        }
        if place.is_some() && told.is_none() && story.tries.open == 0 {
            return Err(format!("L3: {id} was refused, the ledger has it at {place:?}"));
        }
    }
    lock(&aws.purses).end()?;
    let mut shards: BTreeMap<&StreamName, &str> = BTreeMap::new();
    for (shard, record) in feed.records() {
        if *shards.entry(&record.commit.stream).or_insert(shard) != shard {
            return Err(format!("L4: {} is in two shards", record.commit.stream));
        }
    }
    Ok(())
}

/// The version of a purse and what is in it.
pub(crate) fn purse(aws: &Aws, purse: &StreamName) -> (Version, u64) {
    let purses = lock(&aws.purses);
    let head = purses.head(purse);
    (head, purses.sum_at(purse, head).unwrap_or_default())
}

/// Every till of the ledger with its version and the sum of its events.
pub(crate) fn stored(aws: &Aws) -> BTreeMap<StreamName, (Version, u64)> {
    let streams: BTreeSet<StreamName> =
        lock(&aws.book).places.values().map(|(stream, _)| stream.clone()).filter(is_till).collect();
    let of = |stream: StreamName| {
        let head = head(aws, &stream);
        let sum = sum_at(aws, &stream, head).unwrap_or_default();
        (stream, (head, sum))
    };
    streams.into_iter().map(of).collect()
}

fn is_till(stream: &StreamName) -> bool {
    stream.category() == TILL
}
