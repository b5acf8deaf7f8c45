//! Turns the bank's transactions, a CSV file, into commands: one JSON object a line, ready for `bank import`.
//!
//! Every command has a key of its own that comes from the data, so a second import changes nothing. Not here: sending
//! them, and the rules that accept them.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::Serialize;

mod row;
#[cfg(test)]
mod tests;

use row::{Kind, Row};

/// Most rows of an input. They are held in memory, because an account's overdraft limit is known only at the end.
pub const MAX_ROWS: usize = 5_000_000;

/// Most bytes of an input, after decompression.
pub const MAX_BYTES: u64 = 1 << 30;

/// What was converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows read.
    pub rows: u64,
    /// Accounts opened; each is one command more.
    pub accounts: u64,
    /// Credits.
    pub deposits: u64,
    /// Withdrawals.
    pub withdrawals: u64,
}

/// Why an input cannot be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The file cannot be opened.
    #[error("file {path} cannot be opened: give the path of a .csv or .csv.gz file")]
    Open {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The input ended or broke in the middle.
    #[error("the input cannot be read after line {line}: the file may be cut off, fetch it again")]
    Read {
        /// The last line that was read.
        line: u64,
        /// Why.
        source: csv::Error,
    },
    /// The first line does not name a column that is needed.
    #[error("line 1 does not name the column {column}; it names: {found}; add the column or its name")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// What the line names.
        found: String,
    },
    /// A line is not a row of the table.
    #[error(
        "line {line} is not a row of the table: save it as UTF-8 with one value for each column of line 1"
    )]
    Row {
        /// The line.
        line: u64,
        /// Why.
        source: csv::Error,
    },
    /// A value is not what its column holds.
    #[error("line {line}, column {column}: {value:?} is not valid: {reason}")]
    Value {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value, shortened.
        value: String,
        /// What it must be.
        reason: &'static str,
    },
    /// There are too many rows.
    #[error("the input has more than {limit} rows: split it by account and convert the parts")]
    TooManyRows {
        /// The limit.
        limit: usize,
    },
    /// There are too many bytes.
    #[error("the input has {limit} bytes or more: split it by account and convert the parts")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The commands cannot be written.
    #[error("the commands cannot be written: check that there is space and that the reader is still there")]
    Write(#[from] io::Error),
}

/// Opens a `.csv` file, or a `.csv.gz` file as what is in it.
///
/// # Errors
/// [`ConvertError::Open`] when there is no such file or it may not be read.
pub fn open(path: impl AsRef<Path>) -> Result<Box<dyn Read>, ConvertError> {
    let path = path.as_ref();
    let file =
        File::open(path).map_err(|source| ConvertError::Open { path: path.display().to_string(), source })?;
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let file = BufReader::new(file);
    Ok(if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Writes the commands that the rows stand for, in the order of the rows.
///
/// An account is opened right before its first transaction, with the overdraft limit that its rows need: how far their
/// plain running sum falls below zero. Nothing is written before the whole input has been checked.
///
/// # Errors
/// [`ConvertError`] naming line, column and what to do.
pub fn convert(csv: impl Read, out: impl Write) -> Result<Summary, ConvertError> {
    let rows = row::read(csv)?;
    let limits = overdraft_limits(&rows)?;
    write_commands(&rows, &limits, BufWriter::new(out))
}

/// How far below zero each account falls; also the check that no key comes twice.
fn overdraft_limits(rows: &[Row]) -> Result<HashMap<&str, i64>, ConvertError> {
    let mut balances: HashMap<&str, (i64, i64)> = HashMap::new();
    let mut keys = HashSet::with_capacity(rows.len());
    for row in rows {
        if !keys.insert(row.transaction.as_str()) {
            let reason = "an earlier line has the same id; each transaction needs one of its own";
            return Err(row::invalid(row.line, "transaction_id", &row.transaction, reason));
        }
        let (balance, lowest) = balances.entry(&row.account).or_default();
        let change = if row.kind == Kind::Credit { row.amount } else { -row.amount };
        *balance = balance.checked_add(change).ok_or_else(|| {
            let reason = "the sum of the account leaves the range of 64 bits; check the amounts";
            row::invalid(row.line, "amount_hellers", &row.amount.to_string(), reason)
        })?;
        *lowest = (*lowest).min(*balance);
    }
    Ok(balances.into_iter().map(|(account, (_, lowest))| (account, lowest.saturating_neg())).collect())
}

fn write_commands(
    rows: &[Row],
    limits: &HashMap<&str, i64>,
    mut out: impl Write,
) -> Result<Summary, ConvertError> {
    let mut opened = HashSet::with_capacity(limits.len());
    let mut summary = Summary::default();
    for row in rows {
        if opened.insert(row.account.as_str()) {
            let overdraft_limit = limits.get(row.account.as_str()).copied().unwrap_or_default();
            let data = Data::Open { owner: format!("client {}", row.account), overdraft_limit };
            write_line(&mut out, &row.account, "open", data, &format!("open-{}", row.account))?;
            summary.accounts += 1;
        }
        let command = match row.kind {
            Kind::Credit => "deposit",
            Kind::Withdrawal => "withdraw",
        };
        write_line(&mut out, &row.account, command, transaction(row), &row.transaction)?;
        summary.rows += 1;
        match row.kind {
            Kind::Credit => summary.deposits += 1,
            Kind::Withdrawal => summary.withdrawals += 1,
        }
    }
    out.flush()?;
    Ok(summary)
}

fn transaction(row: &Row) -> Data<'_> {
    Data::Transaction {
        amount: row.amount,
        purpose: row.purpose.as_deref(),
        partner: row.partner.as_ref().map(|(bank, account)| Partner { bank, account }),
        booked_on: &row.date,
        operation: row.operation.as_deref(),
    }
}

fn write_line(
    mut out: impl Write,
    account: &str,
    command: &'static str,
    data: Data<'_>,
    key: &str,
) -> Result<(), ConvertError> {
    let line = Line { stream: format!("account/{account}"), command, data, key };
    serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// A line of the output.
#[derive(Debug, Serialize)]
struct Line<'a> {
    stream: String,
    command: &'static str,
    data: Data<'a>,
    key: &'a str,
}

/// The content of a command; what the CSV leaves empty is left out.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Open {
        owner: String,
        overdraft_limit: i64,
    },
    Transaction {
        amount: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        purpose: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        partner: Option<Partner<'a>>,
        booked_on: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        operation: Option<&'a str>,
    },
}

#[derive(Debug, Serialize)]
struct Partner<'a> {
    bank: &'a str,
    account: &'a str,
}
