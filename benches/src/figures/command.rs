//! The command line of the figures.

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::Value;

use super::{Error, bank, growth, latency, look_alike, subscriptions, units};

/// Runs what the command line says.
///
/// # Errors
/// When something could not be measured.
pub fn run() -> Result<(), Error> {
    let server = || Arg::new("server").long("server").required(true).help("The address of a bank");
    let seconds = Arg::new("seconds").long("seconds").default_value("10").value_parser(value_parser!(u64));
    let role = Arg::new("role").long("role").default_value("all").value_parser(["all", "api"]);
    let matches = Command::new("headwater-figures")
        .about("Measures what only Headwater has; prints lines of JSON")
        .subcommand_required(true)
        .subcommands([
            Command::new("look-alike").about("Look-alikes of AWS, until nobody listens any more"),
            Command::new("bank").about("The bank on the memory store, until it is ended").arg(role),
            Command::new("units").about("What commands and rows use of DynamoDB and Kinesis"),
            Command::new("growth").about("How commands and memory grow with streams and events"),
            Command::new("latency")
                .about("From the answer of a command to its row, of a running bank")
                .args([server(), seconds.help("How long each part takes")]),
            Command::new("subscriptions").about("Memory of a running bank for idle subscriptions").args([
                server(),
                Arg::new("process").long("process").required(true).help("The number of its process"),
            ]),
        ])
        .get_matches();
    let (name, arguments) = matches.subcommand().ok_or("what is to be measured?")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match name {
            "look-alike" => look_alike::serve().await,
            "bank" => bank::serve(text(arguments, "role") == "all").await,
            "units" => units::measure().await,
            "growth" => growth::measure().await,
            "latency" => {
                let seconds = arguments.get_one("seconds").copied().unwrap_or(10);
                latency::measure(text(arguments, "server"), seconds).await
            }
            _ => subscriptions::measure(text(arguments, "server"), text(arguments, "process")).await,
        }
    })
}

fn text<'a>(arguments: &'a ArgMatches, name: &str) -> &'a str {
    arguments.get_one::<String>(name).map_or("", String::as_str)
}

/// Prints a line.
#[expect(clippy::print_stdout, reason = "this is the command line")]
pub(super) fn say(line: &Value) {
    println!("{line}");
}
