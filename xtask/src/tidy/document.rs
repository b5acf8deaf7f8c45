//! The pages that name code tell the truth: the paths and tests they name in backticks exist.

use std::collections::BTreeSet;

use super::violation::Violation;

/// The pages that are checked.
pub(crate) const PAGES: [&str; 2] = ["ARCHITECTURE.md", "docs/proof.md"];

/// Words joined by at least this many underscores are taken for the name of a test or check.
const TEST_NAME_UNDERSCORES: usize = 3;

/// Checks the text of a page; `exists` says whether there is a file or folder of this path in the workspace, and `sources` is the
/// text of all Rust files.
pub(crate) fn check(
    name: &str,
    page: &str,
    exists: impl Fn(&str) -> bool,
    sources: &[String],
) -> Vec<Violation> {
    let words: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .collect();
    let mut violations = Vec::new();
    let mut inside_fence = false;
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside_fence = !inside_fence;
        }
        if inside_fence {
            continue;
        }
        for quoted in line.split('`').skip(1).step_by(2) {
            if is_path(quoted) && !exists(quoted) {
                let message = format!("there is no `{quoted}`: name the place where this happens now");
                violations.push(Violation::on_line(name, index, message));
            }
            if is_test_name(quoted) && !words.contains(quoted) {
                let message = format!(
                    "there is no test `{quoted}`: name the test that proves this now, or say not yet"
                );
                violations.push(Violation::on_line(name, index, message));
            }
        }
    }
    violations
}

fn is_path(quoted: &str) -> bool {
    let plain = quoted.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(&b));
    plain && quoted.contains('/') && (quoted.ends_with('/') || quoted.ends_with(".rs"))
}

fn is_test_name(quoted: &str) -> bool {
    let plain = quoted.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    plain && quoted.matches('_').count() >= TEST_NAME_UNDERSCORES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_tests_that_do_not_exist_are_refused() {
        let page = "See `core/src/name.rs`, `core/src/lost.rs` and `core/src/`.\n\
                    Proved by `a_name_is_checked_once`,\nand by `a_test_that_was_renamed`.\n\
                    ```text\n`not/looked/at.rs`\n```\nNot names: `Id`, `category/id`, `to_end`.\n";
        let exists = |path: &str| path == "core/src/name.rs" || path == "core/src/";
        let sources = ["fn a_name_is_checked_once() {}".to_owned()];
        let found: Vec<String> =
            check("ARCHITECTURE.md", page, exists, &sources).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "ARCHITECTURE.md:1: there is no `core/src/lost.rs`: name the place where this happens now",
                "ARCHITECTURE.md:3: there is no test `a_test_that_was_renamed`: name the test that proves this now, or \
                 say not yet",
            ]
        );
    }
}
