//! Tests of the projections: the step, its properties, row stores, the runner and the test kit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

mod backfill;
mod faulty;
mod group;
mod harness;
mod kit;
mod leases;
mod mending;
mod model;
mod parking;
mod properties;
mod read_models;
mod rows;
mod runner;
mod step;
mod unfit;
mod waits;
