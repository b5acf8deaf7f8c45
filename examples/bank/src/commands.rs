//! `bank convert`: the bank's own command, beside those every service has.

use std::error::Error;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use crate::convert;

/// The command and its argument.
#[must_use]
pub fn convert() -> Command {
    Command::new("convert")
        .about("Turn the bank's transactions, as CSV, into commands as NDJSON on standard output")
        .arg(
            Arg::new("file")
                .value_name("FILE.csv")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The transactions, plain or gzip (.csv.gz)"),
        )
}

/// Converts the file that is named.
///
/// # Errors
/// When it cannot be read, a row of it is not valid, or the output is closed.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub fn run_convert(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let file: &PathBuf = arguments.get_one("file").expect("it is required");
    let mut out = BufWriter::new(std::io::stdout().lock());
    let summary = convert::convert(convert::open(file)?, &mut out)?;
    out.flush()?;
    let convert::Summary { rows, accounts, deposits, withdrawals, .. } = summary;
    eprintln!("{rows} rows became {accounts} accounts, {deposits} deposits and {withdrawals} withdrawals");
    Ok(())
}
