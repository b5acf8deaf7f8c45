//! Tests of the benchmarks: what they count must be right on every machine.

mod allocations;
