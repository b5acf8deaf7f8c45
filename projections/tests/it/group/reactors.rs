//! Reactors: effects and commands exactly once, whatever is repeated, lost or killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater::store::Read;
use headwater::testing::counter::{Counter, CounterCommand, CounterEvent};
use headwater::{Decoded, Event, EventStoreExt, Id, Recorded};
use headwater_projections::reactor::limits::REACTION_TRIES;
use headwater_projections::reactor::{React, ReactError, Reaction, Reactor, Trigger};
use headwater_projections::rows::Generation;
use headwater_projections::{CauseKind, Mended, Order, Parked, RowStore, Runner};

use super::world::World;
use crate::harness::live;
use crate::model::{Account, AccountEvent, Balance, Total, account, deposited};

/// Adds what is deposited to a counter for the day, and writes a letter.
#[derive(Debug, Clone, Default)]
struct Post {
    outside: Arc<Mutex<Outside>>,
    corrected: bool,
}

/// The world outside: it knows idempotency keys, and it is not reliable.
#[derive(Debug, Default)]
struct Outside {
    letters: BTreeMap<String, String>,
    tries: u64,
    /// Every n-th letter fails on its way there, and every n-th answer is lost.
    failures: u64,
    slow: Duration,
}

impl Reactor for Post {
    const NAME: &'static str = "post";
    fn sources() -> Vec<Trigger<Self>> {
        vec![Trigger::of::<Account>()]
    }
}

impl React<Account> for Post {
    fn react(&self, event: &Recorded<'_, AccountEvent>) -> Result<Reaction, ReactError> {
        match event.event {
            AccountEvent::Deposited { amount, day } => {
                let command = CounterCommand::Add { amount: u64::try_from(*amount)? };
                Ok(Reaction::command(&Id::<Counter>::new(day)?, command))
            }
            AccountEvent::Closed {} => {
                let (outside, text) = (Arc::clone(&self.outside), event.stream.to_string());
                Ok(Reaction::effect(|key| async move {
                    let (fails, answer_lost, slow) = {
                        let mut outside = outside.lock().unwrap();
                        outside.tries += 1;
                        let every = |n: u64| outside.failures > 0 && outside.tries.is_multiple_of(n);
                        (every(outside.failures), every(outside.failures + 1), outside.slow)
                    };
                    tokio::time::sleep(slow).await;
                    if fails {
                        return Err("the letter box is closed".into());
                    }
                    outside.lock().unwrap().letters.insert(key.to_string(), text);
                    if answer_lost { Err("no receipt".into()) } else { Ok(()) }
                }))
            }
            AccountEvent::Poison {} if self.corrected => Ok(Reaction::none()),
            AccountEvent::Poison {} => {
                // More than there is: refused.
                Ok(Reaction::command(&Id::<Counter>::new("nothing")?, CounterCommand::Subtract { amount: 1 }))
            }
            AccountEvent::Noted {} => Ok(Reaction::none()),
        }
    }
}

fn runner(world: &World, post: &Post) -> Runner {
    let runner = world.runner().projection::<Balance>().unwrap().projection::<Total>().unwrap();
    runner.reactor(post.clone()).unwrap()
}

/// What was added to each counter, commit by commit.
async fn added(world: &World) -> BTreeMap<String, Vec<u64>> {
    let mut counters = BTreeMap::new();
    for day in ["mon", "tue", "wed"] {
        let stream = Id::<Counter>::new(day).unwrap().stream().clone();
        let commits = world.ledger.read_all(&stream, Read::all()).await.unwrap();
        let events =
            commits.iter().flat_map(|commit| &commit.events).map(|data| {
                match CounterEvent::decode(&data.name, data.schema, &data.payload).unwrap() {
                    Decoded::One(CounterEvent::Added { amount }) => amount,
                    other => panic!("{other:?}"),
                }
            });
        let mut amounts: Vec<u64> = events.collect();
        amounts.sort_unstable();
        counters.insert(day.to_owned(), amounts);
    }
    counters
}

/// What should have been done: the amounts of each day, and how many letters.
fn wanted(world: &World) -> (BTreeMap<String, Vec<u64>>, usize) {
    let mut days: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut closed = 0;
    for day in ["mon", "tue", "wed"] {
        days.insert(day.to_owned(), Vec::new());
    }
    for event in world.plain.values().flatten() {
        match event {
            // Nothing happens when nothing is added.
            AccountEvent::Deposited { amount: 0, .. } => {}
            AccountEvent::Deposited { amount, day } => days.get_mut(day).unwrap().push(*amount as u64),
            AccountEvent::Closed {} => closed += 1,
            AccountEvent::Noted {} | AccountEvent::Poison {} => {}
        }
    }
    days.values_mut().for_each(|amounts| amounts.sort_unstable());
    (days, closed)
}

async fn is_done(world: &World, post: &Post) -> bool {
    let (days, closed) = wanted(world);
    let letters = post.outside.lock().unwrap().letters.len();
    letters == closed && added(world).await == days
}

