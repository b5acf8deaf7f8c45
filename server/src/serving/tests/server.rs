//! A server on a free port of loopback, with routes that are slow, endless, or more than anybody takes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
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

use crate::services::{Services, Surroundings};
use crate::serving::limits::Limits;
use crate::serving::listener::accept;
use crate::stopping::Stopper;
use crate::{App, Stopping};

/// Longer than anything here may take, on a machine that does much else.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) stop: watch::Sender<bool>,
    pub(super) stopper: Stopper,
    pub(super) task: JoinHandle<()>,
    /// Lets `GET /slow` answer.
    pub(super) go: Arc<Notify>,
}

pub(super) fn quick() -> Limits {
    Limits { header_seconds: 1, body_seconds: 1, request_seconds: 1, ..Limits::default() }
}

impl Server {
    pub(super) async fn start(limits: Limits) -> Self {
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
                "/flood",
                get(async || {
                    let water = Bytes::from_static(&[b'~'; 64 * 1024]);
                    Body::from_stream(futures::stream::repeat_with(move || {
                        Ok::<_, std::io::Error>(water.clone())
                    }))
                }),
            )
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

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    pub(super) async fn say(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        until_closed(&mut stream).await
    }

    /// In the order of a process that ends.
    pub(super) fn begin_to_end(&self) {
        self.stopper.drain();
        self.stop.send_replace(true);
        self.stopper.stop();
    }

    pub(super) async fn end(self) {
        self.begin_to_end();
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }
}

pub(super) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset is a close as well.
    _ = read.expect("the server does not close");
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn get_of(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")
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
