//! Generations beside the live one: kept, promoted, gone back to, dropped; and code of another version.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::{Recorded, Version};
use headwater_projections::group::{Generations, Item, Saved};
use headwater_projections::rows::{Generation, List};
use headwater_projections::{LeaseStore, Order, OrderError, Project, ReadError, ReadModels, RowStore};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::world::World;
use crate::model::{Account, AccountEvent, Balance, Total, account, deposited, plain_balances};

/// The balances of a later program: they count money twice.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "balances", version = 2, from(Account))]
struct DoubleBalance {
    double: i64,
}

impl Project<Account> for DoubleBalance {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        if let AccountEvent::Deposited { amount, .. } = event.event {
            self.double += 2 * amount;
        }
    }
}

async fn generations(world: &World) -> Generations {
    world.all_leases.list("accounts").await.unwrap().generations.remove("balances").unwrap()
}

/// Changes the generations as a command would.
async fn change(world: &World, change: impl Fn(&Generations) -> Generations) -> Generations {
    let before = generations(world).await;
    let next = change(&before);
    let item = Item::from(next.clone());
    let saved = world.all_leases.save("accounts", &item, Some(before.counter)).await.unwrap();
    assert_eq!(saved, Saved::Done);
    next
}

/// A second generation by the same code, from the oldest record of the feed on.
async fn second(world: &World) -> Generation {
    let next = change(world, |all| {
        let (all, number) = all.with_new(1, BTreeMap::new()).unwrap();
        all.following(number).unwrap()
    });
    next.await.generation(2)
}

/// Whether in every partition both generations are equally far, as two looks in a row say.
async fn level(world: &World, generation: &Generation) -> bool {
    let live = generations(world).await.live().to_string();
    let leases = world.all_leases.list("accounts").await.unwrap().leases;
    let at = |name: &str| leases.values().map(|l| l.checkpoints.get(name).cloned()).collect::<Vec<_>>();
    at(&live) == at(&generation.to_string())
}

async fn rows(world: &World, generation: &Generation) -> BTreeMap<String, (i64, u64)> {
    let page = world.rows.inside().list(generation, &List { after: None, limit: 1_000 }).await.unwrap();
    let read = |json: &[u8]| serde_json::from_slice::<Balance>(json).unwrap();
    let rows = page.rows.into_iter().map(|row| (row.key, read(&row.fields.unwrap())));
    rows.map(|(key, row)| (key, (row.balance, row.events))).collect()
}

/// Queries rows all the time; ends with the generations that answered, when one is gone or has gone back.
fn watch(models: ReadModels, keys: usize) -> (Arc<std::sync::atomic::AtomicBool>, JoinHandle<Vec<u32>>) {
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let task = tokio::spawn(async move {
        let (mut seen, mut answered) = (BTreeMap::new(), Vec::new());
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            for key in (0..keys).map(|key| key.to_string()) {
                let found = models.find("balances", &key).await.unwrap();
                let version = found.row.map_or(0, |row| row.revision.0);
                let before = seen.insert(key.clone(), version).unwrap_or_default();
                assert!(
                    version >= before,
                    "row {key} of g{} went from {before} to {version}",
                    found.generation
                );
                if answered.last() != Some(&found.generation) {
                    answered.push(found.generation);
                }
            }
        }
        answered
    });
    (stop, task)
}

