//! Rebuilds that are asked for while others are there: open, over, of other code, silent, or in a form that is not known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use headwater_projections::backfill::{
    AskedFor, Budget, Operation, OperationState, Operations, Target, limits::OPERATIONS_KEPT,
};
use headwater_projections::group::limits::{EXPIRY, ROUND, WATCHING};
use headwater_projections::group::{
    Document, Item, ItemKey, Items, LeaseError, MemoryLeases, Saved, WorkerId,
};
use headwater_projections::{GROUP, LeaseStore};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::operations::{Slow, asked, backfill, operations, until, wish, world};
use super::world::World;
use crate::model::Balance;

/// Leases in memory that are odd in some way.
#[derive(Debug, Default)]
struct Odd {
    leases: Arc<MemoryLeases>,
    /// How long it takes to list them.
    listing: Duration,
    /// A document that is listed as one that cannot be read.
    hidden: Option<&'static str>,
    /// Whether the next write of a document that is there comes after one of its process.
    overtaken: AtomicBool,
}

#[async_trait]
impl LeaseStore for Odd {
    async fn list(&self, group: &str) -> Result<Items, LeaseError> {
        sleep(self.listing).await;
        let mut items = self.leases.list(group).await?;
        let hidden = self.hidden.filter(|name| items.documents.remove(*name).is_some());
        items.unreadable.extend(hidden.map(|name| (format!("document/{name}"), "an odd one".to_owned())));
        Ok(items)
    }
    async fn save(&self, group: &str, item: &Item, counter: Option<u64>) -> Result<Saved, LeaseError> {
        if let (Item::Document(document), Some(counter)) = (item, counter)
            && self.overtaken.swap(false, Ordering::Relaxed)
        {
            let there = self.leases.list(group).await?.documents.remove(&document.name).unwrap();
            let alive = Document { counter: counter + 1, ..there };
            assert_eq!(self.leases.save(group, &alive.into(), Some(counter)).await?, Saved::Done);
        }
        self.leases.save(group, item, counter).await
    }
    async fn delete(&self, group: &str, key: &ItemKey, counter: u64) -> Result<Saved, LeaseError> {
        self.leases.delete(group, key, counter).await
    }
}

fn odd(world: &World, odd: Odd) -> Operations {
    Operations::new(Arc::new(Odd { leases: Arc::clone(&world.leases), ..odd }), GROUP)
}

fn group() -> String {
    format!("operations/{GROUP}")
}

/// One that a process has begun that says no more of it.
async fn begun(operations: &Operations) -> Operation {
    let target = Target::of::<Balance>().unwrap();
    operations.begin(&target, &wish("the command"), &WorkerId::random()).await.unwrap()
}

/// What is written down of an operation.
async fn written(world: &World, id: &str) -> Value {
    let documents = world.leases.list(&group()).await.unwrap().documents;
    serde_json::from_str(&documents[id].json).unwrap()
}

async fn there(operations: &Operations, version: u32) -> Arc<str> {
    match operations.ask("balances", version, &wish("bob")).await.unwrap() {
        AskedFor::There(operation) => operation.id,
        AskedFor::New(operation) => panic!("{operation:?} is new"),
    }
}

