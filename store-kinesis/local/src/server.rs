//! A service on a thread and a runtime of its own, with a port of 127.0.0.1.
//!
//! The engines below do their disk work on the thread that polls them. On threads of their own they hold up nobody
//! but themselves, and they run under any runtime of the caller, also one that is busy or has one thread.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch};

use crate::{LocalError, ports::Port};

/// How long requests that are under way may take once the service is told to stop.
const GRACE: Duration = Duration::from_millis(500);

/// A running service; it stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    url: String,
    stop: watch::Sender<bool>,
    /// In the order in which they end.
    threads: Vec<JoinHandle<()>>,
}

/// Resolves when the service is told to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until the service is told to stop.
    pub(crate) async fn asked(mut self) {
        // An error means that the server is gone, which is as good a reason.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

impl Server {
    /// Binds the port and serves on a new thread until told to stop.
    pub(crate) fn start<F, S>(service: &'static str, port: Port, serve: S) -> Result<Self, LocalError>
    where
        S: FnOnce(TcpListener, Stop) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let (listener, port) =
            bind(port).map_err(|(port, source)| LocalError::Port { service, port, source })?;
        let url = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let failed = |source| LocalError::Thread { service, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, asked) = watch::channel(false);
        let thread = Builder::new().name(format!("local {service}")).spawn(move || {
            let asked = Stop(asked);
            let late = async {
                asked.clone().asked().await;
                tokio::time::sleep(GRACE).await;
            };
            runtime.block_on(async {
                match TcpListener::from_std(listener) {
                    Ok(listener) => {
                        tokio::select! {
                            () = serve(listener, asked.clone()) => {}
                            () = late => {}
                        }
                    }
                    Err(reason) => tracing::error!(service, %reason, "the service cannot listen"),
                }
            });
            runtime.shutdown_timeout(GRACE);
        });
        Ok(Self { port, url, stop, threads: vec![thread.map_err(failed)?] })
    }

    /// Waits for this thread, too, when stopping: it ends once the service has ended.
    pub(crate) fn with_thread(mut self, thread: JoinHandle<()>) -> Self {
        self.threads.push(thread);
        self
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The port on which it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Asks it to stop and does not wait.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.send_replace(true);
    }
}

/// Binds the port; the error has the port that was tried.
fn bind(port: Port) -> Result<(StdListener, u16), (u16, io::Error)> {
    let bind = |port| {
        let bound = StdListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        });
        bound.map_err(|reason| (port, reason))
    };
    match port {
        Port::Named(port) => bind(port),
        Port::Rather(port) => bind(port).or_else(|_| bind(0)),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!(url = self.url, "a thread of the service panicked");
            }
        }
    }
}
