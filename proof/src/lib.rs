//! The proof that the laws hold, as far as a program can give it. Nothing of it ships.
//!
//! - [`model`]: the protocols that carry the laws as small state machines, searched exhaustively, and one change to each
//!   rule of theirs that the search must notice,
//! - [`simulation`]: what worlds from seeds are made of. `tests/it/simulation/`: the real runner, leases and step on
//!   virtual time, in a world that loses, repeats, delays, splits, merges and kills; the simulation of the ledger and the
//!   publisher stands beside those, in `store-kinesis/tests/it/simulation/`,
//! - [`fuzz`]: inputs for every decoder that meets bytes from outside, from kept corpora.
//!
//! `cargo xtask test` runs all of it in small, `cargo xtask prove` in large. The mutations of the real code stand in
//! `xtask/src/mutate/`; `docs/proof.md` says law by law what was done.

pub mod fuzz;
pub mod model;
pub mod simulation;
