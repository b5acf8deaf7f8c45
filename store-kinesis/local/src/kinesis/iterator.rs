//! Shard iterators and other tokens: opaque to clients, and short-lived.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::failure::Failure;

/// How long a token is good for, in milliseconds: five minutes, as on AWS.
pub(crate) const LIFE: i64 = 5 * 60 * 1000;

/// A position in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardIterator {
    /// The stream's number: a stream of the same name made later is another one.
    pub(crate) stream: i64,
    /// The shard.
    pub(crate) shard: i64,
    /// Reading goes on behind this count.
    pub(crate) after: i64,
    /// When it was made, in milliseconds.
    pub(crate) made: i64,
}

impl ShardIterator {
    /// As clients see it.
    pub(crate) fn to_text(&self) -> String {
        to_token(self)
    }

    /// What a client sent.
    pub(crate) fn from_text(text: &str, now: i64) -> Result<Self, Failure> {
        let iterator: Self = from_token(text).ok_or_else(|| Failure::argument("Invalid ShardIterator."))?;
        if now - iterator.made > LIFE {
            return Err(Failure::new(
                "ExpiredIteratorException",
                format!(
                    "Iterator expired. The iterator was created at time {} while right now it is {now} which is \
                     further in the future than the tolerated delay of {LIFE} milliseconds.",
                    iterator.made
                ),
            ));
        }
        Ok(iterator)
    }
}

/// Hides a value in text.
pub(crate) fn to_token(value: &impl Serialize) -> String {
    STANDARD.encode(serde_json::to_vec(value).expect("a token has no maps and no foreign types"))
}

/// Finds it again.
pub(crate) fn from_token<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iterator_lives_for_five_minutes() {
        let iterator = ShardIterator { stream: 1, shard: 2, after: 3, made: 1000 };
        let text = iterator.to_text();
        assert_eq!(ShardIterator::from_text(&text, 1000 + LIFE), Ok(iterator));
        let late = ShardIterator::from_text(&text, 1001 + LIFE).unwrap_err();
        assert_eq!(late.code(), "ExpiredIteratorException");
    }

    #[test]
    fn what_is_no_iterator_is_refused() {
        for text in ["", "AAAAgarbage", "e30="] {
            let refused = ShardIterator::from_text(text, 0).unwrap_err();
            assert_eq!(refused.code(), "InvalidArgumentException", "{text}");
        }
    }
}
