//! `dev`: everything in one process, on loopback.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::App;
use crate::backends::Backends;
use crate::exit::{Exit, complain};
use crate::serving::{Limits, Role, Serving};

/// What `dev` was told.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) data_dir: Option<PathBuf>,
}

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
    let backends = match Backends::start(app.name, options.data_dir.clone()).await {
        Ok(backends) => backends,
        Err(error) => {
            complain(&error);
            return Exit::Failed;
        }
    };
    let serving = Serving { listener, backends, limits: Limits::default(), role: Role::All, only: None };
    serving.run(&app, |address, backends| greet(&app, &format!("http://{address}"), options, backends)).await
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
    if let Some(lines) = backends.describe() {
        eprintln!("\nlook inside with the aws command line, after:");
        lines.lines().for_each(|line| eprintln!("  {line}"));
    }
}
