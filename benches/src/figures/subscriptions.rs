//! What idle subscriptions take of a running bank: its memory with and without them, everything from the socket up.

use std::time::Duration;

use headwater_workload::resident_mib_of;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Error;
use super::command::say;

/// Subscriptions; a process takes 1,000.
const SUBSCRIPTIONS: usize = 900;
/// Those that are there before it is measured, so that what all share is.
const FIRST: usize = 50;
/// Time for buffers to be what they will be.
const REST: Duration = Duration::from_secs(1);

/// Measures, and prints one line.
pub(super) async fn measure(server: &str, process: &str) -> Result<(), Error> {
    let address = server.trim_start_matches("http://");
    let mut open = Vec::new();
    while open.len() < FIRST {
        open.push(subscribe(address).await?);
    }
    tokio::time::sleep(REST).await;
    let before = resident_mib_of(process);
    while open.len() < SUBSCRIPTIONS {
        open.push(subscribe(address).await?);
    }
    tokio::time::sleep(REST).await;
    let bytes = (resident_mib_of(process) - before) * 1_048_576.0;
    say(&json!({
        "subscriptions": SUBSCRIPTIONS - FIRST,
        "bytes_per_subscription": bytes / (SUBSCRIPTIONS - FIRST) as f64,
    }));
    Ok(())
}

async fn subscribe(address: &str) -> Result<TcpStream, Error> {
    let mut stream = TcpStream::connect(address).await?;
    let request =
        format!("GET /v1/events?since=now HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    match head.ends_with(b"200") {
        true => Ok(stream),
        false => Err(format!("no subscription: {}", String::from_utf8_lossy(&head)).into()),
    }
}
