//! All examinations. One that cannot be made is a finding itself, and the others are made all the same.

use std::time::Duration;

use headwater_projections::group::limits::{EXPIRY, RENEW_EVERY};
use headwater_store_kinesis::Config;

use super::finding::Finding;
use super::{clock, group, infrastructure, rows, writers};
use crate::app::Kept;
use crate::backends::Connection;
use crate::exit::with_causes;

/// Who is examined.
pub(crate) struct Patient<'a> {
    pub(crate) connection: Connection,
    pub(crate) config: Config,
    /// The projections of this binary.
    pub(crate) projections: &'a [Kept],
    /// Seconds since 1970 on the clock of this machine.
    pub(crate) now: i64,
    /// How long is watched what must move: longer than a worker or a writer may be late.
    pub(crate) watch: Duration,
}

/// How long is watched what must move.
pub(crate) const WATCH: Duration = EXPIRY.saturating_add(RENEW_EVERY);

/// Examines, and gives what is wrong, the worst first.
pub(crate) async fn examine(patient: &Patient<'_>) -> Vec<Finding> {
    let connection = &patient.connection;
    let mut findings = infrastructure::examine(connection, &patient.config).await;
    findings.extend(clock::examine(connection, patient.now).await);
    // Without tables nothing more can be seen.
    if !findings.iter().any(|finding| matches!(finding.fault, "unreachable" | "table-missing" | "table-key"))
    {
        let backends = connection.books();
        let (group, writers) = tokio::join!(
            group::examine(&backends, patient.projections, patient.watch),
            writers::examine(connection, &patient.config, patient.watch),
        );
        findings.extend(group);
        findings.extend(writers);
        findings.extend(rows::examine(&backends, patient.projections).await);
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// An examination that could not be made.
pub(super) fn blind(what: &str, error: &dyn std::error::Error) -> Finding {
    Finding::problem(
        "unreachable",
        format!("{what} cannot be looked at: {}", with_causes(error)),
        "check the network, the endpoint, and that the credentials allow it",
    )
}
