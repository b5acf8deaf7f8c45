//! Numbers of JSON as DynamoDB has them: 38 digits, from 1e-130 to below 1e126, and written in a form of its own.

use serde_json::Value;

/// Significant digits of a number in DynamoDB.
const DIGITS: usize = 38;
/// The exponents of the smallest and the largest number, as 0.ddd times ten to it.
const EXPONENTS: std::ops::RangeInclusive<i64> = -129..=126;

/// Zeros behind the point up to which a small number is written without an exponent.
const ZEROS: usize = 5;

/// A number as 0.ddd times ten to the exponent. The digits of 0 are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a number as JSON or DynamoDB writes it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let exponent: i64 = exponent.parse().ok()?;
        let digits = all.trim_start_matches('0');
        let leading = i64::try_from(all.len() - digits.len()).ok()?;
        let exponent = exponent.checked_add(i64::try_from(whole.len()).ok()?)?.checked_sub(leading)?;
        let digits = digits.trim_end_matches('0').to_owned();
        match digits.is_empty() {
            true => Some(Self { negative: false, digits, exponent: 0 }),
            false => Some(Self { negative, digits, exponent }),
        }
    }

    /// Whether DynamoDB has this number.
    pub(super) fn fits(&self) -> bool {
        self.digits.len() <= DIGITS && (self.digits.is_empty() || EXPONENTS.contains(&self.exponent))
    }

    /// The one way in which we write this number as JSON: whole numbers of up to 38 digits without a fraction, others
    /// with a point where people would put it.
    pub(super) fn json(&self) -> String {
        let Self { negative, digits, exponent } = self;
        let sign = if *negative { "-" } else { "" };
        let Some(first) = digits.get(..1) else { return "0".to_owned() };
        if let Ok(place) = usize::try_from(*exponent)
            && place <= DIGITS
            && place > 0
        {
            return match digits.split_at_checked(place) {
                Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
                _ => format!("{sign}{digits}{}", "0".repeat(place - digits.len())),
            };
        }
        match usize::try_from(-exponent) {
            Ok(zeros) if zeros <= ZEROS => format!("{sign}0.{}{digits}", "0".repeat(zeros)),
            _ => {
                let rest = digits.get(1..).filter(|rest| !rest.is_empty()).map(|rest| format!(".{rest}"));
                format!("{sign}{first}{}e{}", rest.unwrap_or_default(), exponent - 1)
            }
        }
    }

    /// Whether a number that JSON writes in this way is the same after it was in DynamoDB: 1.0 would become 1.
    pub(super) fn gives_back(&self, json: &str) -> bool {
        let back = self.json();
        let is_whole = !json.contains(['.', 'e', 'E']);
        if is_whole {
            return back == json;
        }
        let value = |text: &str| serde_json::from_str::<Value>(text).ok();
        value(&back).is_some_and(|back| value(json) == Some(back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_one_way() {
        for (text, json) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("100", "100"),
            ("1E+2", "100"),
            ("-1.50", "-1.5"),
            ("0.001", "0.001"),
            ("0.0000012", "0.0000012"),
            ("0.00000012", "1.2e-7"),
            ("-1e-10", "-1e-10"),
            ("1234567890.5", "1234567890.5"),
            ("18446744073709551615", "18446744073709551615"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("1e37", "10000000000000000000000000000000000000"),
            ("1.5e38", "1.5e38"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().json(), json, "{text}");
        }
    }

    #[test]
    fn what_is_not_given_back_is_known() {
        for (json, fits, same) in [
            ("0", true, true),
            ("-9223372036854775808", true, true),
            ("0.1", true, true),
            ("1e-7", true, true),
            ("1e20", true, true),
            ("1.7976931348623157e125", true, true),
            ("1.0", true, false),
            ("-0.0", true, false),
            ("-0", true, false),
            ("1.7976931348623157e308", false, true),
            ("5e-324", false, true),
            ("1e126", false, true),
            ("340282366920938463463374607431768211455", false, false),
            ("34028236692093846346337460743176821145", true, true),
            ("0.123456789012345678901234567890123456789", false, true),
        ] {
            let decimal = Decimal::parse(json).unwrap();
            assert_eq!((decimal.fits(), decimal.gives_back(json)), (fits, same), "{json}");
        }
        for text in ["", "-", "e5", "1e", "1x", "NaN"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
