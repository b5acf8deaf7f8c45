//! The command line of the user's binary. Data goes to standard output, all else to standard error.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::exit::{Exit, complain};
use crate::serving::Role;
use crate::{App, dev, import, serve};

/// What is logged unless `RUST_LOG` says otherwise. The local DynamoDB warns of every condition that does not hold, and
/// that is no more than a lost race.
const LOGGED: &str = "warn,dynoxide=error";

/// Reads the command line and does what it says.
pub(crate) async fn run(app: App) -> ExitCode {
    let mut command = command(&app);
    let matches = match command.try_get_matches_from_mut(std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Failed.into(),
            };
        }
    };
    log_to_stderr();
    match matches.subcommand() {
        Some(("dev", arguments)) => dev::run(app, &dev_options(arguments)).await.into(),
        Some(("serve", arguments)) => serve::run(app, serve_options(arguments)).await.into(),
        Some(("import", arguments)) => import::run(&import_options(arguments)).await.into(),
        Some((name, arguments)) => own(&app, name, arguments).into(),
        None => Exit::Usage.into(),
    }
}

fn command(app: &App) -> Command {
    let dev = Command::new("dev")
        .about("Run everything in this process: no account, no Docker")
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .value_parser(value_parser!(u16))
                .default_value("8080")
                .help("The port on 127.0.0.1; 0 takes a free one"),
        )
        .arg(
            Arg::new("data-dir")
                .long("data-dir")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Where data is kept, one process at a time; without it nothing is kept after the end"),
        );
    let import = Command::new("import")
        .about("Send commands from a file to a server, each stream in order; a second run changes nothing")
        .arg(
            Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)).help(
                "Commands as NDJSON: {\"stream\", \"command\", \"data\", \"key\"}; - reads standard input",
            ),
        )
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .default_value("http://127.0.0.1:8080")
                .help("The server's address"),
        )
        .arg(
            Arg::new("connections")
                .long("connections")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=256))
                .default_value("16")
                .help("How many commands are under way at once, each for another stream"),
        );
    let own = app.commands.iter().map(|(command, _)| command.clone());
    Command::new(app.name)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(dev)
        .subcommand(serve_command())
        .subcommand(import)
        .subcommands(own)
}

fn serve_command() -> Command {
    Command::new("serve").about("Run a server on AWS").args([
        Arg::new("listen")
            .long("listen")
            .value_name("ADDRESS")
            .value_parser(value_parser!(std::net::SocketAddr))
            .default_value("127.0.0.1:8080")
            .help("Address and port"),
        Arg::new("role")
            .long("role")
            .value_name("ROLE")
            .value_parser(Role::parser())
            .default_value("all")
            .help("What this process does"),
        Arg::new("only")
            .long("only")
            .value_name("P1,P2")
            .value_delimiter(',')
            .help("Keep only these read models, as a group of their own; with --role worker"),
        Arg::new("dev")
            .long("dev")
            .value_name("PORT")
            .value_parser(value_parser!(u16).range(1..))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("8080")
            .help("Work on the `dev` that runs at this port of this machine, instead of AWS"),
    ])
}

fn serve_options(arguments: &ArgMatches) -> serve::Options {
    serve::Options {
        listen: *arguments.get_one("listen").expect("it has a default"),
        role: *arguments.get_one("role").expect("it has a default"),
        only: arguments.get_many("only").map(|names| names.cloned().collect()),
        dev: arguments.get_one("dev").copied(),
    }
}

fn dev_options(arguments: &ArgMatches) -> dev::Options {
    dev::Options {
        port: *arguments.get_one("port").expect("it has a default"),
        data_dir: arguments.get_one("data-dir").cloned(),
    }
}

fn import_options(arguments: &ArgMatches) -> import::Options {
    import::Options {
        file: arguments.get_one::<PathBuf>("file").cloned().expect("it is required"),
        server: arguments.get_one::<String>("server").cloned().expect("it has a default"),
        connections: usize::from(*arguments.get_one::<u16>("connections").expect("it has a default")),
    }
}

fn own(app: &App, name: &str, arguments: &ArgMatches) -> Exit {
    let Some((_, handler)) = app.commands.iter().find(|(command, _)| command.get_name() == name) else {
        return Exit::Usage;
    };
    match handler(arguments) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&*error);
            Exit::Failed
        }
    }
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
