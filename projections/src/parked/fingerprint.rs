//! Fingerprints of errors: a thousand streams that are parked for one reason are one thing to look at.

use std::fmt;
use std::str::FromStr;

use headwater::StreamName;
use headwater::key::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::Cause;

/// A digest of a projection, the kind of a cause and its words, with what differs from stream to stream left out.
/// Sixteen hexadecimal digits. It stays the same over restarts, processes and versions of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CauseFingerprint(u64);

/// A text is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the fingerprint of an error: give its 16 hexadecimal digits")]
pub struct NotAFingerprint {
    text: String,
}

impl CauseFingerprint {
    /// The fingerprint of a cause.
    pub(crate) fn of(projection: &str, stream: &StreamName, cause: &Cause) -> Self {
        let kind = serde_json::to_string(&cause.kind).expect("the name of a situation is JSON");
        let words = masked(&cause.message, stream);
        Self(Fingerprint::of(&[projection.as_bytes(), kind.as_bytes(), words.as_bytes()]).0)
    }
}

/// The words without what is likely to differ from stream to stream: texts between double quotes, the stream's name and
/// id, and every run of letters, digits, hyphens and underscores that has a digit. Each becomes `#`.
fn masked(message: &str, stream: &StreamName) -> String {
    let message = message.replace(stream.as_str(), "#");
    let mut masked = String::with_capacity(message.len());
    let mut rest = message.as_str();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            masked.push('#');
            quoted(rest)
        } else if is_part_of_a_word(first) {
            let length = rest.find(|c| !is_part_of_a_word(c)).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            let differs = word == stream.id() || word.contains(|c: char| c.is_numeric());
            masked.push_str(if differs { "#" } else { word });
            length
        } else {
            masked.push(first);
            first.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    masked
}

/// The bytes of a quoted text with its quotes; to the end when it is not closed.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn is_part_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

impl fmt::Display for CauseFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for CauseFingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or_else(|| NotAFingerprint { text: text.to_owned() })
    }
}

impl From<CauseFingerprint> for String {
    fn from(fingerprint: CauseFingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for CauseFingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, NotAFingerprint> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CauseKind;

    fn fingerprint(projection: &str, id: &str, kind: CauseKind, message: &str) -> CauseFingerprint {
        let stream = StreamName::new("account", id).unwrap();
        CauseFingerprint::of(projection, &stream, &Cause { kind, message: message.to_owned() })
    }

    #[test]
    fn what_differs_from_stream_to_stream_is_left_out() {
        let cases = [
            (("17", "amount is -5"), ("18", "amount is -99")),
            (("17", "stream account/17 is odd"), ("b c", "stream account/b c is odd")),
            (("alice", "the row of alice is full"), ("bob", "the row of bob is full")),
            (("1", "row \"alice \\\" smith\" is full"), ("2", "row \"b\" is full")),
            (("1", "no account 0191a3-ff_e2 here"), ("1", "no account x9 here")),
            (("1", "it ends in \"an open text"), ("1", "it ends in \"another")),
        ];
        for ((id, one), (other_id, other)) in cases {
            let kind = CauseKind::Panic;
            assert_eq!(fingerprint("p", id, kind, one), fingerprint("p", other_id, kind, other), "{one}");
        }
    }

    #[test]
    fn what_does_not_differ_by_stream_tells_errors_apart() {
        let one = fingerprint("p", "1", CauseKind::Panic, "missing field `amount`");
        for other in [
            fingerprint("q", "1", CauseKind::Panic, "missing field `amount`"),
            fingerprint("p", "1", CauseKind::Undecodable, "missing field `amount`"),
            fingerprint("p", "1", CauseKind::Panic, "missing field `day`"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_tomorrow_and_survives_being_written_down() {
        let one = fingerprint("p", "1", CauseKind::Panic, "amount is 5");
        assert_eq!(one.to_string(), "0b06e439c71bcaa9");
        assert_eq!(one.to_string().parse(), Ok(one));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<CauseFingerprint>(&json).unwrap(), one);
        for text in ["", "0b06", "+b06e439c71bcaa9", "xb06e439c71bcaa9"] {
            assert!(text.parse::<CauseFingerprint>().is_err(), "{text}");
        }
    }
}
