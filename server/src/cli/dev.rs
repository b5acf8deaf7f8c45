//! `dev`: everything in one process, on loopback.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use tokio::net::TcpListener;

use super::context::Context;
use super::error::CliError;
use crate::App;
use crate::auth::Auth;
use crate::backends::Backends;
use crate::exit::Exit;
use crate::serving::{Role, Serving};

pub(super) fn command() -> Command {
    Command::new("dev").about("Run everything in this process: no account, no Docker").args([
        Arg::new("port")
            .long("port")
            .value_name("PORT")
            .value_parser(value_parser!(u16))
            .default_value("8080")
            .help("The port on 127.0.0.1; 0 takes a free one"),
        Arg::new("data-dir")
            .long("data-dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Where data is kept, one process at a time; without it nothing is kept after the end"),
    ])
}

/// Serves until a signal, then lets requests under way finish.
pub(super) async fn run(context: Context, arguments: &ArgMatches) -> Result<Exit, CliError> {
    let port = *arguments.get_one("port").expect("it has a default");
    let data_dir: Option<PathBuf> = arguments.get_one("data-dir").cloned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(|source| CliError::Io {
        what: format!("port {port} (choose another with --port)"),
        source,
    })?;
    let settings = &context.config.settings;
    let backends = Backends::start(settings.aws.clone(), data_dir.clone()).await?;
    let serving = Serving {
        listener,
        backends,
        limits: settings.limits.clone(),
        auth: Auth::new(&settings.auth, false),
        settings: context.config.show(),
        traces: context.traces.clone(),
        role: Role::All,
        only: None,
    };
    let app = &context.app;
    let greet = |address, backends: &Backends| {
        greet(app, &format!("http://{address}"), data_dir.as_deref(), backends);
    };
    Ok(serving.run(app, greet).await)
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn greet(app: &App, url: &str, data_dir: Option<&std::path::Path>, backends: &Backends) {
    let kept = match data_dir {
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
