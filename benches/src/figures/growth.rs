//! How a command and memory grow: with the number of streams, and with the events of a stream. In memory.

use std::time::Instant;

use headwater_workload::{Library, percentiles, resident_mib};
use serde_json::json;

use super::Error;
use super::command::say;
use crate::{Account, Headwater, Keeping, command};

/// Streams that an executor keeps the state of: what it keeps unless it is told otherwise.
const CACHED: usize = headwater::execute::limits::CACHED_STREAMS;
/// Commands that are measured on many streams.
const COMMANDS: usize = 100_000;
/// Commands that are measured on one.
const OF_ONE: u32 = 200;
/// Steps from one account to the next: a prime, so that all are visited and neighbours are not.
const STRIDE: usize = 7_919;

/// Measures, and prints a line for each size.
pub(super) async fn measure() -> Result<(), Error> {
    for streams in [1_000, 10_000, 100_000, 1_000_000] {
        by_streams(streams).await;
    }
    for events in [10, 100, 1_000, 10_000, 100_000] {
        by_events(events).await?;
    }
    Ok(())
}

async fn by_streams(streams: usize) {
    let mut headwater = Headwater::<Account>::new(Keeping::States(CACHED));
    let before = resident_mib();
    let begun = Instant::now();
    for account in 0..streams {
        headwater.carry_out(&Headwater::id(account), command(account, 0)).await;
    }
    let opened = begun.elapsed().as_secs_f64();
    let bytes = (resident_mib() - before) * 1_048_576.0 / streams as f64;
    let todo: Vec<_> = (0..COMMANDS)
        .map(|place| {
            let account = place * STRIDE % streams;
            let number = u32::try_from(1 + place / streams).unwrap_or(u32::MAX);
            (Headwater::<Account>::id(account), command(account, number))
        })
        .collect();
    let begun = Instant::now();
    for (id, command) in todo {
        headwater.carry_out(&id, command).await;
    }
    let took = begun.elapsed().as_secs_f64();
    say(&json!({
        "streams": streams,
        "us_per_new_stream": opened * 1e6 / streams as f64,
        "us_per_command": took * 1e6 / COMMANDS as f64,
        "bytes_per_stream": bytes,
    }));
}

async fn by_events(events: u32) -> Result<(), Error> {
    let mut line = json!({ "events": events });
    for (name, keeping) in [("cached", Keeping::States(CACHED)), ("not_cached", Keeping::Nothing)] {
        let mut headwater = Headwater::<Account>::new(keeping);
        headwater.seed(0, events).await;
        let id = Headwater::id(0);
        // The first one loads the stream, whatever is kept.
        headwater.carry_out(&id, command(0, events)).await;
        let mut each = Vec::new();
        for number in events + 1..=events + OF_ONE {
            let command = command(0, number);
            let begun = Instant::now();
            headwater.carry_out(&id, command).await;
            each.push(begun.elapsed().as_secs_f64());
        }
        let line = line.as_object_mut().ok_or("it is an object")?;
        line.insert(name.to_owned(), percentiles(each));
    }
    say(&line);
    Ok(())
}
