//! Small inputs, bad inputs, and the facts of the real data.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;

const HEADER: &str = "transaction_id,account_id,date,type,operation,amount_hellers,balance_after_hellers,purpose,\
                      partner_bank,partner_account";

/// The commands of some rows under the usual header.
fn commands(rows: &str) -> Vec<Value> {
    let mut out = Vec::new();
    convert(format!("{HEADER}\r\n{rows}").as_bytes(), &mut out).expect("the rows are good");
    lines(&out)
}

fn lines(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

/// The message for an input, which must be refused before anything is written.
fn refusal(input: &str) -> String {
    let mut out = Vec::new();
    let refused = convert(input.as_bytes(), &mut out).expect_err("the input is bad");
    assert!(out.is_empty(), "nothing is written of a bad input");
    refused.to_string()
}

/// A row that is refused in a column for a reason.
fn check_refused(row: &str, column: &str, reason: &str) {
    let message = refusal(&format!("{HEADER}\n1,7,1993-01-01,credit,,100,,,,\n{row}\n"));
    assert!(message.starts_with(&format!("line 3, column {column}: ")), "{message}");
    assert!(message.contains(reason), "{message}");
}

#[test]
fn an_account_is_opened_right_before_its_first_transaction() {
    let rows = "695247,2378,1993-01-01,credit,cash_deposit,70000,70000,,,\r\n\
                171812,576,1993-01-01,credit,transfer_in,90000,90000,pension,QR,6149286\r\n\
                200,2378,1993-01-02,withdrawal,transfer_out,5000,65000,household,AB,62457513\r\n";
    let expected = [
        json!({"stream": "account/2378", "command": "open", "key": "open-2378",
               "data": {"owner": "client 2378", "overdraft_limit": 0}}),
        json!({"stream": "account/2378", "command": "deposit", "key": "695247",
               "data": {"amount": 70000, "booked_on": "1993-01-01", "operation": "cash_deposit"}}),
        json!({"stream": "account/576", "command": "open", "key": "open-576",
               "data": {"owner": "client 576", "overdraft_limit": 0}}),
        json!({"stream": "account/576", "command": "deposit", "key": "171812",
               "data": {"amount": 90000, "purpose": "pension", "booked_on": "1993-01-01",
                        "partner": {"bank": "QR", "account": "6149286"}, "operation": "transfer_in"}}),
        json!({"stream": "account/2378", "command": "withdraw", "key": "200",
               "data": {"amount": 5000, "purpose": "household", "booked_on": "1993-01-02",
                        "partner": {"bank": "AB", "account": "62457513"}, "operation": "transfer_out"}}),
    ];
    assert_eq!(commands(rows), expected);
}

#[test]
fn the_overdraft_limit_is_how_far_the_running_sum_falls_below_zero() {
    let rows = "1,7,1993-01-01,withdrawal,,300,,,,\n2,7,1993-01-01,credit,,1000,,,,\n\
                3,7,1993-01-01,withdrawal,,1500,,,,\n4,7,1993-01-02,credit,,9000,,,,\n";
    let open = commands(rows).into_iter().next();
    assert_eq!(open.and_then(|line| line.pointer("/data/overdraft_limit").cloned()), Some(json!(800)));
}

#[test]
fn an_account_of_0_without_a_bank_is_no_partner() {
    let line = commands("1,7,1993-01-01,withdrawal,card_withdrawal,300,,,,0\n").pop().expect("two lines");
    assert_eq!(
        line.get("data"),
        Some(&json!({"amount": 300, "booked_on": "1993-01-01", "operation": "card_withdrawal"}))
    );
}

#[test]
fn columns_may_stand_in_any_order_after_a_byte_order_mark() {
    let input = "\u{feff}purpose,type,date,account_id,transaction_id,operation,partner_bank,partner_account,amount_hellers\n\
                 ,credit,1993-01-01,7,1,,,,100\n";
    let mut out = Vec::new();
    let summary = convert(input.as_bytes(), &mut out).expect("the input is good");
    assert_eq!(summary, Summary { rows: 1, accounts: 1, deposits: 1, withdrawals: 0 });
}

#[test]
fn a_header_alone_gives_no_commands() {
    assert_eq!(commands(""), Vec::<Value>::new());
}

#[test]
fn a_missing_column_is_named_with_what_was_found() {
    let message = refusal("transaction_id,account_id,date\n1,7,1993-01-01\n");
    assert_eq!(
        message,
        "line 1 does not name the column type; it names: transaction_id, account_id, date; add the column or its name"
    );
    assert!(refusal("").contains("it names: nothing"));
}

#[test]
fn bad_values_are_named_with_line_column_and_what_to_do() {
    check_refused("2,7,1993-01-01,credit,,12.50,,,,", "amount_hellers", "whole number of hellers");
    check_refused("2,7,1993-01-01,credit,,,,,,", "amount_hellers", "whole number of hellers");
    check_refused("2,7,1993-01-01,credit,,99999999999999999999,,,,", "amount_hellers", "whole number");
    check_refused("2,7,1993-01-01,credit,,0,,,,", "amount_hellers", "above zero");
    check_refused("2,7,1993-01-01,credit,,-5,,,,", "amount_hellers", "above zero");
    check_refused("2,7,1993-01-01,debit,,5,,,,", "type", "credit or withdrawal");
    check_refused("2,7,1993-02-29,credit,,5,,,,", "date", "YYYY-MM-DD");
    check_refused("2,7,930101,credit,,5,,,,", "date", "YYYY-MM-DD");
    check_refused("2,,1993-01-01,credit,,5,,,,", "account_id", "letters, digits and hyphens");
    check_refused("2,a/b,1993-01-01,credit,,5,,,,", "account_id", "letters, digits and hyphens");
    check_refused(",7,1993-01-01,credit,,5,,,,", "transaction_id", "letters, digits and hyphens");
    check_refused("open-7,7,1993-01-01,credit,,5,,,,", "transaction_id", "kept for");
    check_refused("1,8,1993-01-01,credit,,5,,,,", "transaction_id", "an earlier line has the same id");
    check_refused("2,7,1993-01-01,credit,,9223372036854775807,,,,", "amount_hellers", "range of 64 bits");
}

#[test]
fn a_line_with_another_number_of_values_is_named() {
    let message = refusal(&format!("{HEADER}\n1,7,1993-01-01\n"));
    assert!(message.starts_with("line 2 is not a row of the table"), "{message}");
}

#[test]
fn a_file_that_is_cut_off_is_said_to_be() {
    let whole = std::fs::read(real_data()).expect("the data are in the repository");
    let half = whole.get(..whole.len() / 2).expect("half of it");
    let mut out = Vec::new();
    let cut = convert(MultiGzDecoder::new(half), &mut out).expect_err("half a file");
    assert!(cut.to_string().contains("the file may be cut off"), "{cut}");
    assert!(out.is_empty());
}

#[test]
fn more_rows_than_the_limit_are_refused() {
    let input = format!("{HEADER}\n1,7,1993-01-01,credit,,5,,,,\n2,7,1993-01-01,credit,,5,,,,\n");
    let read = |limit| row::read_rows(&mut csv::Reader::from_reader(input.as_bytes()), limit);
    assert_eq!(read(2).expect("two are allowed").len(), 2);
    assert!(matches!(read(1), Err(ConvertError::TooManyRows { limit: 1 })));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = open("no/such/file.csv").err().expect("it is not there").to_string();
    assert_eq!(missing, "file no/such/file.csv cannot be opened: give the path of a .csv or .csv.gz file");
}

#[test]
fn the_real_data_are_converted_whole() {
    let mut out = Vec::new();
    let summary =
        convert(open(real_data()).expect("the data are in the repository"), &mut out).expect("they are good");
    let facts = Summary { rows: 49_102, accounts: 1_229, deposits: 22_994, withdrawals: 26_108 };
    assert_eq!(summary, facts);

    let lines = lines(&out);
    assert_eq!(lines.len(), 49_102 + 1_229);
    let keys: HashSet<&str> = lines.iter().filter_map(|line| line.get("key")?.as_str()).collect();
    assert_eq!(keys.len(), lines.len(), "every command has a key of its own");
    assert_eq!(refused(&lines), 0, "every withdrawal stays within the limit its account was opened with");
}

/// How many commands a bank would refuse that knows nothing but balances and limits.
fn refused(lines: &[Value]) -> usize {
    let mut accounts: HashMap<&str, (i64, i64)> = HashMap::new();
    let mut refused = 0;
    for line in lines {
        let stream = line.get("stream").and_then(Value::as_str).expect("every line has a stream");
        let number = |name: &str| line.get("data").and_then(|data| data.get(name)?.as_i64());
        match line.get("command").and_then(Value::as_str) {
            Some("open") => {
                let limit = number("overdraft_limit").expect("an open has a limit");
                accounts.insert(stream, (0, limit));
            }
            Some(command) => {
                let amount = number("amount").expect("a transaction has an amount");
                let (balance, limit) = accounts.get_mut(stream).expect("it was opened before");
                *balance += if command == "deposit" { amount } else { -amount };
                refused += usize::from(*balance < -*limit);
            }
            None => refused += 1,
        }
    }
    refused
}

fn real_data() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/bank-transactions.csv.gz")
}
