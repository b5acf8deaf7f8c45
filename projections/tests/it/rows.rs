//! Rows in memory pass the suite for row stores.

use headwater_projections::{MemoryRows, row_store_conformance};

row_store_conformance!(MemoryRows::new());
