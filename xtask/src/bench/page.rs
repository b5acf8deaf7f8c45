//! The page with the figures: what stands between two marks is written by the command, the rest by people.

use std::fs;
use std::path::Path;

/// The page.
pub(super) const PAGE: &str = "docs/benchmarks.md";

/// Puts a text between the marks of a name.
pub(super) fn write(root: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = root.join(PAGE);
    let page = fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
    let page = replaced(&page, name, text)?;
    fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"))
}

fn replaced(page: &str, name: &str, text: &str) -> Result<String, String> {
    let (begin, end) = (format!("<!-- bench {name} -->\n"), format!("<!-- end of {name} -->"));
    let missing = || format!("{PAGE} has no place for {name}: write {}{end} where it belongs", begin.trim());
    let (before, rest) = page.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = "# Page\n<!-- bench w1 -->\nold\n<!-- end of w1 -->\nwords\n<!-- bench w2 -->\n<!-- end of w2 -->\n";
        let once = replaced(page, "w1", "new\n").unwrap();
        assert_eq!(
            once,
            "# Page\n<!-- bench w1 -->\n\nnew\n\n<!-- end of w1 -->\nwords\n<!-- bench w2 -->\n<!-- end of w2 -->\n"
        );
        assert_eq!(replaced(&once, "w1", "new").unwrap(), once, "again is the same");
    }

    #[test]
    fn a_page_without_the_place_is_an_error_that_says_so() {
        assert!(replaced("# Page\n", "w1", "new").unwrap_err().contains("no place for w1"));
    }
}
