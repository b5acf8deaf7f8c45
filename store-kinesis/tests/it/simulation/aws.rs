//! What all processes share: two tables, a stream, and how requests to them are carried out.

use std::collections::BTreeMap;
use std::sync::Mutex;

use headwater_proof::simulation::{Air, Random, lock};
use serde_json::{Value, json};

use super::check;
use super::clients::Book;
use super::conditions::{Item, holds, set, wanted};
use super::purses::Purses;
use super::stream::{self, Stream};
use super::table::{How, Table};

/// The longest time in milliseconds by which replicas are late, and the index.
const LAGS: (u64, u64) = (2_000, 60_000);

#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) air: Air,
    pub(crate) ledger: Mutex<Table>,
    pub(crate) control: Mutex<Table>,
    pub(crate) stream: Mutex<Stream>,
    /// What clients asked and were answered, for the checks alone.
    pub(crate) book: Mutex<Book>,
    pub(crate) purses: Mutex<Purses>,
    random: Mutex<Random>,
    /// Answers of transactions by their tokens.
    tokens: Mutex<BTreeMap<String, Answer>>,
}

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    fn well(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// An error of this type, with more in its body.
    pub(crate) fn error(status: u16, kind: &str, more: Value) -> Self {
        let mut body = json!({ "__type": format!("com.amazonaws#{kind}"), "message": "so it is" });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self { status, body }
    }

    /// What it says, in a word.
    pub(crate) fn word(&self) -> &str {
        let kind = self.body.get("__type").and_then(Value::as_str);
        kind.map_or("done", |kind| kind.trim_start_matches("com.amazonaws#"))
    }
}

impl Aws {
    pub(crate) fn new(seed: u64, rarity: u64) -> Self {
        Self {
            air: Air::new(rarity),
            ledger: Mutex::new(Table::new("s", "v")),
            control: Mutex::new(Table::new("g", "k")),
            stream: Mutex::default(),
            book: Mutex::default(),
            purses: Mutex::default(),
            random: Mutex::new(Random(seed ^ 0x5eed)),
            tokens: Mutex::default(),
        }
    }

