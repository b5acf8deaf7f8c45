//! Leases in memory pass the suite for lease stores.

use headwater_projections::group::MemoryLeases;
use headwater_projections::lease_store_conformance;

lease_store_conformance!(MemoryLeases::new());
