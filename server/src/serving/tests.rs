//! Connections as they come from outside, over real sockets: half of something, too many, too slow, and the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use futures::StreamExt;
use headwater::store::{Append, Appended, Capabilities, Page, Read, Scan, ScanPage, StoreError, Transaction};
use headwater::testing::counter::Counter;
use headwater::{EventStore, StreamName};
use headwater_projections::Runner;
use headwater_projections::rows::MemoryRows;
use headwater_store_memory::MemoryStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::limits::Limits;
use super::listener::accept;
use crate::services::{Services, Surroundings};
use crate::stopping::Stopper;
use crate::{App, Stopping};

/// Longer than anything here may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    stopper: Stopper,
    task: JoinHandle<()>,
    /// Lets `GET /slow` answer.
    go: Arc<Notify>,
}

fn quick() -> Limits {
    Limits { header_seconds: 1, body_seconds: 1, request_seconds: 1, ..Limits::default() }
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let go = Arc::new(Notify::new());
        let slow = Arc::clone(&go);
        let (stopper, stopping) = Stopping::new();
        let ends = stopping.clone();
        let routes: Router<Services> = Router::new()
            .route(
                "/slow",
                get(async move || {
                    slow.notified().await;
                    "at last"
                }),
            )
            .route("/echo", post(async |body: String| body))
            .route(
                "/endless",
                get(async move || {
                    let ends = ends.clone();
                    let beats = futures::stream::repeat("beat\n").then(async |beat| {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        Ok::<_, std::io::Error>(beat)
                    });
                    Body::from_stream(Box::pin(beats).take_until(async move { ends.stopped().await }))
                }),
            );
        let limits = Arc::new(limits);
        let surroundings =
            Surroundings { stopping, limits: Arc::clone(&limits), ..Surroundings::memory("counters") };
        let store = Arc::new(MemoryStore::new());
        let runner = Runner::new(store.clone(), store.clone(), Arc::new(MemoryRows::new()));
        let app = App::new("counters").aggregate::<Counter>().routes(routes);
        let (router, _) = app.on(surroundings, Arc::new(Stuck(store)), runner).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, router, limits, stopped));
        Self { address, stop, stopper, task, go }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    async fn say(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        until_closed(&mut stream).await
    }

    async fn end(self) {
        self.stopper.drain();
        self.stop.send_replace(true);
        self.stopper.stop();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset is a close as well.
    _ = read.expect("the server does not close");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn get_of(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_nothing_or_half_of_a_head_is_closed() {
    let server = Server::start(quick()).await;
    let halves = [
        "",
        "G",
        "GET /livez HTTP/1.1",
        "GET /livez HTTP/1.1\r\nhost: a\r\n",
        "PRI",
        "PRI * HTTP/2.0\r\n\r\nSM",
    ];
    for half in halves {
        let answer = server.say(half).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{half:?}: {answer:?}");
    }
    // One that trickles is no better: the time is that of the whole head.
    let mut stream = server.connect().await;
    for byte in
        get_of("/livez", "x-trickle: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").bytes()
    {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!until_closed(&mut stream).await.contains(" 200 "));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_told_that_it_did_not_come() {
    let server = Server::start(quick()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n";
    for (body, status, slug) in [
        ("content-length: 10\r\n\r\nhalf", "408", "request-timeout"),
        ("transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "408", "request-timeout"),
        ("content-length: 2000000\r\n\r\n", "413", "too-large"),
        ("content-length: 4\r\nconnection: close\r\n\r\nfull", "200", "full"),
    ] {
        let answer = server.say(&format!("{head}{body}")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(slug),
            "{body}: {answer}"
        );
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_above_the_limit_is_told_so_and_a_place_that_is_free_is_taken_again() {
    let server = Server::start(Limits { connections: 2, ..Limits::default() }).await;
    let held: Vec<TcpStream> = vec![server.connect().await, server.connect().await];
    let answer = server.say("").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("/problems/overloaded"), "{answer}");
    drop(held);
    let ask = async {
        while !server.say(&get_of("/livez", "connection: close\r\n")).await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.unwrap();
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_refused_at_once_and_probes_are_answered() {
    let server = Server::start(Limits { requests: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(get_of("/slow", "connection: close\r\n").as_bytes()).await.unwrap();
    let refused = async {
        loop {
            let answer = server.say(&get_of("/v1/read-models", "connection: close\r\n")).await;
            if answer.starts_with("HTTP/1.1 503") {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert!(answer.contains("retry-after: 1") && answer.contains("/problems/overloaded"), "{answer}");
    for probe in ["/livez", "/readyz", "/metrics"] {
        let answer = server.say(&get_of(probe, "connection: close\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.go.notify_one();
    assert!(until_closed(&mut first).await.ends_with("at last"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_says_whether_it_may_have_written() {
    let server = Server::start(quick()).await;
    let answer = server.say(&get_of("/slow", "connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("deadline-exceeded"), "{answer}");
    assert!(!answer.contains("\"outcome\""), "{answer}");
    let command = "POST /v1/streams/counter/a/commands/add HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 13\r\n\r\n{\"amount\": 1}";
    let answer = server.say(command).await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("outcome-unknown"), "{answer}");
    assert!(answer.contains("\"outcome\":\"unknown\""), "{answer}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_requests_are_answered_answers_without_end_are_ended_and_idle_connections_closed() {
    let server = Server::start(Limits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(get_of("/livez", "").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    idle.read_exact(&mut head).await.unwrap();
    let silent = server.connect().await;
    let mut endless = server.connect().await;
    endless.write_all(get_of("/endless", "").as_bytes()).await.unwrap();
    let mut beginning = [0; 4];
    endless.read_exact(&mut beginning).await.unwrap();
    let mut slow = server.connect().await;
    slow.write_all(get_of("/slow", "").as_bytes()).await.unwrap();
    // It is under way once it waits to be let go.
    let answered = tokio::spawn(async move { until_closed(&mut slow).await });
    tokio::time::sleep(Duration::from_millis(300)).await;

    server.stopper.drain();
    assert!(server.say(&get_of("/readyz", "connection: close\r\n")).await.starts_with("HTTP/1.1 503"));
    assert!(server.say(&get_of("/livez", "connection: close\r\n")).await.starts_with("HTTP/1.1 200"));
    server.stop.send_replace(true);
    server.stopper.stop();
    until_closed(&mut idle).await;
    until_closed(&mut endless).await;
    assert!(!server.task.is_finished(), "a request is under way");
    server.go.notify_one();
    assert!(answered.await.unwrap().contains("at last"));
    tokio::time::timeout(PATIENCE, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_speak_http_2_from_its_first_byte() {
    let server = Server::start(Limits::default()).await;
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("http://localhost/livez").body(String::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    drop(sender);
    server.end().await;
    connection.await.unwrap().unwrap();
}

/// A store whose writes begin and never end.
#[derive(Debug)]
struct Stuck(Arc<MemoryStore>);

#[async_trait]
impl EventStore for Stuck {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn append(&self, _: Append) -> Result<Appended, StoreError> {
        std::future::pending().await
    }

    async fn append_all(&self, _: Transaction) -> Result<Vec<Appended>, StoreError> {
        std::future::pending().await
    }

    async fn read(&self, stream: &StreamName, read: Read) -> Result<Page, StoreError> {
        self.0.read(stream, read).await
    }

    async fn scan(&self, scan: Scan) -> Result<ScanPage, StoreError> {
        self.0.scan(scan).await
    }
}
