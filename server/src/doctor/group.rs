//! Workers, leases, partitions and generations. What must move is looked at twice: no clock of another machine is
//! believed.

use std::time::Duration;

use headwater_projections::GROUP;
use headwater_projections::group::{Items, LeaseStore};

use super::examine::blind;
use super::finding::Finding;
use crate::app::Kept;
use crate::backends::Books;

pub(super) async fn examine(backends: &Books, projections: &[Kept], watch: Duration) -> Vec<Finding> {
    let before = match backends.leases.list(GROUP).await {
        Ok(items) => items,
        Err(error) => return vec![blind("the leases", &error)],
    };
    tokio::time::sleep(watch).await;
    let after = match backends.leases.list(GROUP).await {
        Ok(items) => items,
        Err(error) => return vec![blind("the leases", &error)],
    };
    let mut findings = movement(&before, &after);
    findings.extend(after.unreadable.iter().map(|(name, reason)| {
        Finding::warning(
            "lease-unreadable",
            format!("{name} of group {GROUP} cannot be read: {reason}"),
            "a newer version may have written it: bring every process to that version; delete it only by hand",
        )
    }));
    for lease in after.leases.values().filter(|lease| lease.losses > 0) {
        findings.push(Finding::warning(
            "checkpoint-lost",
            format!(
                "partition {}: {} checkpoints were older than the feed keeps records",
                lease.partition, lease.losses
            ),
            "keep records longer (setting feed.retention_hours, then `infra apply`), or keep workers running",
        ));
    }
    for kept in projections {
        let Some(generations) = after.generations.get(kept.name) else { continue };
        match generations.version(generations.live) {
            Some(live) if live > kept.version => findings.push(Finding::problem(
                "code-too-old",
                format!(
                    "{}: the live generation {} was made by version {live}, and this binary has version {}",
                    kept.name, generations.live, kept.version
                ),
                "deploy the newer binary, or go back with `projections rollback`",
            )),
            Some(live) if live < kept.version => findings.push(Finding::warning(
                "rebuild-needed",
                format!(
                    "{}: this binary has version {}, and the live generation {} was made by version {live}",
                    kept.name, kept.version, generations.live
                ),
                format!("run `backfill {}`; until then the old generation answers", kept.name),
            )),
            _ => {}
        }
    }
    findings
}

/// Leases and workers that did not move between two looks.
fn movement(before: &Items, after: &Items) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lease in after.leases.values() {
        let Some(owner) = &lease.owner else { continue };
        let still = before.leases.get(&lease.partition).is_some_and(|before| before.counter == lease.counter);
        if still {
            findings.push(Finding::problem(
                "lease-stale",
                format!(
                    "the lease of partition {} belongs to {owner}, who does not renew it",
                    lease.partition
                ),
                "that process is dead or cut off, and no other is there to take over: run a worker",
            ));
        }
    }
    let alive = after
        .workers
        .values()
        .any(|worker| before.workers.get(&worker.id).is_none_or(|before| before.counter != worker.counter));
    if !after.leases.is_empty() && !alive {
        findings.push(Finding::problem(
            "no-worker",
            format!("no worker of group {GROUP} is alive: read models stand still"),
            "run `serve --role worker` or `--role all`",
        ));
    }
    findings
}
