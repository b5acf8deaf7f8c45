//! Which partitions may get a lease, and which have been forgotten.

use std::collections::BTreeSet;

use headwater::store::{Partition, PartitionId};

use super::View;

/// Partitions without a lease whose time has come: all their parents are read to their
/// end, or are gone from the feed.
pub(super) fn ready<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Partition> {
    let listed: BTreeSet<_> = view.partitions.iter().map(|partition| &partition.id).collect();
    view.partitions.iter().filter(move |partition| {
        let done = |parent: &PartitionId| {
            let passed =
                || view.items.leases.get(parent).is_some_and(|lease| lease.is_passed(view.generations));
            !listed.contains(parent) || passed()
        };
        !has_lease(view, &partition.id) && partition.parents.iter().all(done)
    })
}

/// Partitions that have no lease, are not getting one, and do not wait for parents that have one.
pub(super) fn uncovered(view: &View<'_>, created: &BTreeSet<PartitionId>) -> BTreeSet<PartitionId> {
    let covered = |id: &PartitionId| view.items.leases.contains_key(id) || created.contains(id);
    let (mut covered, mut open): (Vec<&Partition>, Vec<&Partition>) =
        view.partitions.iter().partition(|partition| covered(&partition.id));
    let listed: BTreeSet<_> = view.partitions.iter().map(|partition| &partition.id).collect();
    // What waits for a covered partition is covered, and so on, until nothing is added.
    loop {
        let known: BTreeSet<_> = covered.iter().map(|partition| &partition.id).collect();
        let waits = |partition: &&Partition| {
            let mut parents = partition.parents.iter().filter(|parent| listed.contains(parent)).peekable();
            parents.peek().is_some() && parents.all(|parent| known.contains(parent))
        };
        let (waits, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(waits);
        if waits.is_empty() {
            return rest.into_iter().map(|partition| partition.id.clone()).collect();
        }
        covered.extend(waits);
        open = rest;
    }
}

/// Whether there is a lease, one that cannot be read included: making it again would never succeed.
fn has_lease(view: &View<'_>, partition: &PartitionId) -> bool {
    let unreadable = || format!("lease/{partition}");
    view.items.leases.contains_key(partition)
        || (!view.items.unreadable.is_empty() && view.items.unreadable.contains_key(&unreadable()))
}
