//! Accepts connections until told to stop, then waits for those there are.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use metrics::{counter, gauge};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connection;
use super::limits::{Limits, REFUSALS};

/// After an error that is not about one connection, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// How long saying no to a connection may take.
const REFUSAL: Duration = Duration::from_secs(1);
/// What a connection above the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 164\r\n\r\n{\"type\":\"/problems/overloaded\",\"title\":\"The server takes no more \
    for now\",\"status\":503,\"detail\":\"all connections are taken: try again in a second\",\"retryable\":true}";

/// Accepts until `stop` is true; then each connection ends after the request under way. Returns when all have ended.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Arc<Limits>,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let seats = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            // An error means that the one who stops is gone, which is a stop as well.
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted for now");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        match Arc::clone(&seats).try_acquire_owned() {
            Ok(seat) => {
                let served = connection::serve(
                    stream,
                    router.clone(),
                    Arc::clone(&limits),
                    graceful.watcher(),
                    stop.clone(),
                );
                gauge!("headwater_connections").increment(1.0);
                connections.spawn(async move {
                    served.await;
                    drop(seat);
                    gauge!("headwater_connections").decrement(1.0);
                });
            }
            Err(_) => {
                counter!("headwater_connections_refused_total").increment(1);
                if let Ok(refusal) = Arc::clone(&refusals).try_acquire_owned() {
                    connections.spawn(async move {
                        refuse(stream).await;
                        drop(refusal);
                    });
                }
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
    while connections.join_next().await.is_some() {}
}

/// Says no. What the peer has sent is read, or closing would take the answer away from it.
async fn refuse(mut stream: TcpStream) {
    let say = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    if let Ok(Err(error)) = tokio::time::timeout(REFUSAL, say).await {
        tracing::debug!(%error, "a connection above the limit went away");
    }
}

fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "it has {} bytes", body.len());
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
