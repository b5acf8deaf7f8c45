//! The feed against the look-alike of this workspace, with faults on the wire.

mod fan_out;
mod foreign;
mod infra;
mod lost;
mod mishaps;
mod reading;
mod reshard;
mod rig;
mod waiting;
