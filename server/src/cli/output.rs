//! Data as people or programs want it: tables and lines of text, JSON, or one JSON document a line.

use std::io::Write;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Map, Value};

/// Longest cell of a table in characters.
const CELL: usize = 60;

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Tables and lines of text.
    Human,
    /// One JSON document.
    Json,
    /// One JSON document a line; of a list, each member.
    Ndjson,
}

impl Output {
    /// Reads one from the command line.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        PossibleValuesParser::new(["human", "json", "ndjson"]).map(|name| match name.as_str() {
            "json" => Self::Json,
            "ndjson" => Self::Ndjson,
            _ => Self::Human,
        })
    }

    /// Writes data to standard output.
    pub(crate) fn print(self, data: &Value) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(self.text(data).as_bytes())?;
        out.flush()
    }

    /// The data as text, with a line break at its end.
    pub(crate) fn text(self, data: &Value) -> String {
        match self {
            Self::Json => format!("{data:#}\n"),
            Self::Ndjson => match list(data) {
                Some((_, members)) => members.iter().map(|member| format!("{member}\n")).collect(),
                None => format!("{data}\n"),
            },
            Self::Human => human(data),
        }
    }
}

/// The list that a document is about: itself, or its only member that is a list of objects.
fn list(data: &Value) -> Option<(Option<&str>, &Vec<Value>)> {
    match data {
        Value::Array(members) => Some((None, members)),
        Value::Object(members) => {
            let mut lists = members.iter().filter_map(|(name, value)| {
                let list = value.as_array().filter(|list| list.iter().all(Value::is_object))?;
                Some((Some(name.as_str()), list))
            });
            lists.next().filter(|_| lists.next().is_none())
        }
        _ => None,
    }
}

fn human(data: &Value) -> String {
    let Some((name, rows)) = list(data) else { return lines(data, 0) };
    let mut text = table(rows);
    if let Value::Object(members) = data {
        let rest: Map<String, Value> = members
            .iter()
            .filter(|(member, value)| Some(member.as_str()) != name && !value.is_null())
            .map(|(member, value)| (member.clone(), value.clone()))
            .collect();
        if !rest.is_empty() {
            text.push('\n');
            text.push_str(&lines(&Value::Object(rest), 0));
        }
    }
    text
}

/// A row for each member, a column for each of its members that is not a document itself.
fn table(rows: &[Value]) -> String {
    let rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
    if rows.is_empty() {
        return "none\n".to_owned();
    }
    let mut columns: Vec<&str> = Vec::new();
    for (name, value) in rows.iter().flat_map(|row| row.iter()) {
        if !columns.contains(&name.as_str()) && (!value.is_object() || rows.len() == 1) {
            columns.push(name);
        }
    }
    let cells =
        |row: &Map<String, Value>| columns.iter().map(|column| short(&cell(row.get(*column)))).collect();
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|name| name.replace('_', " ")).collect()];
    lines.extend(rows.iter().map(|row| cells(row)));
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| lines.iter().filter_map(|line| line.get(index)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(padded).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.replace(['\n', '\r', '\t'], " "),
        Some(Value::Array(members)) if members.iter().all(|member| !member.is_object()) => {
            members.iter().map(|member| cell(Some(member))).collect::<Vec<_>>().join(",")
        }
        Some(Value::Array(members)) => members.len().to_string(),
        Some(other) => other.to_string(),
    }
}

/// A cell of a table.
fn short(text: &str) -> String {
    match text.chars().count() > CELL {
        true => text.chars().take(CELL - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A line for each member, those of a document below it.
fn lines(data: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match data {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let name = name.replace('_', " ");
                match value {
                    Value::Object(inner) if !inner.is_empty() => {
                        format!("{indent}{name}:\n{}", lines(value, depth + 1))
                    }
                    Value::Array(inner) if inner.iter().any(Value::is_object) => {
                        let inner: String =
                            inner.iter().map(|value| format!("{indent}  {value}\n")).collect();
                        format!("{indent}{name}:\n{inner}")
                    }
                    value => format!("{indent}{name}: {}\n", cell(Some(value))),
                }
            })
            .collect(),
        Value::Array(members) => members.iter().map(|member| lines(member, depth)).collect(),
        value => format!("{indent}{}\n", cell(Some(value))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_data_for_people_and_for_programs() {
        let data = json!({"read_models": [{"name": "balances", "rows": 2}, {"name": "days"}], "next": null});
        let cases = [
            (Output::Human, "name      rows\nbalances  2\ndays      -\n"),
            (Output::Ndjson, "{\"name\":\"balances\",\"rows\":2}\n{\"name\":\"days\"}\n"),
        ];
        for (output, expected) in cases {
            assert_eq!(output.text(&data), expected, "{output:?}");
        }
        assert_eq!(serde_json::from_str::<Value>(&Output::Json.text(&data)).unwrap(), data);
    }

    #[test]
    fn one_document_is_lines() {
        let data = json!({"stream": "account/7", "data": {"owner_name": "ada", "lines": ["a", "b"]}, "big": "x".repeat(99)});
        let text = Output::Human.text(&data);
        assert!(text.contains("stream: account/7\n") && text.contains("data:\n  "), "{text}");
        assert!(text.contains("  owner name: ada\n") && text.contains("  lines: a,b\n"), "{text}");
        assert!(text.contains(&"x".repeat(99)), "{text}");
        let table = Output::Human.text(&json!([{"big": "x".repeat(99)}]));
        assert!(table.lines().all(|line| line.chars().count() <= CELL), "{table}");
        assert_eq!(Output::Human.text(&json!([])), "none\n");
    }
}
