//! Parked streams, and indexes that a read model lacks.

use headwater_projections::GROUP;
use headwater_projections::RowStore;
use headwater_projections::group::{Generations, LeaseStore};
use headwater_projections::rows::{Query, RowError};

use super::examine::blind;
use super::finding::Finding;
use crate::app::Kept;
use crate::backends::Books;

/// Most parked streams that are counted.
const COUNTED: usize = 100;

pub(super) async fn examine(backends: &Books, projections: &[Kept]) -> Vec<Finding> {
    let Ok(items) = backends.leases.list(GROUP).await else { return Vec::new() };
    let mut findings = Vec::new();
    for kept in projections {
        // One that was never deployed has no table yet, and that is as it should be.
        let Some(generation) = items.generations.get(kept.name).map(Generations::live) else { continue };
        match backends.rows.parked(&generation, None, COUNTED).await {
            Ok(parked) if parked.is_empty() => {}
            Ok(parked) => {
                let many = if parked.len() == COUNTED { "at least " } else { "" };
                let first = parked.first().map(|parked| format!("{}: {}", parked.stream, parked.cause));
                findings.push(Finding::warning(
                    "streams-parked",
                    format!(
                        "{} cannot apply {many}{} streams, such as {}",
                        kept.name,
                        parked.len(),
                        first.unwrap_or_default()
                    ),
                    format!(
                        "see `parked groups {}`; mend the code and they are tried again by themselves",
                        kept.name
                    ),
                ));
            }
            Err(error) => findings.push(blind(&format!("the rows of {generation}"), &error)),
        }
        for index in kept.indexes {
            let query = Query::new(*index).limit(1);
            if let Err(RowError::Invalid { reason }) = backends.rows.query(&generation, &query).await {
                findings.push(Finding::problem(
                    "row-index-missing",
                    format!("{}: {reason}", kept.name),
                    format!("raise the version of the projection and run `backfill {}`", kept.name),
                ));
            }
        }
    }
    findings
}
