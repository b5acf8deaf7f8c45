//! The expressions that the store sends, evaluated. One that is not known here is an error and breaks the run.

use serde_json::{Map, Value};

/// An item, or the values of an expression, as JSON has them on the wire.
pub(crate) type Item = Map<String, Value>;

/// Which items of a partition a query wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) partition: String,
    pub(crate) from: u64,
    pub(crate) until: u64,
}

/// Whether a condition holds for what is there.
pub(crate) fn holds(condition: &str, values: &Item, there: Option<&Item>) -> Result<bool, String> {
    for clause in condition.split(" AND ") {
        let there = |name: &str| there.and_then(|item| item.get(name));
        let holds = if let Some(name) = call(clause, "attribute_not_exists") {
            there(name).is_none()
        } else if let Some(name) = call(clause, "attribute_exists") {
            there(name).is_some()
        } else if let Some((name, value)) = clause.split_once(" = ") {
            let value = values.get(value).ok_or_else(|| format!("{value} is not given: {condition}"))?;
            there(name) == Some(value)
        } else {
            return Err(format!("nobody knows the condition {condition}"));
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Sets what an update says: `SET a = :x, b = :y`.
pub(crate) fn set(update: &str, values: &Item, item: &mut Item) -> Result<(), String> {
    let unknown = || format!("nobody knows the update {update}");
    for part in update.strip_prefix("SET ").ok_or_else(unknown)?.split(", ") {
        let (name, value) = part.split_once(" = ").ok_or_else(unknown)?;
        item.insert(name.to_owned(), values.get(value).ok_or_else(unknown)?.clone());
    }
    Ok(())
}

/// Reads a condition on keys: `a = :x`, or with ` AND b BETWEEN :y AND :z`, or with ` AND b > :y`.
pub(crate) fn wanted(condition: &str, values: &Item) -> Result<Wanted, String> {
    let unknown = || format!("nobody knows the key condition {condition}");
    let (partition, sort) = match condition.split_once(" AND ") {
        Some((partition, sort)) => (partition, Some(sort)),
        None => (condition, None),
    };
    let (_, partition) = partition.split_once(" = ").ok_or_else(unknown)?;
    let partition = values.get(partition).and_then(text).ok_or_else(unknown)?;
    let bound = |name: &str| values.get(name).and_then(number).ok_or_else(unknown);
    let words: Vec<&str> = sort.unwrap_or_default().split_whitespace().collect();
    let (from, until) = match words.as_slice() {
        [] => (0, u64::MAX),
        [_, "BETWEEN", from, "AND", until] => (bound(from)?, bound(until)?),
        [_, ">", above] => (bound(above)? + 1, u64::MAX),
        _ => return Err(unknown()),
    };
    Ok(Wanted { partition: partition.to_owned(), from, until })
}

/// The text of an attribute.
pub(crate) fn text(value: &Value) -> Option<&str> {
    value.get("S")?.as_str()
}

/// The number of an attribute.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.get("N")?.as_str()?.parse().ok()
}

fn call<'a>(clause: &'a str, function: &str) -> Option<&'a str> {
    clause.strip_prefix(function)?.strip_prefix('(')?.strip_suffix(')')
}

#[test]
fn conditions_mean_what_dynamodb_says_they_mean() {
    let item = |value: Value| value.as_object().unwrap().clone();
    let there = item(serde_json::json!({ "c": { "N": "7" } }));
    let values = item(serde_json::json!({ ":c": { "N": "7" }, ":d": { "N": "8" }, ":s": { "S": "a" } }));
    let check = |condition: &str| holds(condition, &values, Some(&there));
    assert_eq!(check("attribute_not_exists(c)"), Ok(false));
    assert_eq!(check("attribute_exists(c) AND attribute_not_exists(p)"), Ok(true));
    assert_eq!(check("c = :c AND attribute_not_exists(p)"), Ok(true));
    assert_eq!(check("c = :d"), Ok(false));
    assert_eq!(holds("c = :c", &values, None), Ok(false));
    assert!(check("c < :d").is_err() && check("c = :e").is_err());
    let range = |condition: &str| wanted(condition, &values).map(|wanted| (wanted.from, wanted.until));
    assert_eq!(range("s = :s AND v BETWEEN :c AND :d"), Ok((7, 8)));
    assert_eq!(range("s = :s AND v > :c"), Ok((8, u64::MAX)));
    assert_eq!(range("s = :s"), Ok((0, u64::MAX)));
    assert!(range("s = :s AND v < :c").is_err() && range("s > :s").is_err());
    let mut changed = there.clone();
    set("SET c = :d, m = :s", &values, &mut changed).unwrap();
    assert_eq!((number(&changed["c"]), text(&changed["m"])), (Some(8), Some("a")));
}
