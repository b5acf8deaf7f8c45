//! Sequence numbers: decimal text of 56 digits, like those of AWS, which carry what they belong to.

use super::stream::Stream;

/// How every number begins, so that all have the same length and sort as text.
const PREFIX: &str = "49";
/// Digits of when the stream was created, in milliseconds.
const CREATED: usize = 13;
/// Digits of the stream's number.
const STREAM: usize = 10;
/// Digits of the count within the stream.
const COUNT: usize = 19;
/// Digits of the shard's number.
const SHARD: usize = 12;

/// The sequence number of a count in a shard.
pub(crate) fn to_text(stream: &Stream, shard: i64, count: i64) -> String {
    let (created, id) = (stream.created, stream.id);
    format!("{PREFIX}{created:0CREATED$}{id:0STREAM$}{count:0COUNT$}{shard:0SHARD$}")
}

/// The count of a sequence number, if it is one of this shard.
pub(crate) fn from_text(stream: &Stream, shard: i64, text: &str) -> Option<i64> {
    let begin = PREFIX.len() + CREATED + STREAM;
    let count: i64 = text.get(begin..begin + COUNT)?.parse().ok()?;
    (to_text(stream, shard, count) == text).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream {
            id: 7,
            name: "orders".to_owned(),
            mode: "PROVISIONED".to_owned(),
            created: 1_700_000_000_123,
            retention_hours: 24,
            changing: "CREATING".to_owned(),
            changing_until: 0,
            next: 1,
            next_shard: 1,
        }
    }

    #[test]
    fn a_number_has_56_digits_and_reads_back() {
        for count in [0, 1, 99, i64::MAX] {
            let text = to_text(&stream(), 3, count);
            assert_eq!(text.len(), 56);
            assert_eq!(from_text(&stream(), 3, &text), Some(count));
        }
    }

    #[test]
    fn a_later_number_sorts_behind() {
        assert!(to_text(&stream(), 3, 9) < to_text(&stream(), 3, 10));
    }

    #[test]
    fn a_number_of_another_shard_or_stream_is_not_ours() {
        let text = to_text(&stream(), 3, 5);
        assert_eq!(from_text(&stream(), 4, &text), None);
        assert_eq!(from_text(&Stream { id: 8, ..stream() }, 3, &text), None);
        assert_eq!(from_text(&stream(), 3, "123"), None);
        assert_eq!(from_text(&stream(), 3, "ä".repeat(28).as_str()), None);
    }
}
