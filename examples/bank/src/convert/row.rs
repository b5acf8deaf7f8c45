//! A row of the bank's CSV, read and checked value by value.

use std::io::Read;

use csv::StringRecord;

use super::{ConvertError, MAX_BYTES, MAX_ROWS};

/// Longest account id and transaction id.
const MAX_ID_BYTES: usize = 64;

/// A transaction.
#[derive(Debug)]
pub(super) struct Row {
    /// Its line in the file, from 1.
    pub(super) line: u64,
    pub(super) transaction: String,
    pub(super) account: String,
    /// `YYYY-MM-DD`.
    pub(super) date: String,
    pub(super) kind: Kind,
    pub(super) operation: Option<String>,
    /// Hellers, above zero.
    pub(super) amount: i64,
    pub(super) purpose: Option<String>,
    /// Bank and account of the other side.
    pub(super) partner: Option<(String, String)>,
}

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Credit,
    Withdrawal,
}

/// Where a column stands in this file, and its name for messages.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    index: usize,
}

/// The columns that are used; their order in the file does not matter.
#[derive(Debug)]
struct Columns {
    transaction: Column,
    account: Column,
    date: Column,
    kind: Column,
    operation: Column,
    amount: Column,
    purpose: Column,
    partner_bank: Column,
    partner_account: Column,
}

/// Reads every row.
pub(super) fn read(csv: impl Read) -> Result<Vec<Row>, ConvertError> {
    let mut reader = csv::Reader::from_reader(csv.take(MAX_BYTES));
    let rows = read_rows(&mut reader, MAX_ROWS);
    // A row cut off by the limit may look like any other mistake, so the limit speaks first.
    if reader.get_ref().limit() == 0 {
        return Err(ConvertError::TooLarge { limit: MAX_BYTES });
    }
    rows
}

pub(super) fn read_rows<R: Read>(
    reader: &mut csv::Reader<R>,
    limit: usize,
) -> Result<Vec<Row>, ConvertError> {
    let header = reader.headers().map_err(|source| unreadable(0, source))?;
    let columns = Columns::find(header)?;
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    let mut line = 1;
    while reader.read_record(&mut record).map_err(|source| unreadable(line, source))? {
        line = record.position().map_or(line, csv::Position::line);
        if rows.len() == limit {
            return Err(ConvertError::TooManyRows { limit });
        }
        rows.push(columns.row(line, &record)?);
    }
    Ok(rows)
}

/// A value that is not what its column holds.
pub(super) fn invalid(line: u64, column: &'static str, value: &str, reason: &'static str) -> ConvertError {
    let value = value.chars().take(80).collect();
    ConvertError::Value { line, column, value, reason }
}

/// An error of the CSV reader; `line` is the last one it gave.
fn unreadable(line: u64, source: csv::Error) -> ConvertError {
    if source.is_io_error() {
        return ConvertError::Read { line, source };
    }
    let line = source.position().map_or(line + 1, csv::Position::line);
    ConvertError::Row { line, source }
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, ConvertError> {
        let column = |name: &'static str| {
            // Spreadsheets put a byte order mark before the first name.
            let index = header.iter().position(|found| found.trim_start_matches('\u{feff}').trim() == name);
            index.map(|index| Column { name, index }).ok_or_else(|| {
                let found: Vec<&str> = header.iter().collect();
                let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
                ConvertError::MissingColumn { column: name, found: found.chars().take(200).collect() }
            })
        };
        Ok(Self {
            transaction: column("transaction_id")?,
            account: column("account_id")?,
            date: column("date")?,
            kind: column("type")?,
            operation: column("operation")?,
            amount: column("amount_hellers")?,
            purpose: column("purpose")?,
            partner_bank: column("partner_bank")?,
            partner_account: column("partner_account")?,
        })
    }

    fn row(&self, line: u64, record: &StringRecord) -> Result<Row, ConvertError> {
        let text = |column: Column| record.get(column.index).unwrap_or_default().trim();
        let some = |column: Column| Some(text(column)).filter(|text| !text.is_empty()).map(str::to_owned);
        let checked = |column: Column, check: fn(&str) -> Result<(), &'static str>| {
            let value = text(column);
            check(value).map_err(|reason| invalid(line, column.name, value, reason))?;
            Ok::<_, ConvertError>(value.to_owned())
        };
        let kind = match text(self.kind) {
            "credit" => Kind::Credit,
            "withdrawal" => Kind::Withdrawal,
            other => return Err(invalid(line, self.kind.name, other, "it must be credit or withdrawal")),
        };
        Ok(Row {
            line,
            transaction: checked(self.transaction, check_transaction)?,
            account: checked(self.account, check_id)?,
            date: checked(self.date, check_date)?,
            kind,
            operation: some(self.operation),
            amount: amount(text(self.amount))
                .map_err(|reason| invalid(line, self.amount.name, text(self.amount), reason))?,
            purpose: some(self.purpose),
            // Without a bank the account is 0 and stands for no partner, not for an account of this bank.
            partner: some(self.partner_bank).zip(some(self.partner_account)),
        })
    }
}

fn amount(text: &str) -> Result<i64, &'static str> {
    let amount: i64 = text.parse().map_err(|_| "it must be a whole number of hellers, such as 70000")?;
    if amount > 0 {
        Ok(amount)
    } else {
        Err("it must be above zero; the column `type` says which way it goes")
    }
}

/// What becomes part of a stream name must be plain.
fn check_id(id: &str) -> Result<(), &'static str> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain && !id.is_empty() && id.len() <= MAX_ID_BYTES {
        return Ok(());
    }
    Err("it must be 1 to 64 ASCII letters, digits and hyphens")
}

fn check_transaction(id: &str) -> Result<(), &'static str> {
    if id.starts_with("open-") {
        return Err("ids that begin with `open-` are kept for the commands that open the accounts");
    }
    check_id(id)
}

fn check_date(date: &str) -> Result<(), &'static str> {
    let mut parts = date.split('-');
    let mut part = |width: usize| {
        let part =
            parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()));
        part.and_then(|part| part.parse::<u32>().ok())
    };
    if let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2))
        && parts.next().is_none()
        && (1..=days(year, month)).contains(&day)
    {
        return Ok(());
    }
    Err("it must be a day of the calendar as YYYY-MM-DD, such as 1993-01-31")
}

/// Days of a month; none when there is no such month.
fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}
