//! Rules about the text of a file: its size, its first line, what module files hold, left-over marks, white space.

use super::violation::Violation;

/// Most lines of a Rust file, tests too.
const MAX_LINES: usize = 400;

/// What must not be left behind, and what to do instead. Split, so that this file does not break its own rule.
const MARKS: [(&str, &str); 6] = [
    (concat!("to", "do!"), "write the code, or return a typed error"),
    (concat!("unimpl", "emented!"), "write the code, or return a typed error"),
    (concat!("db", "g!"), "remove it, or use `tracing`"),
    (concat!("#[ign", "ore"), "make the test run, or delete it; a test that needs something absent says so"),
    (concat!("FIX", "ME"), "do it now, or open an issue"),
    (concat!("TO", "DO"), "do it now, or open an issue"),
];

/// A code example that nobody compiles.
const IGNORED_EXAMPLE: &str = concat!("```ign", "ore");

/// Whether any rule is about a file of this name.
pub(crate) fn concerns(name: &str) -> bool {
    [".rs", ".md", ".toml"].iter().any(|end| name.ends_with(end))
}

/// Checks a file; `name` is its path in the workspace, with forward slashes.
pub(crate) fn check(name: &str, text: &str) -> Vec<Violation> {
    let mut violations = white_space(name, text);
    violations.extend(marks(name, text));
    if name.ends_with(".rs") {
        violations.extend(size(name, text));
        violations.extend(first_line(name, text));
        violations.extend(module_file(name, text));
    }
    violations
}

fn size(name: &str, text: &str) -> Option<Violation> {
    let lines = text.lines().count();
    (lines > MAX_LINES).then(|| {
        let message =
            format!("{lines} lines, over the limit of {MAX_LINES}: split it by what its parts are for");
        Violation::new(name, message)
    })
}

fn first_line(name: &str, text: &str) -> Option<Violation> {
    let source = name.split('/').any(|folder| folder == "src");
    (source && !text.starts_with("//!")).then(|| {
        Violation::new(
            name,
            "it does not start with `//!`: say first what this file is for, and what it is not",
        )
    })
}

/// Module files declare modules and re-export; types and functions have files of their own. Named limits may stand here,
/// and procedural macros, which must. A heuristic by lines, good enough for code that rustfmt has seen.
fn module_file(name: &str, text: &str) -> Option<Violation> {
    if !name.ends_with("src/lib.rs") && !name.ends_with("/mod.rs") {
        return None;
    }
    let mut found = Vec::new();
    let mut allowed = false;
    let mut inside_allowed = false;
    for (index, line) in text.lines().enumerate() {
        if inside_allowed {
            inside_allowed = !line.starts_with('}');
            continue;
        }
        let code = line.trim_start();
        if code.is_empty() || code.starts_with("//") {
            continue;
        }
        if code.starts_with("#[") {
            allowed |= code.starts_with("#[cfg(test)]") || code.starts_with("#[proc_macro");
            continue;
        }
        if allowed || code.starts_with("macro_rules!") {
            inside_allowed = code.ends_with('{');
        } else if let Some(item) = item(code) {
            found.push((index, item));
        }
        allowed = false;
    }
    let (index, item) = found.first()?;
    let others = if found.len() > 1 { format!(" and {} more items", found.len() - 1) } else { String::new() };
    let message =
        format!("`{item}`{others} in a module file: move it to a file of its own and re-export it here");
    Some(Violation::on_line(name, *index, message))
}

/// The kind of item a line begins, if it is one that module files must not hold.
fn item(code: &str) -> Option<&'static str> {
    const ITEMS: [&str; 6] = ["fn", "struct", "enum", "union", "impl", "trait"];
    let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let before = ["pub", "crate", "super", "in", "async", "const", "unsafe", "extern", "C"];
    let word = words.find(|word| !before.contains(word))?;
    ITEMS.into_iter().find(|item| *item == word)
}

fn marks(name: &str, text: &str) -> Vec<Violation> {
    let rust = name.ends_with(".rs");
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let found = MARKS.iter().filter(|(mark, _)| rust && contains_word(line, mark));
        violations.extend(found.map(|(mark, instead)| {
            Violation::on_line(name, index, format!("`{mark}` is left behind: {instead}"))
        }));
        if line.contains(IGNORED_EXAMPLE) {
            let message = "an example nobody compiles: use `no_run`, `text`, or make it run";
            violations.push(Violation::on_line(name, index, message));
        }
    }
    violations
}

/// Whether a line contains a mark that is not part of a longer word.
fn contains_word(line: &str, mark: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let closed = mark.ends_with('!') || mark.starts_with('#');
    line.match_indices(mark).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + mark.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part_of_word) && (closed || !after.is_some_and(part_of_word))
    })
}

