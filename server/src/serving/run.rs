//! A server from its start to its end, in this order: not ready any more, a pause for load balancers to notice, no new
//! connections, subscriptions end, requests under way are answered, read models finish their batches and release their
//! leases, commits are published and traces sent, exit. A second signal ends it at once.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use super::limits::Limits;
use super::listener;
use super::signals::Signals;
use crate::auth::Auth;
use crate::backends::Backends;
use crate::config::Shown;
use crate::exit::{Exit, complain};
use crate::observe::{Metrics, Traces, Vitals, describe};
use crate::rebuild::{Ground, Rebuilds};
use crate::services::{Reading, Surroundings};
use crate::{App, Stopping, archive, routes};

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Both of the others.
    All,
    /// Answers requests.
    Api,
    /// Keeps read models up to date, and answers whoever looks after processes.
    Worker,
}

impl Role {
    /// Reads one from the command line.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(["all", "api", "worker"]).map(|name| match name.as_str() {
            "api" => Self::Api,
            "worker" => Self::Worker,
            _ => Self::All,
        })
    }
}

/// A server in the making.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) listener: TcpListener,
    pub(crate) backends: Backends,
    pub(crate) limits: Limits,
    pub(crate) auth: Auth,
    /// Every setting, as it may be shown.
    pub(crate) settings: Vec<Shown>,
    /// The way of traces out of the process.
    pub(crate) traces: Traces,
    pub(crate) role: Role,
    /// The only projections to keep, when not all.
    pub(crate) only: Option<Vec<String>>,
}

impl Serving {
    /// Serves until a signal, and then ends in good order. `ready` is called when requests are answered.
    pub(crate) async fn run(self, app: &App, ready: impl FnOnce(SocketAddr, &Backends)) -> Exit {
        match self.serve(app, ready).await {
            Ok(exit) => exit,
            Err(error) => {
                complain(&*error);
                Exit::Failed
            }
        }
    }

    async fn serve(
        self,
        app: &App,
        ready: impl FnOnce(SocketAddr, &Backends),
    ) -> Result<Exit, Box<dyn std::error::Error>> {
        let Self { listener, backends, limits, auth, settings, traces, role, only } = self;
        let mut signals = Signals::listen();
        let limits = Arc::new(limits);
        let (stopper, stopping) = Stopping::new();
        let readers = match &only {
            None => None,
            Some(only) => Some(app.only(backends.runner(), only)?),
        };
        let runner = backends.runner();
        let control = readers.as_ref().unwrap_or(&runner).control();
        // Whoever keeps some read models only leaves archive and rebuilds to those who keep all.
        let keeps_all = role != Role::Api && only.is_none();
        let ground = Ground::new(backends.connection.clone(), Arc::clone(&backends.store) as _);
        let rebuilds = Rebuilds {
            kept: app.kept().to_vec(),
            operations: ground.operations(),
            ground,
            control: control.clone(),
            memory_bytes: limits.rebuild_memory(),
        };
        let metrics = Metrics::of_process();
        describe();
        let surroundings = Surroundings {
            place: Arc::new(backends.connection.place.clone()),
            stopping: stopping.clone(),
            operations: Some(rebuilds.operations.clone()),
            reading: match (role, &only) {
                (Role::Api, _) => Reading::Nothing,
                (_, Some(_)) => Reading::Some(control.clone()),
                (_, None) => Reading::All,
            },
            limits: Arc::clone(&limits),
            auth,
            metrics: metrics.clone(),
            vitals: Vitals { store: Some(Arc::clone(&backends.store)), readers: Some(control) },
            settings: settings.into(),
        };
        let (router, runner) = app.on(surroundings, Arc::clone(&backends.store) as _, runner)?;
        let runner = readers.unwrap_or(runner);
        let _upkeep = AbortOnDropHandle(tokio::spawn(metrics.keep_up()));
        let router = if role == Role::Worker { routes::of_worker(router) } else { router };

        let address = listener.local_addr()?;
        let (stop_accepting, no_more) = watch::channel(false);
        let mut accepting = tokio::spawn(listener::accept(listener, router, Arc::clone(&limits), no_more));
        let (stop_reading, read_no_more) = watch::channel(false);
        let reads = role != Role::Api;
        let archive = if only.is_none() { Some(archive::group(&backends)?) } else { None };
        let rebuilding = async move {
            if keeps_all {
                rebuilds.run(stopping).await;
            }
            Ok(())
        };
        let mut reading = tokio::spawn(async move {
            match reads {
                true => {
                    let keeping = archive::keep(runner, archive, || told(read_no_more.clone()));
                    tokio::try_join!(keeping, rebuilding).map(|_| ())
                }
                false => {
                    told(read_no_more).await;
                    Ok(())
                }
            }
        });
        ready(address, &backends);

        tokio::select! {
            () = signals.next() => {}
            ended = &mut accepting => return Err(format!("the server ended by itself: {ended:?}").into()),
            // Read models that stand still must not be served as if they were live.
            ended = &mut reading => return Err(match ended {
                Ok(Err(error)) => error.into(),
                ended => format!("the read models are no longer kept: {ended:?}").into(),
            }),
        }
        say("stopping: requests under way are finished first; a second signal ends at once");
        stopper.drain();
        let end = async {
            tokio::time::sleep(limits.drain()).await;
            stop_accepting.send_replace(true);
            let since = Instant::now();
            stopper.stop();
            let finish = async {
                // A request may wait for a read model. One that takes too long must not keep leases from others.
                let first = tokio::time::timeout(limits.requests_at_the_end(), &mut accepting).await;
                stop_reading.send_replace(true);
                let answered = async {
                    match first {
                        Ok(answered) => answered.is_ok(),
                        Err(_) => accepting.await.is_ok(),
                    }
                };
                let (answered, read) = tokio::join!(answered, reading);
                answered && read.is_ok_and(|read| read.is_ok())
            };
            let finished = tokio::time::timeout(limits.stop(), finish).await.unwrap_or(false);
            let left = limits.stop().saturating_sub(since.elapsed());
            // Publishing what is left has a limit of its own.
            let (published, ()) = tokio::join!(backends.stop(), traces.end(left));
            finished && published
        };
        let ended = tokio::select! {
            ended = end => ended,
            () = signals.next() => false,
        };
        if !ended {
            return Err("not everything was finished before the end".into());
        }
        Ok(Exit::Done)
    }
}

/// Ends a task with its owner.
struct AbortOnDropHandle(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDropHandle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Ends when told to.
async fn told(mut stop: watch::Receiver<bool>) {
    // An error means that the one who tells is gone, which is a stop as well.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the one who stops is gone");
    }
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn say(line: &str) {
    eprintln!("{line}");
}
