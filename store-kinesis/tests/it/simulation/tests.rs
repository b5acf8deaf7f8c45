//! Worlds from seeds.

use headwater::Expected;
use headwater_proof::simulation::{Run, all, finished, seeds};

use super::check;
use super::orders::{Order, till};
use super::world::World;

/// Seeds of a run of the tests.
const SEEDS: u64 = 200;
/// A world of whole stores takes as long as so many of projections, for which seeds are counted.
const WORTH: u64 = 15;
/// Processes of a world.
const PROCESSES: usize = 3;

/// Processes come and go, are killed and put to sleep, requests go wrong in every way; then everything comes to rest. Of
/// some seeds the hours after that are gone through, too.
fn storm(seed: u64) -> Run {
    let rarity = [0, 9, 20, 50][(seed % 4) as usize];
    let mut world = World::new(seed, PROCESSES, rarity);
    world.start(0, None);
    let result = (|| {
        for _ in 0..150 {
            let slot = world.random.index(PROCESSES);
            match world.random.below(30) {
                0 => world.kill(slot),
                1 => world.close(slot),
                2 => {
                    let (millis, goes_on) = (world.random.below(15_000), world.random.one_in(2));
                    world.put_to_sleep(slot, millis, goes_on);
                }
                3 => {
                    let (calls, carried_out) = (world.random.below(4), world.random.one_in(2));
                    if let Some(process) = &world.processes[slot] {
                        process.line.dies_after(calls, carried_out);
                    }
                }
                4..=8 => world.start(slot, None),
                _ => (0..world.random.below(4)).for_each(|_| world.order(slot)),
            }
            world.live();
            world.sound()?;
        }
        world.come_to_rest()?;
        if seed.is_multiple_of(8) { world.outlive() } else { Ok(()) }
    })();
    finished(&world.aws.air, seed, result)
}

#[test]
fn commits_are_stored_once_and_all_of_them_published_in_any_storm_from_a_seed() {
    all("ledger and publisher", seeds(SEEDS * WORTH) / WORTH, storm);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 2, 7, 8] {
        let runs = [0, 1, 2].map(|_| storm(seed).unwrap());
        assert!(runs[0] == runs[1] && runs[1] == runs[2], "seed {seed}: {runs:?}");
    }
}

/// A process that writes is killed at one of its requests, before or after it is carried out; another ends the work.
fn killed_at(call: u64) -> Run {
    let mut world = World::new(call, 2, 0);
    world.start(0, Some((call / 2 + 1, call.is_multiple_of(2))));
    let result = (|| {
        for turn in 0..40 {
            if turn < 20 {
                world.order(0);
            }
            world.live();
            world.sound()?;
        }
        world.come_to_rest()
    })();
    finished(&world.aws.air, call, result)
}

#[test]
fn a_process_that_is_killed_at_any_of_its_requests_is_made_good_by_another() {
    let mut world = World::new(0, 1, 0);
    world.start(0, None);
    for turn in 0..40 {
        if turn < 20 {
            world.order(0);
        }
        world.live();
    }
    let calls = world.processes[0].as_ref().unwrap().line.calls().min(50);
    assert!(calls > 20, "{calls} requests are too few to be killed at");
    all("killed at every request", calls * 2, killed_at);
}

/// A writer sleeps until others have taken it off the books. Then a client asks it for one commit more, and it dies at one
/// of its next requests.
fn overslept(seed: u64) -> Run {
    let mut world = World::new(seed, 2, 0);
    world.watch_seldom();
    (0..2).for_each(|slot| world.start(slot, None));
    let result = (|| {
        for _ in 0..3 {
            world.order_any(0);
            world.live_for(200);
        }
        world.live_for(2_000);
        if check::writers(&world.aws) != 1 {
            return Err("there is no writer to oversleep".to_owned());
        }
        world.put_to_sleep(0, 3 * 3_600_000, true);
        while check::writers(&world.aws) > 0 {
            world.live_for(30_000);
            world.sound()?;
        }
        world.processes[0].as_mut().ok_or("it died in its sleep")?.clock.wake();
        if let Some(process) = &world.processes[0] {
            process.line.dies_after(seed / 2, seed.is_multiple_of(2));
        }
        world.order_any(0);
        for _ in 0..20 {
            world.live_for(50);
        }
        world.kill(0);
        world.come_to_rest()
    })();
    finished(&world.aws.air, seed, result)
}

#[test]
fn a_writer_that_slept_until_it_was_off_the_books_loses_nothing_when_it_dies_soon_after() {
    all("overslept", 12, overslept);
}

/// A client wants a commit written if another stream is there, and the first try that leaves its process is on its way for
/// long. The SDK tries again, or the process dies and the client asks another one; it is refused. Then somebody makes that
/// stream, and whatever is on its way arrives.
fn refused_before_it_arrives(seed: u64) -> Run {
    let mut world = World::new(seed, 2, 0);
    (0..2).for_each(|slot| world.start(slot, None));
    let result = (|| {
        let awaits = Order::awaits(&mut world.random, &world.aws, till("awaited"));
        let process = world.processes[0].as_ref().ok_or("nobody lives")?;
        process.line.is_late_with("TransactWriteItems", 30_000);
        world.give(0, awaits.clone());
        world.live_for(100);
        if seed.is_multiple_of(2) {
            world.kill(0);
            world.give(1, awaits.clone());
        }
        for _ in 0..40 {
            world.live_for(250);
            world.sound()?;
        }
        if !awaits.is_refused(&world.aws) {
            return Err("nobody was refused".to_owned());
        }
        let makes = Order::one(&mut world.random, &world.aws, till("awaited"), Expected::NoStream);
        world.give(1, makes);
        for _ in 0..40 {
            world.live_for(1_000);
            world.sound()?;
        }
        world.come_to_rest()
    })();
    finished(&world.aws.air, seed, result)
}

#[test]
fn a_transaction_that_was_refused_is_not_carried_out_when_its_first_try_arrives() {
    all("refused before it arrives", 12, refused_before_it_arrives);
}
