//! The house rules that no compiler checks. Each rule is a function from text to violations, with tests that break it.

mod arrows;
mod check;
mod document;
mod manifests;
mod sources;
mod tree;
mod violation;

pub(crate) use check::check;
#[cfg(test)]
pub(crate) use check::files;
