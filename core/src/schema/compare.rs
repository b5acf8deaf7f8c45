//! Comparing two JSON Schemas of one payload: what can one side not read of what the other writes?
//!
//! Both directions are one question. Backward: the new program reads what the old one wrote; forward: the old reads
//! what the new one writes. Titles, descriptions, defaults and examples are never looked at.

use serde_json::Value;

use super::branch::{Branch, Kind, branches, resolve};
use super::drift::Change;

/// Which programs must be able to read which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// New programs read old events: what every event store needs.
    #[default]
    Backward,
    /// Old programs read new events: for readers that are deployed later than the writer.
    Forward,
    /// Both.
    Full,
}

/// What one side cannot read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// The field, as a path; empty for the payload itself.
    pub(super) path: String,
    pub(super) kind: GapKind,
}

/// Why the reader cannot read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GapKind {
    /// The reader requires a field the writer does not have.
    Absent,
    /// The reader requires a field the writer may leave out.
    Optional,
    /// The reader refuses a field the writer writes.
    Refused,
    /// The reader does not know this value or alternative.
    Value(String),
    /// The reader takes another type.
    Type { reader: String, writer: String },
    /// The reader takes fewer values: a keyword and its two bounds.
    Bound { keyword: &'static str, reader: String, writer: String },
}

/// The differences between a locked schema and today's that break the mode; none when it is kept.
///
/// ```
/// use headwater::schema::{Mode, compare};
/// use serde_json::json;
///
/// let old = json!({"type": "object", "properties": {"by": {"type": "string"}}, "required": ["by"]});
/// let new = json!({"type": "object", "properties": {"by": {"type": "integer"}}, "required": ["by"]});
/// let changes = compare(&old, &new, Mode::Backward);
/// assert_eq!(changes[0].path, "by");
/// assert_eq!(changes[0].what, "its type was string and is integer now");
/// ```
#[must_use]
pub fn compare(old: &Value, new: &Value, mode: Mode) -> Vec<Change> {
    let mut changes = Vec::new();
    if mode != Mode::Forward {
        changes.extend(Reading::new(new, old).gaps().into_iter().map(Change::backward));
    }
    if mode != Mode::Backward {
        for change in Reading::new(old, new).gaps().into_iter().map(Change::forward) {
            // A changed type breaks both ways; once is enough.
            if !changes.iter().any(|known| known.path == change.path && known.what == change.what) {
                changes.push(change);
            }
        }
    }
    changes
}

/// A reader's schema, a writer's, and the references being followed, so that a type that holds itself ends.
struct Reading<'a> {
    reader: &'a Value,
    writer: &'a Value,
    following: Vec<(String, String)>,
}

impl<'a> Reading<'a> {
    fn new(reader: &'a Value, writer: &'a Value) -> Self {
        Self { reader, writer, following: Vec::new() }
    }

    fn gaps(mut self) -> Vec<Gap> {
        self.schemas("", self.reader, self.writer)
    }

    fn schemas(&mut self, path: &str, reader: &Value, writer: &Value) -> Vec<Gap> {
        let pair = (resolve(self.reader, reader).1, resolve(self.writer, writer).1);
        if let (Some(reader_name), Some(writer_name)) = pair {
            let pair = (reader_name.to_owned(), writer_name.to_owned());
            if self.following.contains(&pair) {
                return Vec::new();
            }
            self.following.push(pair);
        }
        let (readers, writers) = (branches(self.reader, reader), branches(self.writer, writer));
        let mut gaps = Vec::new();
        for written in &writers {
            for mut gap in self.alternatives(path, &readers, written) {
                // One line says what the type was and is, whichever of its alternatives are missing.
                if let (true, GapKind::Type { writer, .. }) = (gap.path == path, &mut gap.kind) {
                    *writer = describe(&writers);
                }
                if !gaps.contains(&gap) {
                    gaps.push(gap);
                }
            }
        }
        if let (Some(_), Some(_)) = pair {
            self.following.pop();
        }
        gaps
    }

    /// The gaps of the alternative that fits best; none if one fits.
    fn alternatives(&mut self, path: &str, readers: &[Branch], written: &Branch) -> Vec<Gap> {
        let of_kind: Vec<&Branch> = readers.iter().filter(|reader| reader.kind.takes(written.kind)).collect();
        let several = of_kind.len() > 1;
        let mut best: Option<Vec<Gap>> = None;
        for reader in of_kind {
            let tags = (reader.tag(), written.tag());
            let differs = reader.constant.is_some() && reader.constant != written.constant;
            // Another alternative of an enum is not this one changed.
            if differs || (several && tags.1.is_some() && tags.0.is_some() && tags.0 != tags.1) {
                continue;
            }
            let gaps = self.branch(path, reader, written);
            if best.as_ref().is_none_or(|best| gaps.len() < best.len()) {
                best = Some(gaps);
            }
        }
        best.unwrap_or_else(|| {
            let known = readers.iter().any(|reader| reader.tag().is_some());
            let kind = match written.tag() {
                Some(tag) if known => GapKind::Value(tag),
                _ => GapKind::Type { reader: describe(readers), writer: written.describe() },
            };
            vec![Gap { path: path.to_owned(), kind }]
        })
    }

