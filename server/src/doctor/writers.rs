//! Processes that wrote commits and died before all of them were published.

use std::time::Duration;

use headwater_store_kinesis::Config;
use headwater_store_kinesis::outbox::{Writer, writers};

use super::examine::blind;
use super::finding::Finding;
use crate::backends::Connection;

pub(super) async fn examine(connection: &Connection, config: &Config, watch: Duration) -> Vec<Finding> {
    let before = match writers(&connection.clients, config).await {
        Ok(writers) => writers,
        Err(error) => return vec![blind("the writers", &error)],
    };
    tokio::time::sleep(watch).await;
    let after = match writers(&connection.clients, config).await {
        Ok(writers) => writers,
        Err(error) => return vec![blind("the writers", &error)],
    };
    let stood = |writer: &&Writer| {
        before.iter().any(|before| before.id == writer.id && before.counter == writer.counter)
    };
    let dead = after.iter().filter(stood).map(|writer| match writer.passes {
        0 => Finding::problem(
            "writer-dead",
            format!("writer {} is gone, and nobody publishes what it may have left", writer.id),
            "run a server: it takes over within seconds, and what was acknowledged reaches the feed",
        ),
        passes => Finding::warning(
            "writer-taken-over",
            format!("writer {} died; what it left was published in {passes} passes so far", writer.id),
            "nothing: it is looked after again for about an hour, then its record goes",
        ),
    });
    dead.collect()
}
