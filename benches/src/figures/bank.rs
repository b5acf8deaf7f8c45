//! The bank on the memory store: what the server costs when storing costs next to nothing.

use std::future::pending;

use tokio::net::TcpListener;

use super::Error;

/// Serves until it is ended; with its read models, or as a process does that leaves them to others.
#[expect(clippy::print_stderr, reason = "it says where it is")]
pub(super) async fn serve(keeps: bool) -> Result<(), Error> {
    let (routes, runner) = bank::app().in_memory()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("bank is ready at http://{} (in memory)", listener.local_addr()?);
    let keeping = async move {
        match keeps {
            true => runner.run(pending()).await,
            false => pending().await,
        }
    };
    let running = tokio::spawn(keeping);
    tokio::select! {
        served = async { axum::serve(listener, routes).await } => Ok(served?),
        ran = running => Ok(ran??),
    }
}
