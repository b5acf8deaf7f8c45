//! Instructions of single steps, counted by valgrind: noise of the machine does not reach them.

use std::path::Path;
use std::process::Command;

use super::build::Programs;
use super::report::{Report, number};

/// The steps, and how often each is done.
const STEPS: [(&str, u32); 5] = [
    ("decide-and-apply", 20_000),
    ("encode", 20_000),
    ("decode", 20_000),
    ("execute", 20_000),
    ("step", 20_000),
];
/// What a step may take more than its budget: compilers and machines differ a little.
const TOLERANCE: f64 = 0.05;
/// The budgets: a line for each step, `name instructions`.
const BUDGET: &str = "benches/instructions.txt";

/// Counts, and compares with the budget.
pub(super) fn count(programs: &Programs, root: &Path) -> Result<Report, String> {
    let budgets = std::fs::read_to_string(root.join(BUDGET)).map_err(|error| format!("{BUDGET}: {error}"))?;
    let mut report = Report::default();
    let mut rows = Vec::new();
    for (step, times) in STEPS {
        let each = (counted(programs, step, times)? - counted(programs, step, 0)?) / f64::from(times);
        let budget = budget(&budgets, step).ok_or_else(|| format!("{BUDGET} has no line for {step}"))?;
        rows.push(vec![format!("`{step}`"), number(each), number(budget), number(each / budget)]);
        report.aim(
            &format!("`{step}` keeps its budget within 5 %"),
            format!("{} instructions", number(each)),
            each <= budget * (1.0 + TOLERANCE),
        );
    }
    report.table(&["step", "instructions", "budget", "of the budget"], &rows);
    Ok(report)
}

fn budget(text: &str, step: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(step)?.trim().parse().ok())
}

fn counted(programs: &Programs, step: &str, times: u32) -> Result<f64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(programs.ours("headwater-figures"))
        .args(["hot", step, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}: install it, for example with `apt install valgrind`"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    references(&text)
        .ok_or_else(|| format!("valgrind does not say how many instructions {step} took:\n{text}"))
}

/// The number behind `I refs:`.
fn references(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains("I refs:") || line.contains("I   refs:"))?;
    line.rsplit(':').next()?.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_and_budgets_are_read() {
        assert_eq!(references("==1== \n==1== I refs:        12,345,678\n"), Some(12_345_678.0));
        assert_eq!(references("==1== I   refs:      7\n"), Some(7.0));
        assert_eq!(budget("encode 1200\ndecode 900\n", "decode"), Some(900.0));
        assert_eq!(budget("encode 1200\n", "step"), None);
    }
}
