//! A wait never says applied early and never outlives its limit, whatever the feed, the rows and the workers do.

use std::sync::Arc;
use std::time::Duration;

use headwater::Version;
use headwater_projections::rows::{Generation, Wanted};
use headwater_projections::{ReadModels, RowStore, Waited};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::slow_rows::SlowRows;
use super::world::World;
use crate::model::{Balance, Total, account, deposited};

/// How long the first look at the rows may take, however short the wait.
const LOOK: Duration = Duration::from_secs(2);

/// How a wait ended, if the rows could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Applied,
    Behind,
    Unreadable,
}

/// Waits for a version and judges the answer at the moment it comes.
async fn wait(
    models: ReadModels,
    rows: Arc<SlowRows>,
    id: String,
    version: Version,
    limit: Duration,
) -> Ended {
    let stream = account(&id);
    let begin = Instant::now();
    let waited = models.wait("balances", &stream, version, limit).await;
    let took = begin.elapsed();
    assert!(took <= limit.max(LOOK), "{id} at {version}: a wait of {limit:?} took {took:?}");
    match waited {
        Ok(Waited::Applied) => {
            let wanted = Wanted { rows: [id.clone()].into(), ..Wanted::default() };
            let loaded = rows.inside().load(&Generation::new("balances", 1), &wanted).await.unwrap();
            let applied = loaded.rows.first().map_or(0, |row| row.revision.0);
            assert!(applied >= version.0, "{id}: {version} was said to be applied at {applied}");
            Ended::Applied
        }
        Ok(Waited::Behind { applied }) => {
            assert!(applied < version);
            assert!(took >= limit, "{id} at {version}: a wait of {limit:?} was given up after {took:?}");
            Ended::Behind
        }
        Ok(other) => panic!("nothing is parked here: {other:?}"),
        Err(_) => Ended::Unreadable,
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_never_says_applied_early_and_never_outlives_its_limit() {
    let mut ended = Vec::new();
    for seed in 0..12 {
        let mut world = World::new(3, 2, 40, seed);
        let mut models = Vec::new();
        for slot in 0..2 {
            let runner = world.runner().projection::<Balance>().unwrap().projection::<Total>().unwrap();
            models.push(runner.read_models());
            world.start_with(slot, runner);
        }
        world.feed.misbehave(5, 20, seed);
        let mut waits = JoinSet::new();
        for step in 0..60 {
            for _ in 0..=world.random.below(4) {
                let id = world.random.below(12).to_string();
                let version = world.append(&id, vec![deposited(1, "mon")]).await;
                // Sometimes for a version that only comes later.
                let version = version.plus(u64::from(world.random.one_in(4)));
                let limit = world.random.millis(6_000);
                let models = models[world.random.below(2)].clone();
                waits.spawn(wait(models, Arc::clone(&world.rows), id, version, limit));
            }
            match world.random.below(12) {
                0 => world.feed.split(step),
                1 => world.feed.merge(step, step + 1),
                2 => world.control(0).pause("balances").unwrap(),
                3 | 4 => world.control(0).resume("balances").unwrap(),
                5 => {
                    world.kill(1).await;
                    let runner =
                        world.runner().projection::<Balance>().unwrap().projection::<Total>().unwrap();
                    models[1] = runner.read_models();
                    world.start_with(1, runner);
                }
                _ => {}
            }
            let pause = world.random.millis(400);
            tokio::time::sleep(pause).await;
        }
        ended.extend(waits.join_all().await);
        world.control(0).resume("balances").unwrap();
        world.hint().await;
        world.until_exact().await;
    }
    for outcome in [Ended::Applied, Ended::Behind] {
        let count = ended.iter().filter(|ended| **ended == outcome).count();
        assert!(count > 100, "{outcome:?} came {count} times only, of {}", ended.len());
    }
}
