//! One connection, from its first byte. Whoever sends half of something and waits is closed after a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
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

/// How far the end of the server has come, for its connections.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// From now on every answer is the last one of its connection.
    pub(super) last_call: watch::Receiver<bool>,
    /// From now on a connection is closed when nothing is under way on it.
    pub(super) closing: watch::Receiver<bool>,
}

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
    ending: Ending,
) {
    let mut closing = ending.closing.clone();
    let began = tokio::select! {
        // Nothing was asked yet, so nobody waits for an answer.
        _ = closing.wait_for(|closing| *closing) => return,
        began = tokio::time::timeout(limits.header(), protocol(&stream)) => began,
    };
    let Ok(Ok(protocol)) = began else { return };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be held back for a moment");
    }
    let io = TokioIo::new(Unstalled::new(stream, limits.stall()));
    let asked = Arc::new(AtomicBool::new(false));
    let was_asked = Arc::clone(&asked);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        was_asked.store(true, Ordering::Relaxed);
        let (http2, last_call) = (request.version() == Version::HTTP_2, ending.last_call.clone());
        let answer = router.call(request);
        async move {
            let mut answer = answer.await?;
            // HTTP/2 has a frame for this, and no such header.
            if *last_call.borrow() && !http2 {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let served = async {
        match protocol {
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
        }
    };
    let served = tokio::select! {
        biased;
        served = served => served,
        () = never_asked(closing, &asked) => return,
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Ends when connections are closed and this one has asked nothing: half of its first head is no request, and would be
/// waited for as long as a head may take.
async fn never_asked(mut closing: watch::Receiver<bool>, asked: &AtomicBool) {
    let told = closing.wait_for(|closing| *closing).await.is_ok();
    if !told || asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
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
