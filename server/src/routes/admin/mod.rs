//! Administration: how projections are doing, rebuilds, parked streams, partitions, and the model that is served.

mod describe;
mod operations;
mod parked;
mod partitions;
mod projections;
mod rebuilds;
mod switch;
mod work;

pub(super) use operations::operations;