    /// Carries out a request of a process. One that nobody knows breaks the run.
    pub(crate) fn carry_out(&self, process: usize, operation: &str, body: &Value) -> Answer {
        let answer = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => self.write(operation, body),
            "TransactWriteItems" => self.transact(body),
            "Query" => self.query(body),
            "PutRecords" => self.put_records(process, body),
            _ => Err(format!("nobody knows {operation}")),
        };
        answer.unwrap_or_else(|unknown| {
            self.air.broke(format!("{operation}: {unknown}: {body}"));
            Answer::error(500, "InternalServerError", Value::Null)
        })
    }

    fn table(&self, body: &Value) -> Result<(&Mutex<Table>, bool), String> {
        match body.get("TableName").and_then(Value::as_str) {
            Some("sim-ledger") => Ok((&self.ledger, true)),
            Some("sim-control") => Ok((&self.control, false)),
            other => Err(format!("there is no table {other:?}")),
        }
    }

    fn write(&self, operation: &str, body: &Value) -> Result<Answer, String> {
        let (table, is_ledger) = self.table(body)?;
        let key = if operation == "PutItem" { object(body, "Item")? } else { object(body, "Key")? };
        let there = lock(table).get(&key).cloned();
        if !holds(text(body, "ConditionExpression")?, &values(body), there.as_ref())? {
            return Ok(Answer::error(400, "ConditionalCheckFailedException", old(body, there)));
        }
        let item = match operation {
            "PutItem" => Some(key.clone()),
            "UpdateItem" => {
                let mut item = there.clone().unwrap_or_else(|| key.clone());
                set(text(body, "UpdateExpression")?, &values(body), &mut item)?;
                Some(item)
            }
            _ => None,
        };
        match (&item, is_ledger) {
            (Some(item), true) => check::committed(self, item),
            (Some(item), false) => check::saved(self, there.as_ref(), item),
            (None, _) => check::removed(self, &key),
        }
        self.store(table, &key, item);
        Ok(Answer::well(json!({})))
    }

    fn store(&self, table: &Mutex<Table>, key: &Item, item: Option<Item>) {
        let mut random = lock(&self.random);
        // Most of it is seen soon.
        let mut lag = |longest: u64| if random.one_in(4) { random.below(longest) } else { random.below(20) };
        let lags = (lag(LAGS.0), lag(LAGS.1));
        drop(random);
        lock(table).put(key, item, self.air.now(), lags);
    }

    fn transact(&self, body: &Value) -> Result<Answer, String> {
        let token = text(body, "ClientRequestToken")?.to_owned();
        if let Some(answer) = lock(&self.tokens).get(&token) {
            return Ok(answer.clone());
        }
        if lock(&self.random).one_in(self.air.rarity()) {
            let reasons =
                json!({ "CancellationReasons": [{ "Code": "TransactionConflict", "Message": "busy" }] });
            return Ok(Answer::error(400, "TransactionCanceledException", reasons));
        }
        let actions = body.get("TransactItems").and_then(Value::as_array).ok_or("it has actions")?;
        let (mut items, mut reasons, mut failed) = (Vec::new(), Vec::new(), false);
        for action in actions {
            let (action, is_put) = match (action.get("Put"), action.get("ConditionCheck")) {
                (Some(put), None) => (put, true),
                (None, Some(check)) => (check, false),
                _ => return Err("nobody knows an action".to_owned()),
            };
            let key = object(action, if is_put { "Item" } else { "Key" })?;
            let there = lock(&self.ledger).get(&key).cloned();
            if holds(text(action, "ConditionExpression")?, &values(action), there.as_ref())? {
                reasons.push(json!({ "Code": "None" }));
            } else {
                failed = true;
                let mut reason = json!({ "Code": "ConditionalCheckFailed", "Message": "no" });
                if let (Some(reason), Value::Object(old)) = (reason.as_object_mut(), old(action, there)) {
                    reason.extend(old);
                }
                reasons.push(reason);
            }
            items.extend(is_put.then_some(key));
        }
        if failed {
            let reasons = json!({ "CancellationReasons": reasons });
            return Ok(Answer::error(400, "TransactionCanceledException", reasons));
        }
        for item in items {
            check::committed(self, &item);
            self.store(&self.ledger, &item, Some(item.clone()));
        }
        let answer = Answer::well(json!({}));
        lock(&self.tokens).insert(token, answer.clone());
        Ok(answer)
    }

    fn query(&self, body: &Value) -> Result<Answer, String> {
        let (table, _) = self.table(body)?;
        let wanted = wanted(text(body, "KeyConditionExpression")?, &values(body))?;
        let flag = |name: &str, usually| body.get(name).and_then(Value::as_bool).unwrap_or(usually);
        let asked = body.get("Limit").and_then(Value::as_u64).unwrap_or(100);
        let mut random = lock(&self.random);
        // DynamoDB may always stop earlier.
        let limit = if random.one_in(self.air.rarity()) { 1 + random.below(asked) } else { asked };
        drop(random);
        let how = How {
            forward: flag("ScanIndexForward", true),
            strong: flag("ConsistentRead", false),
            limit: limit as usize,
            start: body.get("ExclusiveStartKey").and_then(Value::as_object).cloned(),
            now: self.air.now(),
        };
        let (mut items, last) = match body.get("IndexName").and_then(Value::as_str) {
            Some("outbox") => lock(table).query_index(&wanted, &how),
            None => lock(table).query(&wanted, &how),
            Some(other) => return Err(format!("there is no index {other}")),
        };
        if let Some(names) = body.get("ProjectionExpression").and_then(Value::as_str) {
            let names: Vec<&str> = names.split(", ").collect();
            items.iter_mut().for_each(|item| item.retain(|name, _| names.contains(&name.as_str())));
        }
        let mut answer = json!({ "Items": items, "Count": items.len(), "ScannedCount": items.len() });
        if let Some(last) = last {
            answer["LastEvaluatedKey"] = Value::Object(last);
        }
        Ok(Answer::well(answer))
    }

    fn put_records(&self, process: usize, body: &Value) -> Result<Answer, String> {
        let entries = stream::entries(body)?;
        entries.iter().for_each(|entry| check::is_committed(self, entry));
        let rarity = self.air.rarity() / 2;
        let (answer, taken) = lock(&self.stream).put(entries, &mut lock(&self.random), rarity);
        taken.iter().for_each(|record| check::published(self, process, record));
        Ok(Answer::well(answer))
    }
}

fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, String> {
    body.get(name).and_then(Value::as_str).ok_or_else(|| format!("it has no {name}"))
}

fn object(body: &Value, name: &str) -> Result<Item, String> {
    body.get(name).and_then(Value::as_object).cloned().ok_or_else(|| format!("it has no {name}"))
}

fn values(body: &Value) -> Item {
    object(body, "ExpressionAttributeValues").unwrap_or_default()
}

/// The item that was in the way, if the request wants it.
fn old(body: &Value, there: Option<Item>) -> Value {
    let wants = body.get("ReturnValuesOnConditionCheckFailure").and_then(Value::as_str) == Some("ALL_OLD");
    match there.filter(|_| wants) {
        Some(item) => json!({ "Item": item }),
        None => Value::Null,
    }
}
