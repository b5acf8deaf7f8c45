//! One line of an import: a command, the stream it is for, and its key.

use headwater::{CommandKey, NameError, StreamName};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A command to be sent.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) stream: StreamName,
    pub(super) command: String,
    pub(super) data: Box<RawValue>,
    pub(super) key: Option<CommandKey>,
}

/// A line is not a command. Nothing was sent for it or for later ones.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error(
        "line {number} is not a command: write {{\"stream\": …, \"command\": …, \"data\": …, \"key\": …}}"
    )]
    Json { number: u64, source: serde_json::Error },
    #[error("line {number} is longer than a server takes: write one command on each line")]
    TooLong { number: u64 },
    #[error("line {number} names no stream")]
    Stream { number: u64, source: NameError },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    stream: String,
    command: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    key: Option<CommandKey>,
}

impl Line {
    pub(super) fn parse(number: u64, text: &str) -> Result<Self, LineError> {
        let raw: Raw = serde_json::from_str(text).map_err(|source| LineError::Json { number, source })?;
        let stream = StreamName::parse(&raw.stream).map_err(|source| LineError::Stream { number, source })?;
        let data = raw.data.unwrap_or_else(|| RawValue::NULL.to_owned());
        Ok(Self { number, stream, command: raw.command, data, key: raw.key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let text = r#"{"stream":"account/2378","command":"deposit","data":{"amount":1},"key":"695247"}"#;
        let line = Line::parse(1, text).unwrap();
        assert_eq!(line.stream.as_str(), "account/2378");
        assert_eq!((line.command.as_str(), line.data.get()), ("deposit", r#"{"amount":1}"#));
        assert_eq!(line.key.unwrap().as_str(), "695247");
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        for text in
            ["{", r#"{"stream":"account/1"}"#, r#"{"stream":"account/1","command":"open","keys":"x"}"#]
        {
            assert!(Line::parse(7, text).unwrap_err().to_string().starts_with("line 7 "), "{text}");
        }
        let text = r#"{"stream":"account","command":"open"}"#;
        assert_eq!(Line::parse(8, text).unwrap_err().to_string(), "line 8 names no stream");
    }
}
