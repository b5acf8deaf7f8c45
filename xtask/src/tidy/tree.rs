//! What core pulls in without features, however deep: no runtime, no AWS, no HTTP.

use super::arrows::{is_aws, is_http};
use super::violation::Violation;

/// Checks the lines of `cargo tree --prefix none` of the core package.
pub(crate) fn check(tree: &str) -> Vec<Violation> {
    let mut names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    let forbidden = names.into_iter().filter(|name| *name == "tokio" || is_aws(name) || is_http(name));
    forbidden
        .map(|name| {
            let message = format!(
                "without features it pulls in {name}; core knows no runtime, no AWS and no HTTP: see \
                 `cargo tree -p headwater -i {name}`"
            );
            Violation::new("headwater", message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_may_not_pull_in_a_runtime_through_another_crate() {
        let clean = "headwater v0.1.0 (core)\nbytes v1.0.0\nserde v1.0.0\n";
        assert_eq!(check(clean), []);
        let violations = check(&format!("{clean}handy v0.3.0\ntokio v1.0.0\ntokio v1.0.0 (*)\n"));
        assert_eq!(violations.len(), 1);
        assert!(violations.iter().all(|violation| violation.message.contains("pulls in tokio")));
    }
}
