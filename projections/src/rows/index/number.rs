//! Numbers as bytes that are ordered as the numbers are, exactly: 2^53 + 1 comes behind 2^53, and 1e300 before 2e300.

use serde_json::Number;

const NEGATIVE: u8 = 0x20;
const ZERO: u8 = 0x21;
const POSITIVE: u8 = 0x22;

/// What stands before and behind the bytes of all numbers.
pub(super) const ALL: (u8, u8) = (NEGATIVE, POSITIVE + 1);

/// The middle of the exponents.
const BIAS: i32 = 1 << 15;

/// A number as 0.d1d2d3… times ten to the exponent, d1 not being 0: sign, exponent, digits. A negative one has each
/// byte turned over.
pub(super) fn encode(number: &Number) -> Vec<u8> {
    let text = number.to_string();
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return vec![ZERO];
    }
    let exponent: i32 = exponent.parse().expect("JSON writes exponents as whole numbers");
    let leading = digits.len() - significant.len();
    let place = |length: usize| i32::try_from(length).expect("the text of a number is short");
    let exponent = exponent + place(whole.len()) - place(leading);
    let biased = u16::try_from(exponent + BIAS).expect("JSON numbers of Rust end below 1e309");
    let bytes = biased.to_be_bytes();
    let bytes = bytes.into_iter().chain(significant.trim_end_matches('0').bytes()).chain([0]);
    match negative {
        false => std::iter::once(POSITIVE).chain(bytes).collect(),
        true => std::iter::once(NEGATIVE).chain(bytes.map(|byte| !byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(json: &str) -> Vec<u8> {
        encode(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn bytes_are_ordered_as_the_numbers() {
        let ascending = [
            "-1.7976931348623157e308",
            "-18446744073709551615",
            "-9007199254740993",
            "-9007199254740992",
            "-123",
            "-12.5",
            "-12",
            "-9",
            "-0.1",
            "-0.01",
            "-5e-324",
            "0",
            "5e-324",
            "0.009",
            "0.01",
            "0.1",
            "0.15",
            "1",
            "1.5",
            "2",
            "9",
            "10",
            "10.5",
            "99",
            "100",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "1e20",
            "1e300",
            "2e300",
            "1.7976931348623157e308",
        ];
        for pair in ascending.windows(2) {
            assert!(bytes(pair[0]) < bytes(pair[1]), "{} and {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn the_same_number_has_the_same_bytes_however_it_is_written() {
        for (one, other) in [("1", "1.0"), ("100", "1e2"), ("-0.0", "0"), ("0.5", "5e-1"), ("-20", "-2E1")] {
            assert_eq!(bytes(one), bytes(other), "{one} and {other}");
        }
    }

    #[test]
    fn no_number_begins_with_another() {
        let numbers = ["0", "1", "12", "123", "-1", "-12", "1.5", "1e30", "-1e30"].map(bytes);
        for (place, one) in numbers.iter().enumerate() {
            let mut others = numbers.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.all(|(_, other)| !other.starts_with(one)));
        }
    }
}
