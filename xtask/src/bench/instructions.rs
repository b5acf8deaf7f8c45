//! Instructions of single steps: noise of the machine does not reach them, so they have a budget that is kept.

use std::path::Path;
use std::process::Command;

use super::build::Programs;
use super::report::{Report, number};

/// The steps, and how often each is done: of events of the projection step 20 are a batch. An instruction takes some
/// microseconds.
const STEPS: [(&str, u32); 5] =
    [("decide-and-apply", 20), ("encode", 20), ("decode", 20), ("execute", 20), ("step", 20)];
/// What a step may take more than its budget, and less before the budget says nothing any more: the C library copies and
/// compares in another way on another processor.
const TOLERANCE: f64 = 0.1;
/// The budgets: a line for each step, `name instructions`.
const BUDGET: &str = "benches/instructions.txt";

/// A step, counted.
struct Step {
    name: &'static str,
    each: f64,
    budget: f64,
}

impl Step {
    fn keeps(&self) -> bool {
        (self.each / self.budget - 1.0).abs() <= TOLERANCE
    }
}

/// Counts, and compares with the budget.
pub(super) fn count(programs: &Programs, root: &Path) -> Result<Report, String> {
    let mut report = Report::default();
    let steps = steps(programs, root)?;
    let row = |step: &Step| {
        let Step { name, each, budget } = step;
        vec![format!("`{name}`"), number(*each), number(*budget), number(each / budget)]
    };
    let rows: Vec<_> = steps.iter().map(row).collect();
    for step in &steps {
        let measured = format!("{} instructions", number(step.each));
        report.aim(&format!("`{}` keeps its budget within 10 %", step.name), measured, step.keeps());
    }
    report.table(&["step", "instructions", "budget", "of the budget"], &rows);
    Ok(report)
}

/// Counts, prints what does not keep its budget, and tells whether everything does, and the counting is right.
pub(crate) fn keep_their_budget(root: &Path) -> bool {
    let programs = Programs::new(root);
    let steps = match steps(&programs, root) {
        Ok(steps) => steps,
        Err(reason) => {
            println!("instructions could not be counted: {reason}");
            return false;
        }
    };
    for step in &steps {
        let Step { name, each, budget } = step;
        let verdict = match step.keeps() {
            true => "kept",
            false if each < budget => "BETTER than that: lower it, so that nobody takes it back unseen",
            false => "BROKEN: find out why, or raise it and say why",
        };
        println!("{name:<17} {each:>7.0} instructions, budget {budget:>6.0} in {BUDGET}: {verdict}");
    }
    programs.test_counted() && steps.iter().all(Step::keeps)
}

fn steps(programs: &Programs, root: &Path) -> Result<Vec<Step>, String> {
    let program = programs.build_counted()?;
    let budgets = std::fs::read_to_string(root.join(BUDGET)).map_err(|error| format!("{BUDGET}: {error}"))?;
    let step = |(name, times): (&'static str, u32)| {
        let budget = budget(&budgets, name).ok_or_else(|| format!("{BUDGET} has no line for {name}"))?;
        let each = (counted(&program, name, times)? - counted(&program, name, 0)?) / f64::from(times);
        Ok(Step { name, each, budget })
    };
    STEPS.into_iter().map(step).collect()
}

fn budget(text: &str, step: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(step)?.trim().parse().ok())
}

fn counted(program: &Path, step: &str, times: u32) -> Result<f64, String> {
    let output = Command::new(program)
        .args(["count", step, &times.to_string()])
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    said.trim().parse().map_err(|_| format!("{step}: {}", failed.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read() {
        assert_eq!(budget("encode 1200\ndecode 900\n", "decode"), Some(900.0));
        assert_eq!(budget("encode 1200\n", "step"), None);
    }

    #[test]
    fn a_budget_is_kept_within_its_tolerance_on_both_sides() {
        for (each, kept) in
            [(890.0, false), (910.0, true), (1_000.0, true), (1_090.0, true), (1_110.0, false)]
        {
            assert_eq!(Step { name: "encode", each, budget: 1_000.0 }.keeps(), kept, "{each}");
        }
    }
}
