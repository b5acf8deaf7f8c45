//! Entries of an index, and which of them a range of values is.

use std::cmp::Ordering;
use std::ops::Bound;

use headwater::key::Fingerprint;
use serde_json::Value;

use super::{limits, number};
use crate::rows::{Range, RowError, Scalar};

const FALSE: u8 = 0x10;
const TRUE: u8 = 0x11;
const TEXT: u8 = 0x30;
/// Behind a text. In it a byte 0 or 1 is written as two: [`LOW`], and the byte that is one higher.
const END: u8 = 0;
const LOW: u8 = 1;

/// A row's place in an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    bytes: Vec<u8>,
    value_bytes: usize,
}

/// The entries that may hold the rows of a range: all of them, and perhaps a few more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// The first place that belongs to it.
    pub from: Vec<u8>,
    /// The first place behind it.
    pub until: Vec<u8>,
}

impl Entry {
    /// The entry of a row with this value in the indexed field, if it is in the index.
    #[must_use]
    pub fn of(field: &Value, key: &str) -> Option<Self> {
        let mut bytes = encode(&Scalar::of(field)?).bytes;
        let value_bytes = bytes.len();
        match key.as_bytes().split_at_checked(limits::KEY_BYTES) {
            Some((start, rest)) if !rest.is_empty() => {
                bytes.extend(start);
                for half in [&b"1"[..], b"2"] {
                    bytes.extend(Fingerprint::of(&[half, rest]).0.to_be_bytes());
                }
            }
            _ => bytes.extend(key.as_bytes()),
        }
        Some(Self { bytes, value_bytes })
    }

    /// The bytes that give the order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of the value alone; equal values have equal ones.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.bytes.get(..self.value_bytes).unwrap_or_default()
    }
}

impl Range {
    /// The entries to look at; [`Range::admits`] tells which of their rows belong to the range.
    ///
    /// # Errors
    /// [`RowError::Invalid`] when the bounds are not of one kind.
    pub fn entries(&self) -> Result<Entries, RowError> {
        let (from, until) = match self {
            Self::All => return Ok(Entries { from: vec![FALSE], until: vec![TEXT + 1] }),
            Self::Equals(value) => {
                let value = encode(value).bytes;
                return Ok(Entries { until: after(&value), from: value });
            }
            Self::Between(from, until) => (from, until),
        };
        let kinds = match (value_of(from), value_of(until)) {
            (None, None) => return Self::All.entries(),
            (Some(one), Some(other)) if one.kind() != other.kind() => {
                return Err(RowError::Invalid {
                    reason: format!(
                        "a range cannot lead from {} to {}: give bounds of one kind",
                        one.kind(),
                        other.kind()
                    ),
                });
            }
            (Some(one), _) | (None, Some(one)) => of_kind(one),
        };
        let from = match from {
            Bound::Unbounded => vec![kinds.0],
            Bound::Included(value) => encode(value).bytes,
            Bound::Excluded(value) => encode(value).behind(),
        };
        let until = match until {
            Bound::Unbounded => vec![kinds.1],
            Bound::Included(value) => after(&encode(value).bytes),
            Bound::Excluded(value) => encode(value).before(),
        };
        Ok(Entries { from, until })
    }

    /// For one value: its bytes, as in [`Entry::value`].
    #[must_use]
    pub fn value(&self) -> Option<Vec<u8>> {
        match self {
            Self::Equals(value) => Some(encode(value).bytes),
            Self::All | Self::Between(..) => None,
        }
    }

    /// Whether a value of the indexed field belongs to the range.
    #[must_use]
    pub fn admits(&self, field: &Value) -> bool {
        let Some(value) = Scalar::of(field) else { return false };
        let compare = |bound: &Scalar| (value.kind() == bound.kind()).then(|| order(&value, bound));
        let holds = |bound: &Bound<Scalar>, wanted: Ordering| match bound {
            Bound::Unbounded => true,
            Bound::Included(bound) => compare(bound).is_some_and(|found| found == wanted || found.is_eq()),
            Bound::Excluded(bound) => compare(bound) == Some(wanted),
        };
        match self {
            Self::All => true,
            Self::Equals(wanted) => compare(wanted) == Some(Ordering::Equal),
            Self::Between(from, until) => holds(from, Ordering::Greater) && holds(until, Ordering::Less),
        }
    }
}

/// The bytes of a value, and whether they are all of it.
struct Encoded {
    bytes: Vec<u8>,
    whole: bool,
}

impl Encoded {
    /// The first place behind the value. Texts that begin alike share their bytes, so those are looked at.
    fn behind(self) -> Vec<u8> {
        if self.whole { after(&self.bytes) } else { self.bytes }
    }

    /// The first place that is not before the value.
    fn before(self) -> Vec<u8> {
        if self.whole { self.bytes } else { after(&self.bytes) }
    }
}

fn encode(value: &Scalar) -> Encoded {
    let text = match value {
        Scalar::Bool(false) => return Encoded { bytes: vec![FALSE], whole: true },
        Scalar::Bool(true) => return Encoded { bytes: vec![TRUE], whole: true },
        Scalar::Number(number) => return Encoded { bytes: number::encode(number), whole: true },
        Scalar::Text(text) => text,
    };
    let mut bytes = vec![TEXT];
    for byte in text.bytes() {
        let width = if byte <= LOW { 2 } else { 1 };
        if bytes.len() + width > limits::TEXT_BYTES + 1 {
            bytes.push(END);
            return Encoded { bytes, whole: false };
        }
        if byte <= LOW {
            bytes.extend([LOW, byte + 1]);
        } else {
            bytes.push(byte);
        }
    }
    bytes.push(END);
    // A text of just these bytes shares them with longer ones.
    let whole = bytes.len() < limits::TEXT_BYTES + 1;
    Encoded { bytes, whole }
}