fn white_space(name: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.contains('\t') {
            violations.push(Violation::on_line(name, index, "a tab: use spaces, or `\\t` in a literal"));
        }
        if line.ends_with(char::is_whitespace) {
            violations.push(Violation::on_line(name, index, "white space at the end of the line: remove it"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places and messages of a file, one a line.
    fn broken(name: &str, text: &str) -> String {
        check(name, text).iter().map(|violation| format!("{violation}\n")).collect()
    }

    #[test]
    fn a_clean_file_breaks_no_rule() {
        assert_eq!(broken("core/src/name.rs", "//! Names.\n\nfn todo_list() {}\n"), "");
        assert_eq!(broken("core/tests/it/main.rs", "mod names;\n"), "");
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let line = "// A line.\n";
        assert_eq!(broken("core/tests/long.rs", &line.repeat(MAX_LINES)), "");
        let found = broken("core/tests/long.rs", &line.repeat(MAX_LINES + 1));
        assert!(found.contains("401 lines, over the limit of 400"), "{found}");
        assert_eq!(
            broken("CHANGELOG.md", &"words\n".repeat(MAX_LINES + 1)),
            "",
            "the limit is for Rust files"
        );
    }

    #[test]
    fn a_source_file_says_first_what_it_is_for() {
        let found = broken("core/src/name.rs", "use std::fmt;\n\n//! Names.\n");
        assert!(found.contains("does not start with `//!`"), "{found}");
    }

    #[test]
    fn a_module_file_holds_modules_and_exports_only() {
        let clean = "//! Docs with `fn` and struct.\n\nmod a;\npub mod b {\n    pub const LIMIT: usize = 1;\n}\npub use a::{\n    \
                     first, second,\n};\n/// fn in docs\npub(crate) use b::c;\nextern crate self as core;\n";
        assert_eq!(broken("core/src/lib.rs", clean), "");
        for (item, line) in [
            ("fn", "pub(crate) async fn run() {}"),
            ("fn", "const fn limit() -> usize { 1 }"),
            ("struct", "pub struct Row {"),
            ("impl", "impl<T> From<T> for Row {}"),
            ("trait", "pub trait Store {}"),
        ] {
            for name in ["core/src/lib.rs", "core/src/store/mod.rs", "core/tests/it/mod.rs"] {
                let found = broken(name, &format!("//! Docs.\n\n{line}\n"));
                assert!(found.contains(&format!("{name}:3: `{item}` in a module file")), "{line}: {found}");
            }
            assert_eq!(broken("core/src/store.rs", &format!("//! Docs.\n\n{line}\n")), "");
        }
    }

    #[test]
    fn a_module_file_may_hold_macros_and_tests_but_nothing_after_them() {
        let text = "//! Docs.\n\n#[proc_macro_derive(Event, attributes(event))]\npub fn event() -> X {\n    let f = fn_y();\n}\n\
                    macro_rules! all {\n    () => { fn x() {} };\n}\n#[cfg(test)]\nmod tests {\n    fn x() {}\n}\n";
        assert_eq!(broken("core/derive/src/lib.rs", text), "");
        let found = broken("core/derive/src/lib.rs", &format!("{text}fn late() {{}}\n"));
        assert!(found.contains(":14: `fn`"), "{found}");
        let found = broken("core/src/lib.rs", "//! Docs.\n\nstruct A;\nfn b() {}\nenum C {}\n");
        assert!(found.contains(":3: `struct` and 2 more items in a module file"), "{found}");
        let found = broken("core/src/lib.rs", "//! Docs.\n#[cfg(test)]\nmod tests;\nfn late() {}\n");
        assert!(found.contains(":4: `fn`"), "{found}");
    }

    #[test]
    fn marks_that_are_left_behind_are_refused() {
        for (mark, instead) in MARKS {
            let found = broken("core/src/name.rs", &format!("//! Names.\n    {mark} later\n"));
            assert!(found.contains(":2:") && found.contains(instead), "{mark}: {found}");
            let longer = broken("core/src/name.rs", &format!("//! a{mark} is another word\n"));
            assert!(!longer.contains(instead), "{mark}: {longer}");
        }
        let plural = concat!("//! Fix", "TO", "DOS are not marks.\n");
        assert_eq!(broken("core/src/name.rs", plural), "");
    }

    #[test]
    fn an_example_nobody_compiles_is_refused() {
        let found = broken("README.md", &format!("{IGNORED_EXAMPLE}\nlet x = ;\n```\n"));
        assert!(found.contains("README.md:1: an example nobody compiles"), "{found}");
    }

    #[test]
    fn tabs_and_trailing_white_space_are_refused() {
        for name in ["core/src/name.rs", "README.md", "Cargo.toml"] {
            let found = broken(name, "//! One \n//! \ttwo\n");
            assert!(found.contains(&format!("{name}:1: white space")), "{found}");
            assert!(found.contains(&format!("{name}:2: a tab")), "{found}");
        }
    }

    #[test]
    fn only_text_with_rules_is_looked_at() {
        assert!(concerns("lib.rs") && concerns("README.md") && concerns("Cargo.toml"));
        assert!(!concerns("Cargo.lock") && !concerns("unknown.stderr") && !concerns("data.csv.gz"));
    }
}
