//! Several measurements of one thing: their median and their range.

use serde_json::Value;

use super::report::number;

/// The value at a place of a line, such as `/latency/p50_ms`.
pub(super) fn value(line: &Value, place: &str) -> f64 {
    line.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// What was measured, a value a round.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    values: Vec<f64>,
}

impl Figures {
    /// The values at a place of lines, such as `/latency/p50_ms`; lines without it are left out.
    pub(super) fn of(lines: &[Value], place: &str) -> Self {
        Self::from(lines.iter().filter_map(|line| line.pointer(place).and_then(Value::as_f64)))
    }

    /// These values.
    pub(super) fn from(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self { values }
    }

    /// The value in the middle, or between the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let middle = self.values.len() / 2;
        let at = |place: usize| self.values.get(place).copied().unwrap_or(f64::NAN);
        match self.values.len() {
            0 => f64::NAN,
            count if count.is_multiple_of(2) => f64::midpoint(at(middle - 1), at(middle)),
            _ => at(middle),
        }
    }

    /// From the lowest to the highest.
    pub(super) fn range(&self) -> String {
        let end = |value: Option<&f64>| number(value.copied().unwrap_or(f64::NAN));
        format!("{} – {}", end(self.values.first()), end(self.values.last()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_the_range_has_the_ends() {
        let lines: Vec<Value> = [3.0, 1.0, 200.0].iter().map(|value| json!({"a": {"b": value}})).collect();
        let figures = Figures::of(&lines, "/a/b");
        assert_eq!((figures.median(), figures.range().as_str()), (3.0, "1 – 200"));
        assert_eq!(Figures::of(lines.get(..2).unwrap_or_default(), "/a/b").median(), 2.0);
        assert!(Figures::of(&lines, "/c").median().is_nan());
    }
}
