//! What a breakage is.

/// One line of the code that keeps a law, and what breaks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breakage {
    /// The law, or in a word what else is promised.
    pub(super) law: &'static str,
    /// What is broken, in words.
    pub(super) what: &'static str,
    /// The file.
    pub(super) file: &'static str,
    /// A piece of it that is there once.
    pub(super) old: &'static str,
    /// What takes its place.
    pub(super) new: &'static str,
    /// The package whose test must fail.
    pub(super) package: &'static str,
    /// Where the test is.
    pub(super) target: Target,
    /// The test.
    pub(super) test: &'static str,
}

/// Where a test is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// Among those in `tests/it`, which have a binary of their own.
    It,
    /// Inside the code of the package.
    Lib,
}

pub(super) const MEMORY: &str = "headwater-store-memory";
pub(super) const KINESIS: &str = "headwater-store-kinesis";
pub(super) const PROJECTIONS: &str = "headwater-projections";
pub(super) const DYNAMODB: &str = "headwater-projections-dynamodb";
pub(super) const ARCHIVE: &str = "headwater-archive";
pub(super) const SERVER: &str = "headwater-server";
pub(super) const BANK: &str = "bank";

/// The whole table.
pub(super) fn all() -> impl Iterator<Item = &'static Breakage> {
    let (writing, reading) = (super::writing::TABLE.iter(), super::reading::TABLE);
    writing.chain(reading).chain(super::copies::TABLE).chain(super::serving::TABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy;

    #[test]
    fn every_line_of_the_table_of_breakages_stands_once_in_the_code() {
        let root = crate::root();
        for breakage in all() {
            let Breakage { what, file, old, new, .. } = breakage;
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            let places = text.matches(old).count();
            assert_eq!(
                places, 1,
                "{what}: {file} must have this once, and `cargo xtask mutate` follow:\n{old}"
            );
            assert_ne!(old, new, "{what}");
            assert!(!old.contains('\n'), "{what}: one line is broken");
        }
    }

    #[test]
    fn every_breakage_has_a_test_that_exists_and_every_law_has_a_breakage() {
        let root = crate::root();
        let mine = root.join("xtask/src/mutate");
        let files = tidy::files(&root).unwrap().into_iter().filter(|path| !path.starts_with(&mine));
        let texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for Breakage { what, test, .. } in all() {
            let (function, listed) = (format!("fn {test}("), format!("::{test}:"));
            let exists = texts.iter().any(|text| text.contains(&function) || text.contains(&listed));
            assert!(exists, "{what}: there is no test {test}");
        }
        for law in (1..=12).map(|law| format!("L{law}")) {
            assert!(all().any(|breakage| breakage.law == law), "{law} is not broken anywhere");
        }
    }
}
