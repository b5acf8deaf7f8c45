//! Rows on a look-alike of DynamoDB: the suite for row stores, what everything costs, and what goes wrong.

mod agreement;
mod backend;
mod cost;
mod faults;
mod round_trip;
mod tables;

use headwater_projections::row_store_conformance;

row_store_conformance!(backend::rows().await.rows);
