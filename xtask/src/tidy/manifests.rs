//! Rules about `Cargo.toml` files: every dependency has a reason, and its version is written once.
//!
//! Reads the little of TOML that manifests use, statement by statement. Not a TOML parser.

use super::violation::Violation;

/// A key with its value, which may span lines.
struct Statement {
    /// The table it stands in, such as `dependencies`.
    table: String,
    /// The line it begins on, from 0.
    index: usize,
    key: String,
    value: String,
    /// The comment at its end.
    comment: String,
}

/// Checks a manifest; other files break no rule here.
pub(crate) fn check(name: &str, text: &str) -> Vec<Violation> {
    if name == "Cargo.toml" {
        reasons(name, text)
    } else if name.ends_with("/Cargo.toml") {
        let mut violations = inherited(name, text);
        violations.extend(lints(name, text));
        violations
    } else {
        Vec::new()
    }
}

/// In the workspace: each dependency says why it is here, unless it is a folder of ours.
fn reasons(name: &str, text: &str) -> Vec<Violation> {
    let statements = statements(text);
    let dependencies = statements.iter().filter(|statement| statement.table == "workspace.dependencies");
    let silent = dependencies.filter(|statement| {
        !statement.value.contains("path =") && !statement.comment.contains(char::is_alphabetic)
    });
    silent
        .map(|statement| {
            let message = format!("{} has no reason: end its line with `# what it is for`", statement.key);
            Violation::on_line(name, statement.index, message)
        })
        .collect()
}

/// In a member: each dependency comes from the workspace.
fn inherited(name: &str, text: &str) -> Vec<Violation> {
    let statements = statements(text);
    let mut violations = Vec::new();
    for statement in &statements {
        let own = match dependency_table(&statement.table) {
            // `[dependencies.serde]`: the whole table is one dependency.
            Some(dependency) if !dependency.is_empty() => {
                let siblings = || statements.iter().filter(|other| other.table == statement.table);
                let first = siblings().next().is_some_and(|first| first.index == statement.index);
                first && !siblings().any(|other| other.key == "workspace" && other.value == "true")
            }
            Some(_) => !from_workspace(statement),
            None => false,
        };
        if own {
            let message = format!(
                "{} does not come from the workspace: write `workspace = true` and put the version, with a reason, \
                 into the Cargo.toml at the root",
                dependency_name(statement)
            );
            violations.push(Violation::on_line(name, statement.index, message));
        }
    }
    violations
}

/// In a member: the workspace's lints hold.
fn lints(name: &str, text: &str) -> Option<Violation> {
    let statements = statements(text);
    let has = statements.iter().any(|s| s.table == "lints" && s.key == "workspace" && s.value == "true");
    (!has).then(|| {
        Violation::new(name, "the lints of the workspace are off: add `[lints]` with `workspace = true`")
    })
}

fn from_workspace(statement: &Statement) -> bool {
    let dense: String = statement.value.split_whitespace().collect();
    let dotted = statement.key.ends_with(".workspace") && dense == "true";
    dotted || dense.contains("{workspace=true") || dense.contains(",workspace=true")
}

fn dependency_name(statement: &Statement) -> &str {
    match dependency_table(&statement.table) {
        Some(name) if !name.is_empty() => name,
        _ => statement.key.split('.').next().unwrap_or_default(),
    }
}

/// For a table of dependencies: the dependency it is about, empty when it holds several.
fn dependency_table(table: &str) -> Option<&str> {
    ["dev-dependencies", "build-dependencies", "dependencies"].into_iter().find_map(|kind| {
        let (before, after) = table.rsplit_once(kind)?;
        let begins = before.is_empty() || (before.starts_with("target.") && before.ends_with('.'));
        let ends = after.is_empty() || after.starts_with('.');
        (begins && ends).then(|| after.trim_start_matches('.'))
    })
}