async fn parked(world: &World) -> Vec<Parked> {
    world.rows.inside().parked(&Generation::new("post", 1), None, 100).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn commands_and_effects_happen_exactly_once_whoever_dies_and_whatever_is_repeated() {
    for seed in 0..10 {
        let mut world = World::new(6, 3, 20, seed);
        let post = Post::default();
        post.outside.lock().unwrap().failures = 7;
        // Reads and writes fail, answers are lost, records expire, and two owners are alive at once.
        world.feed.misbehave(0, 20, seed);
        for slot in 0..3 {
            let runner = runner(&world, &post);
            world.start_with(slot, runner);
        }
        for _ in 0..25 {
            let commits = world.random.below(20);
            world.load(commits).await;
            let pause = world.random.millis(2_000);
            tokio::time::sleep(pause).await;
            let (slot, number) = (world.random.below(3), world.random.below(20));
            match world.random.below(8) {
                0 | 1 => world.kill(slot).await,
                2 => world.stop(slot).await,
                3 => {
                    let Some(running) = &world.workers[slot] else { continue };
                    let late = world.random.one_in(2);
                    running.leases.be_late(late);
                }
                4 => world.feed.split(number),
                5 => world.feed.expire(),
                _ if world.workers[slot].is_none() => {
                    let runner = runner(&world, &post);
                    world.start_with(slot, runner);
                }
                _ => {}
            }
        }
        for slot in 0..3 {
            if let Some(running) = &world.workers[slot] {
                running.leases.be_late(false);
            } else {
                let runner = runner(&world, &post);
                world.start_with(slot, runner);
            }
        }
        world.until_exact().await;
        world.until("everything is done", async |world| is_done(world, &post).await).await;
        let texts: BTreeSet<_> = post.outside.lock().unwrap().letters.values().cloned().collect();
        assert!(texts.iter().all(|text| text.starts_with("account/")));
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert!(is_done(&world, &post).await, "and nothing is done again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reaction_that_is_refused_parks_its_stream_and_corrected_code_goes_on_behind_it() {
    let mut world = World::new(2, 1, 0, 40);
    let post = Post::default();
    world.start_with(0, runner(&world, &post));
    for (id, event) in [
        ("1", deposited(5, "mon")),
        ("1", AccountEvent::Poison {}),
        ("2", deposited(7, "mon")),
        ("1", deposited(6, "mon")),
        ("2", AccountEvent::Closed {}),
    ] {
        world.append(id, vec![event]).await;
    }
    let others = async |world: &World| {
        added(world).await["mon"] == [5, 7] && post.outside.lock().unwrap().letters.len() == 1
    };
    world.until("others flow on", others).await;
    world.until("it is parked", async |world| parked(world).await.iter().any(|one| one.highest.0 == 3)).await;
    let record = parked(&world).await.remove(0);
    assert_eq!((&record.stream, record.first_failing.0), (&account("1"), 2));
    assert_eq!(record.cause.kind, CauseKind::Reaction);
    assert!(record.cause.message.contains("counter/nothing"), "{}", record.cause.message);
    world.stop(0).await;

    let corrected = Post { corrected: true, ..post.clone() };
    let runner = runner(&world, &corrected);
    let control = runner.control();
    world.start_with(0, runner);
    let order = Order { who: "ada".to_owned(), reason: "it reacts to nothing now".to_owned() };
    let mended = async |_: &World| match control.retry("post", &account("1"), &order).await {
        Ok(mended) => mended == Mended::Applied || mended == Mended::NotParked,
        Err(_) => false,
    };
    world.until("it is tried again", mended).await;
    world.until("all is done", async |world| added(world).await["mon"] == [5, 6, 7]).await;
    assert!(parked(&world).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_goes_on_failing_is_tried_a_few_times_and_then_by_and_by() {
    let mut world = World::new(2, 1, 0, 50);
    let post = Post::default();
    post.outside.lock().unwrap().failures = 1;
    world.start_with(0, runner(&world, &post));
    world.append("1", vec![AccountEvent::Closed {}]).await;
    world.until("it is parked", async |world| !parked(world).await.is_empty()).await;
    let record = parked(&world).await.remove(0);
    assert_eq!(record.cause.message, "the letter box is closed");
    assert!(post.outside.lock().unwrap().tries >= u64::from(REACTION_TRIES));
    post.outside.lock().unwrap().failures = 0;
    world.until("it is mended by itself", async |world| parked(world).await.is_empty()).await;
    assert_eq!(post.outside.lock().unwrap().letters.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_effect_holds_up_no_row() {
    let mut world = World::new(1, 1, 0, 60);
    let post = Post::default();
    post.outside.lock().unwrap().slow = Duration::from_secs(8);
    world.start_with(0, runner(&world, &post));
    world.until_shared(&[1]).await;
    for id in 0..40 {
        world.append(&format!("slow-{id}"), vec![AccountEvent::Closed {}]).await;
    }
    for id in 0..20 {
        let id = format!("new-{id}");
        world.append(&id, vec![deposited(1, "mon")]).await;
        let there =
            async |world: &World| live::<Balance>(world.rows.inside()).await.contains_key(id.as_str());
        let took = world.until("a row", there).await;
        assert!(took < Duration::from_secs(2), "it took {took:?}");
    }
    assert!(post.outside.lock().unwrap().letters.len() < 40, "the letters are still on their way");
    world.until("they arrive", async |world| is_done(world, &post).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_reactor_stands_still_and_goes_on_where_it_was() {
    let mut world = World::new(2, 1, 0, 70);
    let post = Post::default();
    world.start_with(0, runner(&world, &post));
    world.load(50).await;
    world.until("all is done", async |world| is_done(world, &post).await).await;
    world.control(0).pause("post").unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.load(50).await;
    world.until_exact().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!is_done(&world, &post).await);
    world.control(0).resume("post").unwrap();
    world.until("all is done", async |world| is_done(world, &post).await).await;
}

#[test]
fn a_reactor_has_a_name_of_its_own() {
    let world = World::new(1, 1, 0, 80);
    let error = runner(&world, &Post::default()).reactor(Post::default()).unwrap_err();
    assert!(error.to_string().contains("post is used twice"), "{error}");
}