async fn new(operations: &Operations, version: u32) -> Operation {
    match operations.ask("balances", version, &wish("bob")).await.unwrap() {
        AskedFor::New(operation) => operation,
        AskedFor::There(operation) => panic!("{operation:?} is there"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_one_is_found_behind_a_newer_one_that_has_ended() {
    for queued in [true, false] {
        let world = world().await;
        let (elsewhere, first) = match queued {
            true => {
                let elsewhere = operations(&world);
                let first = asked(&elsewhere).await.id;
                (elsewhere, first)
            }
            false => {
                let slow = Slow::begun(&world).await;
                until(&slow.elsewhere, &slow.id, |one| one.state == OperationState::Running).await;
                (slow.elsewhere, slow.id)
            }
        };
        let (_stop, stopped) = watch::channel(true);
        let newer = begun(&elsewhere).await;
        let of_command = backfill(&world, Budget::Unlimited);
        assert!(elsewhere.carry_out(newer, &of_command, stopped).await.is_err());
        assert_eq!(elsewhere.get("balances-2").await.unwrap().state, OperationState::Interrupted);
        assert_eq!((queued, there(&operations(&world), 1).await), (queued, first));
    }
}

#[tokio::test(start_paused = true)]
async fn every_one_whose_process_is_gone_is_given_up() {
    let world = world().await;
    let mine = operations(&world);
    begun(&mine).await;
    begun(&mine).await;
    assert_eq!(&*new(&operations(&world), 1).await.id, "balances-3");
    for id in ["balances-1", "balances-2"] {
        assert_eq!(written(&world, id).await["state"], "interrupted", "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_in_a_form_that_is_not_known_holds_up_no_other() {
    for hidden in [None, Some("balances-2")] {
        let world = world().await;
        let operations = odd(&world, Odd { hidden, ..Odd::default() });
        let id = asked(&operations).await.id;
        operations.cancel(&id, "bob").await.unwrap();
        let newer = Document { name: "balances-2".into(), counter: 9, json: r#"{"form": 2}"#.into() };
        assert_eq!(world.leases.save(&group(), &newer.clone().into(), None).await.unwrap(), Saved::Done);
        // Another projection has numbers of its own.
        let other = Document { name: "balances-of-1-7".into(), ..newer };
        assert_eq!(world.leases.save(&group(), &other.into(), None).await.unwrap(), Saved::Done);
        assert_eq!((hidden, &*asked(&operations).await.id), (hidden, "balances-3"));
        assert_eq!(&*begun(&operations).await.id, "balances-4");
        assert_eq!(written(&world, "balances-2").await, json!({"form": 2}), "it is left alone");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_other_code_is_superseded_and_one_under_way_is_not() {
    let world = world().await;
    let operations = operations(&world);
    let old = new(&operations, 1).await.id;
    let next = new(&operations, 2).await;
    assert_eq!((&*next.id, next.version), ("balances-2", 2));
    let superseded = operations.get(&old).await.unwrap();
    assert_eq!(superseded.state, OperationState::Cancelled);
    assert_eq!(superseded.cancelled_by.as_deref(), Some("bob"));
    assert_eq!(superseded.report.notes, ["superseded by version 2"]);
    assert_eq!(there(&operations, 2).await, next.id);

    operations.cancel(&next.id, "bob").await.unwrap();
    let slow = Slow::begun(&world).await;
    until(&slow.elsewhere, &slow.id, |one| one.state == OperationState::Running).await;
    let asked_at = Instant::now();
    assert_eq!(there(&slow.elsewhere, 2).await, slow.id, "the last to end would be live");
    assert!(asked_at.elapsed() < WATCHING, "it is alive: {:?}", asked_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_nobody_watched_does_not_count_as_standing_still() {
    let world = world().await;
    let (mine, elsewhere) = (operations(&world), operations(&world));
    let running = begun(&mine).await;
    let id = Arc::clone(&running.id);
    assert_eq!(elsewhere.get(&id).await.unwrap().state, OperationState::Running);
    // Nobody can reach the leases for so long.
    sleep(EXPIRY + ROUND).await;
    assert_eq!(elsewhere.get(&id).await.unwrap().state, OperationState::Running);
    let (stop, stopped) = watch::channel(false);
    let of_command = backfill(&world, Budget::WriteUnits(2));
    let work = tokio::spawn(async move { mine.carry_out(running, &of_command, stopped).await });
    assert_eq!(there(&elsewhere, 1).await, id);
    stop.send_replace(true);
    assert!(work.await.unwrap().is_err());

    // Who was watched, and is not alive, stays so.
    let silent = begun(&elsewhere).await.id;
    until(&elsewhere, &silent, |one| one.state == OperationState::Interrupted).await;
    sleep(10 * WATCHING).await;
    assert_eq!(elsewhere.get(&silent).await.unwrap().state, OperationState::Interrupted);
    assert_eq!(written(&world, &silent).await["state"], "running", "looking writes nothing");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_work_notices_by_itself_that_the_process_of_another_is_gone() {
    let world = world().await;
    let (elsewhere, me) = (operations(&world), WorkerId::random());
    let begun = begun(&operations(&world)).await;
    let look = async || {
        assert_eq!(elsewhere.take(&me, |_| true).await.unwrap(), None);
        let at = Instant::now();
        elsewhere.wait(2 * WATCHING).await;
        at.elapsed()
    };
    let mut watched = Duration::ZERO;
    while watched < EXPIRY + WATCHING {
        watched += look().await;
    }
    assert_eq!(look().await, 2 * WATCHING, "there is nothing more to watch");
    assert_eq!(elsewhere.get(&begun.id).await.unwrap().state, OperationState::Interrupted);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_shows_life_at_the_last_moment_is_not_given_up() {
    let world = world().await;
    let overtaken = || odd(&world, Odd { overtaken: true.into(), ..Odd::default() });
    let id = begun(&operations(&world)).await.id;
    assert_eq!(there(&overtaken(), 1).await, id);
    assert_eq!(written(&world, &id).await["state"], "running");
    overtaken().interrupt_all().await.unwrap();
    assert_eq!(written(&world, &id).await["state"], "interrupted", "it was said that it is");
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_watched_is_left_alone_and_whoever_asks_waits_no_longer_than_was_said() {
    let world = world().await;
    let id = begun(&operations(&world)).await.id;
    let listing = WATCHING + ROUND;
    let asked_at = Instant::now();
    assert_eq!(there(&odd(&world, Odd { listing, ..Odd::default() }), 1).await, id);
    assert!(asked_at.elapsed() <= EXPIRY + 2 * ROUND + 2 * listing, "{:?}", asked_at.elapsed());
    for listing in [Duration::ZERO, ROUND / 3, ROUND] {
        let asked_at = Instant::now();
        let new = new(&odd(&world, Odd { listing, ..Odd::default() }), 1).await;
        let waited = asked_at.elapsed();
        assert!(waited >= EXPIRY && waited <= EXPIRY + 2 * ROUND + listing, "{listing:?}: {waited:?}");
        operations(&world).cancel(&new.id, "bob").await.unwrap();
        begun(&operations(&world)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_those_that_have_ended_the_newest_are_shown_and_all_that_are_open() {
    let world = world().await;
    let operations = operations(&world);
    let open = begun(&operations).await.id;
    for _ in 0..OPERATIONS_KEPT + 2 {
        let other = operations.ask("others", 1, &wish("ada")).await.unwrap();
        let (_stop, stopped) = watch::channel(true);
        let of_command = backfill(&world, Budget::Unlimited);
        let running = begun(&operations).await;
        assert!(operations.carry_out(running, &of_command, stopped).await.is_err());
        let AskedFor::New(other) = other else { panic!("{other:?}") };
        operations.cancel(&other.id, "bob").await.unwrap();
        let listed = operations.list().await.unwrap();
        let ended = |projection: &str| {
            let of = listed.iter().filter(|one| *one.projection == *projection);
            of.filter(|one| one.state.is_ended()).count()
        };
        assert!(ended("balances") <= OPERATIONS_KEPT && ended("others") <= OPERATIONS_KEPT, "{listed:?}");
        assert!(listed.iter().any(|one| one.id == open), "{listed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asked_first_is_served_first() {
    let world = world().await;
    let operations = operations(&world);
    for (projection, minute) in [("z", 1), ("m", 2), ("a", 3), ("b", 2)] {
        operations.ask(projection, 1, &wish("ada")).await.unwrap();
        let name: Arc<str> = format!("{projection}-1").into();
        let mut asked = written(&world, &name).await;
        asked["asked_at"] = json!(format!("2026-01-01T00:0{minute}:00Z"));
        let again = Document { name, counter: 2, json: asked.to_string().into() };
        assert_eq!(world.leases.save(&group(), &again.into(), Some(1)).await.unwrap(), Saved::Done);
    }
    let mut taken = Vec::new();
    while let Some(one) = operations.take(&WorkerId::random(), |_| true).await.unwrap() {
        taken.push(one.id.to_string());
    }
    assert_eq!(taken, ["z-1", "b-1", "m-1", "a-1"]);
}