/// Every statement of a manifest, in order.
fn statements(text: &str) -> Vec<Statement> {
    let mut table = String::new();
    let mut found: Vec<Statement> = Vec::new();
    let mut open = 0_i32;
    for (index, line) in text.lines().enumerate() {
        let (code, comment) = split_comment(line);
        let code = code.trim();
        if open > 0 {
            if let Some(statement) = found.last_mut() {
                statement.value.push_str(code);
                comment.trim().clone_into(&mut statement.comment);
            }
            open += depth(code);
        } else if let Some(header) = code.strip_prefix('[') {
            header.trim_end_matches(']').trim_start_matches('[').trim().clone_into(&mut table);
        } else if let Some((key, value)) = code.split_once('=') {
            open = depth(value);
            found.push(Statement {
                table: table.clone(),
                index,
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                comment: comment.trim().to_owned(),
            });
        }
    }
    found
}

/// How many more brackets a piece of a value opens than it closes.
fn depth(code: &str) -> i32 {
    let count = |set: &[char]| i32::try_from(code.matches(set).count()).unwrap_or(i32::MAX);
    count(&['[', '{']).saturating_sub(count(&[']', '}']))
}

/// A line before and after its `#`, if that is not in a string.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => {
                return (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (line, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn broken(name: &str, text: &str) -> String {
        check(name, text).iter().map(|violation| format!("{violation}\n")).collect()
    }

    #[test]
    fn a_dependency_of_the_workspace_has_a_reason() {
        let clean = "[workspace.dependencies]\nours = { path = \"core\" }\nserde = \"1\" # at rest\n\
                     tokio = { version = \"1\", features = [\n    \"rt\",\n] } # the runtime\n\
                     [profile.dev]\ndebug = 1\n";
        assert_eq!(broken("Cargo.toml", clean), "");
        let found = broken(
            "Cargo.toml",
            "[workspace.dependencies]\nserde = \"1\"\ncsv = \"1\" # input\nuuid = \"1#a\" #\n",
        );
        assert!(found.contains("Cargo.toml:2: serde has no reason"), "{found}");
        assert!(found.contains("Cargo.toml:4: uuid has no reason"), "{found}");
        assert_eq!(found.lines().count(), 2);
    }

    #[test]
    fn a_member_takes_its_dependencies_from_the_workspace() {
        let clean = format!(
            "[package]\nname = \"a\"\nversion.workspace = true\n[dependencies]\nserde.workspace = true\n\
             tokio = {{ workspace = true, features = [\n    \"rt\",\n] }}\n\
             [target.'cfg(unix)'.dependencies]\nlibc = {{ features = [], workspace = true }}\n\
             [dev-dependencies.csv]\nworkspace = true\n{LINTS}"
        );
        assert_eq!(broken("core/Cargo.toml", &clean), "");
        for (table, statement) in [
            ("dependencies", "serde = \"1\""),
            ("dev-dependencies", "serde = { version = \"1\", features = [\"derive\"] }"),
            ("build-dependencies", "serde.version = \"1\""),
            ("target.'cfg(unix)'.dependencies", "serde = { path = \"../serde\" }"),
            ("dependencies.serde", "version = \"1\""),
        ] {
            let found = broken("core/Cargo.toml", &format!("[{table}]\n{statement}\n{LINTS}"));
            assert!(found.contains("core/Cargo.toml:2: serde does not come from"), "{table}: {found}");
        }
    }

    #[test]
    fn a_member_keeps_the_lints_of_the_workspace() {
        let found = broken("core/Cargo.toml", "[package]\nname = \"a\"\n");
        assert!(found.contains("lints of the workspace are off"), "{found}");
        assert!(broken("core/Cargo.toml", "[lints]\nworkspace = false\n").contains("are off"));
    }

    #[test]
    fn other_files_are_none_of_its_business() {
        assert_eq!(broken("core/src/lib.rs", "[dependencies]\nserde = \"1\"\n"), "");
    }
}
