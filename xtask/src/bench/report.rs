//! What a workload comes to: tables, words, and aims with what was measured.

use std::fmt::Write;

/// The figures of a workload, ready to be shown.
#[derive(Debug, Default)]
pub(super) struct Report {
    parts: Vec<String>,
    aims: Vec<Aim>,
}

/// Something that should be reached.
#[derive(Debug)]
struct Aim {
    aim: String,
    measured: String,
    met: bool,
}

impl Report {
    /// Adds a table.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
        for row in rows {
            writeln!(text, "| {} |", row.join(" | ")).expect("a text takes everything");
        }
        self.parts.push(text);
    }

    /// Adds a sentence or several.
    pub(super) fn say(&mut self, words: impl Into<String>) {
        self.parts.push(format!("{}\n", words.into()));
    }

    /// Adds an aim.
    pub(super) fn aim(&mut self, aim: &str, measured: impl Into<String>, met: bool) {
        self.aims.push(Aim { aim: aim.to_owned(), measured: measured.into(), met });
    }

    /// Everything as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut parts = self.parts.clone();
        if !self.aims.is_empty() {
            let mut text = "| aim | measured | met |\n|---|---|---|\n".to_owned();
            for Aim { aim, measured, met } in &self.aims {
                let met = if *met { "yes" } else { "**no**" };
                writeln!(text, "| {aim} | {measured} | {met} |").expect("a text takes everything");
            }
            parts.push(text);
        }
        parts.join("\n")
    }
}

/// A number with three digits that count, and marks between thousands.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let magnitude = size.log10().floor();
    let unit = 10_f64.powf(magnitude - 2.0);
    let rounded = (value / unit).round() * unit;
    if size >= 100.0 {
        return thousands(rounded);
    }
    let decimals = usize::try_from((2.0 - magnitude) as i64).unwrap_or_default();
    let text = format!("{rounded:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.001_234_5, "0.00123"),
            (0.5, "0.5"),
            (1.0, "1"),
            (12.345, "12.3"),
            (99.96, "100"),
            (391_234.0, "391,000"),
            (2_540_000.0, "2,540,000"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_report_shows_its_tables_and_whether_aims_are_met() {
        let mut report = Report::default();
        report.table(&["a", "b"], &[vec!["1".to_owned(), "2".to_owned()]]);
        report.aim("fast", "slow", false);
        report.aim("cheap", "free", true);
        let text = report.markdown();
        assert!(text.starts_with("| a | b |\n|---|---|\n| 1 | 2 |\n"), "{text}");
        assert!(text.contains("| fast | slow | **no** |\n| cheap | free | yes |"), "{text}");
    }
}
