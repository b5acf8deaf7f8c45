//! `dev`: everything in one process, on loopback.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal;
use tokio::sync::watch;

use crate::App;
use crate::exit::{Exit, complain};
use crate::local::Backends;

/// What `dev` was told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) data_dir: Option<PathBuf>,
}

/// How long requests that are under way may take after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until a signal, then lets requests under way finish.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub(crate) async fn run(app: App, options: &Options) -> Exit {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("error: port {} cannot be taken: {error}; choose another with --port", options.port);
            return Exit::Failed;
        }
    };
    let url = match listener.local_addr() {
        Ok(address) => format!("http://{address}"),
        Err(error) => {
            complain(&error);
            return Exit::Failed;
        }
    };
    let backends = match Backends::start(app.name, options.data_dir.clone()).await {
        Ok(backends) => backends,
        Err(error) => {
            complain(&error);
            return Exit::Failed;
        }
    };
    let store = Arc::clone(&backends.store);
    let (router, runner) = match app.on(store, backends.runner()) {
        Ok(parts) => parts,
        Err(error) => {
            complain(&error);
            return Exit::Failed;
        }
    };
    let (stop, stopped) = watch::channel(false);
    let mut readers = tokio::spawn(runner.run(until(stopped.clone())));
    greet(&app, &url, options, &backends);

    let mut server =
        tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(until(stopped)).into_future());
    tokio::select! {
        () = signalled() => {}
        ended = &mut server => {
            eprintln!("error: the server ended by itself: {ended:?}");
            return Exit::Failed;
        }
        ended = &mut readers => {
            // Read models that stand still must not be served as if they were live.
            match ended {
                Ok(Err(error)) => complain(&error),
                ended => eprintln!("error: the read models are no longer kept: {ended:?}"),
            }
            return Exit::Failed;
        }
    }
    stop.send_replace(true);
    eprintln!("stopping: requests under way are finished first; a second signal ends at once");
    let drained = async {
        let served = server.await.is_ok_and(|served| served.is_ok());
        let read = readers.await.is_ok_and(|read| read.is_ok());
        served && read
    };
    // Publishing what is left has a limit of its own.
    let stopped = async {
        let drained = tokio::time::timeout(DRAIN, drained).await.unwrap_or(false);
        let published = backends.stop().await;
        drained && published
    };
    let drained = tokio::select! {
        drained = stopped => drained,
        () = signalled() => false,
    };
    if !drained {
        eprintln!("error: not everything was finished before the end");
        return Exit::Failed;
    }
    Exit::Done
}

/// Ends when a stop is asked for.
async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        tracing::debug!("the one who stops is gone");
    }
}

/// Ends with the first SIGINT or SIGTERM.
async fn signalled() {
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be listened for");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        interrupted = signal::ctrl_c() => {
            if let Err(error) = interrupted {
                tracing::warn!(%error, "SIGINT cannot be listened for");
            }
        }
        () = terminated => {}
    }
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn greet(app: &App, url: &str, options: &Options, backends: &Backends) {
    let kept = match &options.data_dir {
        Some(dir) => format!("data in {}", dir.display()),
        None => "nothing is kept after it ends; --data-dir DIR keeps it".to_owned(),
    };
    eprintln!("{} is ready at {url} ({kept}; stop with Ctrl-C)", app.name);
    let binary = std::env::args().next().unwrap_or_else(|| app.name.to_owned());
    if !app.hints.is_empty() {
        eprintln!("\ntry:");
        for hint in &app.hints {
            eprintln!("  {}", hint.replace("{url}", url).replace("{bin}", &binary));
        }
    }
    eprintln!("\nlook inside with the aws command line, after:");
    for line in backends.describe().lines() {
        eprintln!("  {line}");
    }
}