/// The first bytes behind all that begin with these.
fn after(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            break;
        }
    }
    bytes
}

fn value_of(bound: &Bound<Scalar>) -> Option<&Scalar> {
    match bound {
        Bound::Unbounded => None,
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
    }
}

/// What stands before and behind all values of this one's kind.
fn of_kind(value: &Scalar) -> (u8, u8) {
    match value {
        Scalar::Bool(_) => (FALSE, TRUE + 1),
        Scalar::Number(_) => number::ALL,
        Scalar::Text(_) => (TEXT, TEXT + 1),
    }
}

/// The exact order of two values of one kind.
fn order(one: &Scalar, other: &Scalar) -> Ordering {
    match (one, other) {
        (Scalar::Text(one), Scalar::Text(other)) => one.cmp(other),
        _ => encode(one).bytes.cmp(&encode(other).bytes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_are_ordered_by_kind_then_value_then_key() {
        let long = |end: &str| "x".repeat(limits::TEXT_BYTES) + end;
        let ascending = [
            (json!(false), "b"),
            (json!(true), "a"),
            (json!(-3), "a"),
            (json!(-2.5), "z"),
            (json!(0), "a"),
            (json!(7), "a"),
            (json!(7.0), "b"),
            (json!(70), "a"),
            (json!(""), "z"),
            (json!("\0"), "z"),
            (json!("a"), "z"),
            (json!("a\0"), "a"),
            (json!("a\0b"), "a"),
            (json!("a\u{1}"), "a"),
            (json!("a\u{2}"), "a"),
            (json!("ab"), "a"),
            (json!(long("b")), "1"),
            (json!(long("a")), "2"),
            (json!("ä"), "a"),
        ];
        let entries = ascending.map(|(value, key)| Entry::of(&value, key).unwrap());
        assert_eq!(entries.windows(2).position(|pair| pair[0] >= pair[1]), None);
    }

    #[test]
    fn a_field_that_is_no_scalar_has_no_entry() {
        for field in [json!(null), json!([1]), json!({"a": 1})] {
            assert_eq!(Entry::of(&field, "key"), None);
        }
    }

    #[test]
    fn no_entry_is_over_the_limit_and_long_keys_stay_apart() {
        for text in ["x".repeat(3_000), "\0".repeat(3_000)] {
            let key = |end: &str| "k".repeat(1_000) + end;
            let entries = ["1", "2"].map(|end| Entry::of(&json!(text), &key(end)).unwrap());
            assert!(entries.iter().all(|entry| entry.bytes().len() <= limits::ENTRY_BYTES));
            assert_ne!(entries[0].bytes(), entries[1].bytes());
            assert_eq!(entries[0].value(), entries[1].value());
        }
    }

    #[test]
    fn bounds_of_two_kinds_are_refused() {
        let range = Range::Between(Bound::Included(1_i64.into()), Bound::Included("a".into()));
        let error = range.entries().unwrap_err().to_string();
        assert!(error.contains("from a number to a text"), "{error}");
    }

    /// What a range admits is among the entries it names, and what it admits exactly is the plain comparison.
    #[test]
    fn ranges_name_all_entries_that_they_admit() {
        let long = |end: &str| "x".repeat(limits::TEXT_BYTES) + end;
        let exact = "x".repeat(limits::TEXT_BYTES);
        let values = [
            json!(false),
            json!(true),
            json!(-10),
            json!(-1),
            json!(-0.5),
            json!(0),
            json!(3),
            json!(3.5),
            json!(30),
            json!(""),
            json!("a"),
            json!("a\0"),
            json!("ab"),
            json!("b"),
            json!(exact),
            json!(long("a")),
            json!(long("b")),
            json!("y"),
        ];
        let mut admitted = 0;
        for (from, low) in values.iter().enumerate() {
            for (until, high) in values.iter().enumerate() {
                let (low, high) = (Scalar::of(low).unwrap(), Scalar::of(high).unwrap());
                if low.kind() != high.kind() {
                    continue;
                }
                for (a, b) in [(true, true), (true, false), (false, true), (false, false)] {
                    let bound = |value: &Scalar, included| match included {
                        true => Bound::Included(value.clone()),
                        false => Bound::Excluded(value.clone()),
                    };
                    let range = Range::Between(bound(&low, a), bound(&high, b));
                    let entries = range.entries().unwrap();
                    for (place, value) in values.iter().enumerate() {
                        let wanted =
                            (place > from || a && place == from) && (place < until || b && place == until);
                        assert_eq!(range.admits(value), wanted, "{value} in {range:?}");
                        let entry = Entry::of(value, "key").unwrap();
                        let named = (&entries.from[..]..&entries.until[..]).contains(&entry.bytes());
                        assert!(named || !wanted, "{value} in {range:?}");
                        admitted += usize::from(wanted);
                    }
                }
            }
        }
        assert!(admitted > 500, "{admitted}");
    }
}
