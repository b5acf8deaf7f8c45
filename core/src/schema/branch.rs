//! A JSON Schema taken apart into what a value may be: one branch for each type, constant or alternative.

use std::fmt;

use serde_json::{Map, Value};

/// One thing a value may be.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) kind: Kind,
    /// The one value it may have.
    pub(super) constant: Option<Value>,
    /// The keywords that narrow it: `properties`, `items`, bounds.
    pub(super) rules: Map<String, Value>,
}

/// The types of JSON, with whole numbers apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Anything,
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    fn of_name(name: &str) -> Self {
        match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => Self::Anything,
        }
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Whether a reader of this type takes what a writer of the other type writes.
    pub(super) fn takes(self, written: Self) -> bool {
        self == written || self == Self::Anything || (self == Self::Number && written == Self::Integer)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anything => "anything",
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        })
    }
}

/// The schema a `$ref` points to, within the same document, and the reference itself.
pub(super) fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> (&'a Value, Option<&'a str>) {
    let mut name = None;
    // A chain of references is short; a circle of them means nothing.
    for _ in 0..16 {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { break };
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            break;
        };
        (schema, name) = (target, Some(reference));
    }
    (schema, name)
}

/// What a value of this schema may be.
pub(super) fn branches(root: &Value, schema: &Value) -> Vec<Branch> {
    let (schema, _) = resolve(root, schema);
    let Some(rules) = schema.as_object() else {
        return vec![Branch { kind: Kind::Anything, constant: None, rules: Map::new() }];
    };
    let rules = merged(root, rules);
    for keyword in ["oneOf", "anyOf"] {
        if let Some(Value::Array(alternatives)) = rules.get(keyword) {
            let mut shared = rules.clone();
            shared.remove(keyword);
            return alternatives.iter().flat_map(|one| with_shared(root, &shared, one)).collect();
        }
    }
    if let Some(constant) = rules.get("const") {
        return vec![constant_branch(constant)];
    }
    if let Some(Value::Array(values)) = rules.get("enum") {
        return values.iter().map(constant_branch).collect();
    }
    let kinds: Vec<Kind> = match rules.get("type") {
        Some(Value::String(name)) => vec![Kind::of_name(name)],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(Kind::of_name).collect(),
        _ if rules.contains_key("properties") => vec![Kind::Object],
        _ => vec![Kind::Anything],
    };
    kinds.into_iter().map(|kind| Branch { kind, constant: None, rules: rules.clone() }).collect()
}

fn constant_branch(value: &Value) -> Branch {
    Branch { kind: Kind::of_value(value), constant: Some(value.clone()), rules: Map::new() }
}

/// The branches of one alternative, with the fields that stand beside the alternatives (a flattened enum).
fn with_shared(root: &Value, shared: &Map<String, Value>, alternative: &Value) -> Vec<Branch> {
    let mut all = branches(root, alternative);
    for branch in all.iter_mut().filter(|branch| branch.kind == Kind::Object) {
        merge(&mut branch.rules, shared);
    }
    all
}

/// The rules with every part of `allOf` among them.
fn merged(root: &Value, rules: &Map<String, Value>) -> Map<String, Value> {
    let mut rules = rules.clone();
    if let Some(Value::Array(parts)) = rules.remove("allOf") {
        for part in &parts {
            if let (Value::Object(part), _) = resolve(root, part) {
                merge(&mut rules, &merged(root, part));
            }
        }
    }
    rules
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (keyword, value) in from {
        match (into.get_mut(keyword), value) {
            (Some(Value::Object(into)), Value::Object(from)) if keyword == "properties" => {
                into.extend(from.clone())
            }
            (Some(Value::Array(into)), Value::Array(from)) if keyword == "required" => {
                into.extend(from.iter().cloned());
            }
            (Some(_), _) => {}
            (None, _) => {
                into.insert(keyword.clone(), value.clone());
            }
        }
    }
}

impl Branch {
    /// The schema of a field.
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        self.rules.get("properties")?.get(name)
    }

    /// The names of the fields.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.rules.get("properties").and_then(Value::as_object).into_iter().flatten()
    }

    /// The names of the fields that are always there.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether fields without a rule of their own are refused.
    pub(super) fn is_closed(&self) -> bool {
        ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|keyword| self.rules.get(*keyword) == Some(&Value::Bool(false)))
    }

    /// The schema of fields without a rule of their own: the values of a map.
    pub(super) fn values(&self) -> Option<&Value> {
        self.rules.get("additionalProperties").filter(|values| values.is_object())
    }

    /// How serde tells this alternative of an enum from the others: its one key, or the value of its tag.
    pub(super) fn tag(&self) -> Option<String> {
        if let Some(constant) = &self.constant {
            return Some(text(constant));
        }
        let tagged = self.properties().find_map(|(_, schema)| schema.get("const").map(text));
        if tagged.is_some() {
            return tagged;
        }
        let mut properties = self.properties();
        let (only, _) = properties.next()?;
        let alone = properties.next().is_none() && self.is_closed() && self.required().eq([only.as_str()]);
        alone.then(|| only.clone())
    }

    /// What it is, for a message.
    pub(super) fn describe(&self) -> String {
        match self.rules.get("format").and_then(Value::as_str) {
            Some(format) if self.kind != Kind::Null => format!("{} ({format})", self.kind),
            _ => self.kind.to_string(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
