//! One connection, from its first byte. Whoever sends half of something and waits is closed after a time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::limits::{HEADER_BYTES, HEADERS, Limits};
use super::stall::Unstalled;

/// How a connection of HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Between two looks at a beginning that may still become HTTP/2.
const LOOK: Duration = Duration::from_millis(10);
/// How often a peer of HTTP/2 is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

enum Protocol {
    Http1,
    Http2,
}

/// Serves one connection until it ends. The watcher tells it to end after the request under way.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    limits: Arc<Limits>,
    watcher: Watcher,
    mut stop: watch::Receiver<bool>,
) {
    let began = tokio::select! {
        // Nothing was asked yet, so nobody waits for an answer.
        _ = stop.wait_for(|stop| *stop) => return,
        began = tokio::time::timeout(limits.header(), protocol(&stream)) => began,
    };
    let Ok(Ok(protocol)) = began else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be held back for a moment");
    }
    let io = TokioIo::new(Unstalled::new(stream, limits.stall()));
    let service = TowerToHyperService::new(router);
    let served = match protocol {
        Protocol::Http1 => {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(limits.header());
            http.max_buf_size(HEADER_BYTES).max_headers(HEADERS);
            watcher.watch(http.serve_connection(io, service)).await
        }
        Protocol::Http2 => {
            let mut http = http2::Builder::new(TokioExecutor::new());
            http.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
            http.max_concurrent_streams(limits.h2_streams).max_header_list_size(HEADER_BYTES as u32);
            watcher.watch(http.serve_connection(io, service)).await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What the peer speaks, by its first bytes, which stay where they are.
async fn protocol(stream: &TcpStream) -> std::io::Result<Protocol> {
    let mut first = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut first).await?;
        let seen = first.get(..seen).unwrap_or_default();
        if seen.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if !PREFACE.starts_with(seen) {
            return Ok(Protocol::Http1);
        }
        if seen.len() == PREFACE.len() {
            return Ok(Protocol::Http2);
        }
        // Peeking again would give the same bytes at once.
        tokio::time::sleep(LOOK).await;
    }
}