    fn branch(&mut self, path: &str, reader: &Branch, written: &Branch) -> Vec<Gap> {
        let mut gaps = bounds(path, reader, written);
        self.required(path, reader, written, &mut gaps);
        for (name, field) in written.properties() {
            let at = join(path, name);
            match reader.property(name).or_else(|| reader.values()) {
                Some(known) => gaps.extend(self.schemas(&at, known, field)),
                None if reader.is_closed() => gaps.push(Gap { path: at, kind: GapKind::Refused }),
                None => {}
            }
        }
        if let (Some(known), Some(values)) = (reader.values(), written.values()) {
            gaps.extend(self.schemas(&join(path, "*"), known, values));
        }
        if let (Some(known), Some(items)) = (reader.rules.get("items"), written.rules.get("items")) {
            gaps.extend(self.schemas(&format!("{path}[]"), known, items));
        }
        let prefix = |branch: &Branch| branch.rules.get("prefixItems").and_then(Value::as_array).cloned();
        if let (Some(known), Some(items)) = (prefix(reader), prefix(written)) {
            for (index, (known, item)) in known.iter().zip(&items).enumerate() {
                gaps.extend(self.schemas(&format!("{path}[{index}]"), known, item));
            }
        }
        gaps
    }

    fn required(&self, path: &str, reader: &Branch, written: &Branch, gaps: &mut Vec<Gap>) {
        for name in reader.required() {
            if !written.required().any(|written| written == name) {
                let kind = if written.property(name).is_some() { GapKind::Optional } else { GapKind::Absent };
                gaps.push(Gap { path: join(path, name), kind });
            }
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn describe(branches: &[Branch]) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for kind in branches.iter().map(Branch::describe) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.join(" or ")
}

/// Where the reader's bounds are tighter than the writer's, or only the reader's strings have a form.
fn bounds(path: &str, reader: &Branch, written: &Branch) -> Vec<Gap> {
    if written.constant.is_some() {
        return Vec::new();
    }
    let gap = |kind| Gap { path: path.to_owned(), kind };
    let none = || "none".to_owned();
    let mut gaps = Vec::new();
    for &(keyword, is_lower) in limits(reader.kind) {
        let (Some(read), wrote) = (limit(reader, keyword), limit(written, keyword)) else { continue };
        let fits = wrote.is_some_and(|wrote| if is_lower { wrote >= read } else { wrote <= read });
        if !fits && reader.kind != Kind::String && reader.describe() != written.describe() {
            return vec![gap(GapKind::Type { reader: reader.describe(), writer: written.describe() })];
        }
        if !fits {
            let (reader, writer) = (read.to_string(), wrote.map_or_else(none, |wrote| wrote.to_string()));
            gaps.push(gap(GapKind::Bound { keyword, reader, writer }));
        }
    }
    let (read, wrote) = (form(reader), form(written));
    if let Some(reader) = read.filter(|read| reader.kind == Kind::String && Some(*read) != wrote) {
        let (reader, writer) = (reader.to_owned(), wrote.map_or_else(none, str::to_owned));
        gaps.push(gap(GapKind::Bound { keyword: "format", reader, writer }));
    }
    gaps
}

/// The form of a text, such as `uuid`.
fn form(branch: &Branch) -> Option<&str> {
    branch.rules.get("format").and_then(Value::as_str)
}

/// The keywords that bound a value of this type, and whether from below.
fn limits(kind: Kind) -> &'static [(&'static str, bool)] {
    match kind {
        Kind::String => &[("minLength", true), ("maxLength", false)],
        Kind::Array => &[("minItems", true), ("maxItems", false)],
        Kind::Integer | Kind::Number => &[("minimum", true), ("maximum", false)],
        _ => &[],
    }
}

/// A bound of a branch: its own, or that of Rust's integer type.
fn limit(branch: &Branch, keyword: &str) -> Option<f64> {
    let own = branch.rules.get(keyword).and_then(Value::as_f64);
    own.or_else(|| {
        let (low, high) = number_range(form(branch)?)?;
        match keyword {
            "minimum" => low,
            "maximum" => high,
            _ => None,
        }
    })
}

/// The range of one of Rust's number types by the name schemars gives it; no bound for floats.
fn number_range(format: &str) -> Option<(Option<f64>, Option<f64>)> {
    let signed = |bits: i32| (Some(-(2_f64.powi(bits - 1))), Some(2_f64.powi(bits - 1) - 1.0));
    let unsigned = |bits: i32| (Some(0.0), Some(2_f64.powi(bits) - 1.0));
    Some(match format {
        "int8" => signed(8),
        "int16" => signed(16),
        "int32" => signed(32),
        "int64" | "int" => signed(64),
        "int128" => signed(128),
        "uint8" => unsigned(8),
        "uint16" => unsigned(16),
        "uint32" => unsigned(32),
        "uint64" | "uint" => unsigned(64),
        "uint128" => unsigned(128),
        "float" | "double" => (None, None),
        _ => return None,
    })
}
