//! What loopback, HTTP and the disk of a machine allow: a server that does nothing, one that keeps what it gets in
//! memory, and one that has it on disk before it answers, one `fdatasync` for all that wait.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// An event, and who waits for it.
type Waiting = (Bytes, oneshot::Sender<u64>);

#[derive(Clone)]
struct Kept {
    memory: Arc<Mutex<Vec<Bytes>>>,
    disk: Sender<Waiting>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let file = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "floor.log".to_owned()));
    let file = File::create(file)?;
    let (disk, waiting) = channel();
    thread::spawn(move || write(file, &waiting));
    let routes = Router::new()
        .route("/nothing", get(async || "pong").post(async || "pong"))
        .route("/memory", post(memory))
        .route("/disk", post(on_disk))
        .with_state(Kept { memory: Arc::default(), disk });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("floor is ready at http://{} (stop with Ctrl-C)", listener.local_addr()?);
    axum::serve(listener, routes).await
}

async fn memory(State(kept): State<Kept>, event: Bytes) -> String {
    let mut events = kept.memory.lock().unwrap_or_else(PoisonError::into_inner);
    events.push(event);
    events.len().to_string()
}

async fn on_disk(State(kept): State<Kept>, event: Bytes) -> Result<String, StatusCode> {
    let (tell, told) = oneshot::channel();
    kept.disk.send((event, tell)).map_err(|_| StatusCode::INSUFFICIENT_STORAGE)?;
    told.await.map(|number| number.to_string()).map_err(|_| StatusCode::INSUFFICIENT_STORAGE)
}

/// Writes until nobody asks any more or the disk fails; who waits then is told by the end of its channel.
fn write(mut file: File, waiting: &Receiver<Waiting>) {
    let (mut number, mut bytes) = (0, Vec::new());
    while let Ok(first) = waiting.recv() {
        let together: Vec<Waiting> = std::iter::once(first).chain(waiting.try_iter()).collect();
        bytes.clear();
        for (event, _) in &together {
            bytes.extend_from_slice(event);
            bytes.push(b'\n');
        }
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for (_, tell) in together {
            number += 1;
            let _ = tell.send(number);
        }
    }
}
