//! Worlds from seeds.

use headwater_proof::simulation::{Run, all, finished, lock, seeds};

use super::account::AccountEvent;
use super::world::World;

/// Seeds of a run of the tests.
const SEEDS: u64 = 2_000;

/// Workers come and go, are killed and put to sleep, calls fail and come late, partitions split and merge, records expire,
/// some events cannot be applied; then everything comes to rest. Gives the hash of what happened.
fn storm(seed: u64) -> Run {
    let loses = seed.is_multiple_of(2);
    let rarity = [0, 10, 25, 60][(seed / 2 % 4) as usize];
    let expires = seed % 5 == 4;
    let poison = if seed.is_multiple_of(3) { 25 } else { 0 };
    let mut world = World::new(seed, 1 + (seed % 4) as usize, 3, rarity, loses);
    world.start(0, None);
    let (mut splits, mut merges) = (0, 0);
    let result = (|| {
        for _ in 0..120 {
            if world.random.one_in(2) {
                let stream = world.append_any(poison);
                if world.random.one_in(4) {
                    let slot = world.random.index(3);
                    world.wait_for(slot, stream);
                }
            }
            let slot = world.random.index(3);
            match world.random.below(40) {
                0 => world.kill(slot),
                1 => world.stop(slot),
                2 | 3 => {
                    let millis = world.random.below(15_000);
                    world.put_to_sleep(slot, millis);
                }
                4 if splits < 3 => {
                    splits += 1;
                    let World { shared, random, .. } = &mut world;
                    lock(&shared.feed).split(random);
                }
                5 if merges < 3 => {
                    merges += 1;
                    let World { shared, random, .. } = &mut world;
                    lock(&shared.feed).merge(random);
                }
                6 if expires => {
                    world.shared.air.note("everything on the feed expires");
                    lock(&world.shared.feed).expire();
                }
                6..=12 => world.start(slot, None),
                _ => {}
            }
            world.live();
            if let Some(broken) = world.shared.air.broken() {
                return Err(broken);
            }
        }
        world.come_to_rest()
    })();
    finished(&world.shared.air, seed, result)
}

#[test]
fn rows_are_exact_and_no_law_is_broken_in_any_storm_from_a_seed() {
    all("storm", seeds(SEEDS), storm);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 6, 9, 14] {
        let runs = [0, 1, 2].map(|_| storm(seed).unwrap());
        assert!(runs[0] == runs[1] && runs[1] == runs[2], "seed {seed}: {runs:?}");
    }
}

/// One worker, killed at one of its calls, before or after it is carried out; another ends the work.
fn killed_at(call: u64) -> Run {
    let mut world = World::new(call, 2, 2, 0, false);
    world.start(0, Some((call / 2 + 1, call.is_multiple_of(2))));
    for turn in 0..20 {
        world.append_any(if turn == 7 { 1 } else { 0 });
    }
    world.append(0, &[AccountEvent::Noted]);
    for _ in 0..200 {
        world.live();
    }
    let result = world.come_to_rest();
    finished(&world.shared.air, call, result)
}

#[test]
fn a_worker_that_is_killed_at_any_of_its_calls_is_made_good_by_another() {
    let mut world = World::new(0, 2, 2, 0, false);
    world.start(0, None);
    (0..21).for_each(|_| drop(world.append_any(0)));
    (0..200).for_each(|_| world.live());
    let calls = world.workers[0].as_ref().unwrap().way.calls().min(150);
    assert!(calls > 50, "{calls} calls are too few to be killed at");
    all("killed at every call", calls * 2, killed_at);
}
