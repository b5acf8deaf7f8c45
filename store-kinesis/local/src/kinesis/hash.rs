//! Which shard a partition key falls into: ranges of 128-bit hash keys.

use md5::{Digest, Md5};

/// How many decimal digits a stored hash key has.
const DIGITS: usize = 39;

/// The hash key of a partition key.
pub(crate) fn of_partition_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// A hash key in a request: decimal, without a sign or needless zeros.
pub(crate) fn parse(text: &str) -> Option<u128> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { text.parse().ok() } else { None }
}

/// As stored: with zeros in front, so that text sorts like the number.
pub(crate) fn to_stored(hash: u128) -> String {
    format!("{hash:0DIGITS$}")
}

/// From [`to_stored`].
pub(crate) fn from_stored(text: &str) -> Option<u128> {
    text.parse().ok()
}

/// The first and last hash keys of so many equal ranges; the last one takes what is left over.
pub(crate) fn even_ranges(count: u32) -> Vec<(u128, u128)> {
    let parts = u128::from(count.max(1));
    // 2^128 / parts, rounded down, without leaving 128 bits.
    let whole = u128::MAX / parts;
    let width = if u128::MAX % parts == parts - 1 { whole.wrapping_add(1) } else { whole };
    let range = |index: u128| {
        let first = width.wrapping_mul(index);
        let last = if index + 1 == parts { u128::MAX } else { first + (width - 1) };
        (first, last)
    };
    (0..parts).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_ranges_cover_everything_without_gaps() {
        for count in [1, 2, 3, 4, 7, 64, 1000] {
            let ranges = even_ranges(count);
            assert_eq!(ranges.len(), count as usize);
            assert_eq!(ranges[0].0, 0);
            assert_eq!(ranges[ranges.len() - 1].1, u128::MAX);
            assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{count}");
        }
    }

    #[test]
    fn two_shards_meet_in_the_middle_like_those_of_aws() {
        assert_eq!(even_ranges(2)[1].0.to_string(), "170141183460469231731687303715884105728");
    }

    #[test]
    fn a_stored_hash_key_sorts_like_its_number() {
        assert!(to_stored(9) < to_stored(10));
        assert_eq!(from_stored(&to_stored(u128::MAX)), Some(u128::MAX));
    }

    #[test]
    fn a_hash_key_in_a_request_is_plain_decimal() {
        for (text, expected) in [("0", Some(0)), ("12", Some(12)), ("012", None), ("+1", None), ("", None)] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
