//! What may be allowed to somebody.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something that may be allowed, as it is written in the configuration and in tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `command` or `command:account`: commands, of all categories or of one.
    Command(Option<String>),
    /// `query` or `query:balances`: streams and all read models, or one read model.
    Query(Option<String>),
    /// `payload`: what is in events and states, beside that they exist.
    Payload,
    /// `admin:read`: how the service is doing.
    AdminRead,
    /// `admin`: changes of how the service works; `admin:read` is part of it.
    Admin,
}

/// A text that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no scope: write command, command:CATEGORY, query, query:READ-MODEL, payload, admin:read or admin"
)]
pub struct ScopeError {
    text: String,
}

impl Scope {
    /// Every scope that is not about one thing only.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![Self::Command(None), Self::Query(None), Self::Payload, Self::AdminRead, Self::Admin]
    }

    /// Whether whoever has this may also do the other.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Command(mine), Self::Command(theirs)) | (Self::Query(mine), Self::Query(theirs)) => {
                mine.is_none() || mine == theirs
            }
            (Self::Admin, Self::AdminRead) => true,
            _ => self == other,
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let of = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        match text.split_once(':') {
            None if text == "command" => Some(Self::Command(None)),
            None if text == "query" => Some(Self::Query(None)),
            None if text == "payload" => Some(Self::Payload),
            None if text == "admin" => Some(Self::Admin),
            Some(("admin", "read")) => Some(Self::AdminRead),
            Some(("command", category)) => of(category).map(|category| Self::Command(Some(category))),
            Some(("query", model)) => of(model).map(|model| Self::Query(Some(model))),
            _ => None,
        }
        .ok_or_else(|| ScopeError { text: text.to_owned() })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(None) => f.write_str("command"),
            Self::Command(Some(category)) => write!(f, "command:{category}"),
            Self::Query(None) => f.write_str("query"),
            Self::Query(Some(model)) => write!(f, "query:{model}"),
            Self::Payload => f.write_str("payload"),
            Self::AdminRead => f.write_str("admin:read"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_as_it_is_written_and_nothing_else_is_one() {
        for text in
            ["command", "command:account", "query", "query:balances", "payload", "admin:read", "admin"]
        {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "Command", "command:", "query:", "admin:write", "payload:all", "*"] {
            text.parse::<Scope>().unwrap_err();
        }
    }

    #[test]
    fn a_wide_scope_covers_a_narrow_one_and_not_the_other_way_round() {
        let covers = |one: &str, other: &str| one.parse::<Scope>().unwrap().covers(&other.parse().unwrap());
        for (one, other) in [("command", "command:account"), ("query", "query:x"), ("admin", "admin:read")] {
            assert!(covers(one, other) && covers(one, one) && covers(other, other) && !covers(other, one));
        }
        for (one, other) in
            [("command", "query"), ("query:x", "query:y"), ("admin", "command"), ("query", "payload")]
        {
            assert!(!covers(one, other) && !covers(other, one));
        }
    }
}