#[tokio::test(start_paused = true)]
async fn queries_never_see_a_missing_or_an_older_row_over_promote_and_rollback_and_drop() {
    for seed in 1..=4 {
        let mut world = World::new(3, 2, 0, seed);
        let models = {
            let runner = world.runner().projection::<Balance>().unwrap().projection::<Total>().unwrap();
            let models = runner.read_models();
            world.start_with(0, runner);
            models
        };
        world.start(1);
        for id in 0..40 {
            world.append(&id.to_string(), vec![deposited(1, "mon")]).await;
        }
        world.load(200).await;
        world.until_exact().await;
        let (stop, watching) = watch(models.clone(), 40);
        let two = second(&world).await;
        for _ in 0..20 {
            world.load_open(20).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        for looks in 0..2 {
            world.until(&format!("both are level {looks}"), async |world| level(world, &two).await).await;
            world.load_open(20).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        for promoted in [2, 1, 2] {
            change(&world, |all| all.promoted(promoted).unwrap()).await;
            for _ in 0..10 {
                world.load_open(20).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        let one = generations(&world).await.generation(1);
        change(&world, |all| all.without(1).unwrap()).await;
        // Whoever keeps it notices with the next round.
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.rows.inside().drop_generation(&one).await.unwrap();
        world.load_open(20).await;
        let plain = plain_balances(&world.plain);
        world.until("rows are exact", async |world| rows(world, &two).await == plain).await;
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(watching.await.unwrap(), [1, 2, 1, 2], "seed {seed}");
        assert_eq!(rows(&world, &one).await.len(), 0, "nobody keeps what was dropped");
        world.stop(0).await;
        world.stop(1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_raised_version_leaves_the_live_generation_as_it_is_and_says_that_a_rebuild_is_needed() {
    let mut world = World::new(2, 2, 0, 5);
    world.start(0);
    world.append("1", vec![deposited(5, "mon")]).await;
    world.until_exact().await;
    let old = world.plain.clone();
    world.stop(0).await;

    let runner = world.runner().projection::<DoubleBalance>().unwrap().projection::<Total>().unwrap();
    let models = runner.read_models();
    world.start_with(0, runner);
    world.append("1", vec![deposited(1, "mon")]).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let all = models.generations("balances").await.unwrap();
    assert_eq!(
        (all.live, all.made.len(), all.version(1), models.version("balances").unwrap()),
        (1, 1, Some(1), 2)
    );
    assert_eq!(rows(&world, &all.live()).await, plain_balances(&old), "neither kept nor changed");
    assert_eq!(models.get("balances", "1").await.unwrap().unwrap().revision.0, 1, "and it goes on answering");
    let order = Order { who: "ada".to_owned(), reason: "why not".to_owned() };
    let error = world.control(0).retry("balances", &account("1"), &order).await.unwrap_err();
    let OrderError::Read(error @ ReadError::OtherVersion { live: 1, code: 2, .. }) = error else {
        panic!("{error}")
    };
    assert!(error.to_string().contains("rebuild it with `backfill balances`, or run version 1"), "{error}");

    // A process of the old version brings it up to date.
    world.stop(0).await;
    world.start(1);
    world
        .until("an old process", async |world| rows(world, &all.live()).await == plain_balances(&world.plain))
        .await;
    world.stop(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_ended_by_the_generation_that_answers_and_by_no_other() {
    let mut world = World::new(2, 1, 0, 6);
    let runner = world.runner().projection::<Balance>().unwrap();
    let models = runner.read_models();
    world.start_with(0, runner);
    world.append("1", vec![deposited(1, "mon")]).await;
    let wait = |version| {
        let models = models.clone();
        let hour = Duration::from_secs(3_600);
        async move { models.wait_applied("balances", &account("1"), Version(version), hour).await.unwrap() }
    };
    assert!(wait(1).await);
    let two = second(&world).await;
    for version in 2..100 {
        world.append("1", vec![deposited(1, "mon")]).await;
        assert!(wait(version).await);
        let row = models.get("balances", "1").await.unwrap().unwrap();
        assert!(row.revision.0 >= version, "a wait for {version} ended at {}", row.revision.0);
        if version == 50 {
            world.until("both are level", async |world| level(world, &two).await).await;
            change(&world, |all| all.promoted(2).unwrap()).await;
        }
    }
    assert_eq!(models.generations("balances").await.unwrap().live, 2);
    world.stop(0).await;
}
