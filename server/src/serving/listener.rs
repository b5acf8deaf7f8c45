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

use super::connection::{self, Ending};
use super::limits::{Limits, REFUSALS};

/// After an error that is not about one connection, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);
/// How long saying no to a connection may take.
const REFUSAL: Duration = Duration::from_secs(1);
/// How long connections stay open for one more request after the end began. A request that crosses the closing of an
/// idle connection gets no answer; so each is told with its last answer that there will be none after it, and whoever
/// asks again within this time hears it.
const LAST_CALL: Duration = Duration::from_millis(500);
/// How long a connection has after that to read what has come: on a machine that is short of time, all at once with the end
/// of the wait.
const HEARING: Duration = Duration::from_millis(50);
/// Connections that wait to be accepted, as many as the system keeps of them.
const BACKLOG: usize = 1024;
/// What a connection above the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
    connection: close\r\ncontent-length: 164\r\n\r\n{\"type\":\"/problems/overloaded\",\"title\":\"The server takes no more \
    for now\",\"status\":503,\"detail\":\"all connections are taken: try again in a second\",\"retryable\":true}";

/// Accepts until `stop` is true; then each connection ends after the request under way, or when it has asked for nothing
/// more for a moment. Returns when all have ended.
pub(super) async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Arc<Limits>,
    mut stop: watch::Receiver<bool>,
) {
    let (close, closing) = watch::channel(false);
    let ending = Ending { last_call: stop.clone(), closing };
    let mut reception = Reception {
        seats: Arc::new(Semaphore::new(limits.connections)),
        refusals: Arc::new(Semaphore::new(REFUSALS)),
        graceful: GracefulShutdown::new(),
        connections: JoinSet::new(),
        router,
        limits,
        ending,
    };
    loop {
        let accepted = tokio::select! {
            biased;
            // An error means that the one who stops is gone, which is a stop as well.
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = reception.connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => reception.welcome(stream),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted for now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    reception.welcome_the_last(listener);
    let Reception { graceful, mut connections, .. } = reception;
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_CALL, all).await.is_err() {
        tokio::time::sleep(HEARING).await;
        close.send_replace(true);
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    }
}

/// Where connections are received, as long as there is a place.
struct Reception {
    router: Router,
    limits: Arc<Limits>,
    seats: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    graceful: GracefulShutdown,
    ending: Ending,
    connections: JoinSet<()>,
}

impl Reception {
    /// Serves a connection, or says that there is no place.
    fn welcome(&mut self, stream: TcpStream) {
        match Arc::clone(&self.seats).try_acquire_owned() {
            Ok(seat) => {
                let served = connection::serve(
                    stream,
                    self.router.clone(),
                    Arc::clone(&self.limits),
                    self.graceful.watcher(),
                    self.ending.clone(),
                );
                gauge!("headwater_connections").increment(1.0);
                self.connections.spawn(async move {
                    served.await;
                    drop(seat);
                    gauge!("headwater_connections").decrement(1.0);
                });
            }
            Err(_) => {
                counter!("headwater_connections_refused_total").increment(1);
                if let Ok(refusal) = Arc::clone(&self.refusals).try_acquire_owned() {
                    self.connections.spawn(async move {
                        refuse(stream).await;
                        drop(refusal);
                    });
                }
            }
        }
    }

    /// Listens no more. Whoever is connected and was not accepted yet may have asked already: closing the listener
    /// would cut that off without an answer.
    fn welcome_the_last(&mut self, listener: TcpListener) {
        // Of the standard library it does not wait for a runtime to notice them, and not for others, either.
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..BACKLOG {
            match listener.accept() {
                Ok((stream, _)) => {
                    let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                    if let Ok(stream) = stream {
                        self.welcome(stream);
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => break,
            }
        }
    }
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
