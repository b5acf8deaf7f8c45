//! Fuzzing on the stable toolchain: inputs from a kept corpus, changed as bytes and as JSON, from a seed.
//!
//! - `mutate.rs`: changes of an input,
//! - `run.rs`: the loop over a corpus.
//!
//! A corpus is a folder of `proof/corpus/`. An input that makes a decoder panic, or answer what it must not, is printed and
//! belongs into the corpus from then on: every run begins with all of it.

mod mutate;
mod run;

pub use run::fuzz;
