//! The chain of a partition's files: each follows the one before it without gap and without overlap (L10).

use std::collections::BTreeMap;

use headwater::store::PartitionId;

use crate::{ArchiveFile, Link};

/// The files of each partition in order, and every place where a chain is not whole.
pub(crate) fn check(files: Vec<ArchiveFile>) -> (BTreeMap<PartitionId, Vec<ArchiveFile>>, Vec<Link>) {
    let mut chains: BTreeMap<PartitionId, Vec<ArchiveFile>> = BTreeMap::new();
    for file in files {
        chains.entry(file.partition.clone()).or_default().push(file);
    }
    let mut links = Vec::new();
    for chain in chains.values_mut() {
        chain.sort_by(|a, b| a.first.cmp(&b.first));
        let mut before: Option<&ArchiveFile> = None;
        for file in chain.iter() {
            links.extend(link(before, file));
            before = Some(file);
        }
    }
    (chains, links)
}

/// What is wrong between a file and the one before it.
fn link(before: Option<&ArchiveFile>, file: &ArchiveFile) -> Vec<Link> {
    let (partition, key) = (file.partition.clone(), file.key.clone());
    let end = before.map(|before| &before.last);
    let broken = match (before, &file.after) {
        (Some(before), _) if file.first <= before.last => {
            Some(Link::Overlap { partition, key, other: before.key.clone() })
        }
        (_, Some(after)) if end != Some(after) => {
            Some(Link::Missing { partition, key, after: after.clone(), before: end.cloned() })
        }
        // The first of a chain, although there is one before it: two that both took the partition for new.
        (Some(before), None) => Some(Link::Overlap { partition, key, other: before.key.clone() }),
        _ => None,
    };
    let lost = file.lost.then(|| Link::Lost { partition: file.partition.clone(), key: file.key.clone() });
    broken.into_iter().chain(lost).collect()
}

#[cfg(test)]
mod tests {
    use headwater::store::Position;

    use super::*;

    fn file(first: u64, last: u64, after: Option<u64>) -> ArchiveFile {
        let position = |number: u64| Position(number.to_string().into());
        ArchiveFile {
            key: format!("f{first}"),
            partition: PartitionId("p".into()),
            parents: Vec::new(),
            first: position(first),
            last: position(last),
            after: after.map(position),
            lost: false,
            commits: 1,
            events: 1,
            bytes: 1,
            sha256: String::new(),
        }
    }

    #[test]
    fn every_gap_and_every_overlap_is_found_and_named() {
        let other = || ArchiveFile { partition: PartitionId("other".into()), ..file(2, 3, None) };
        for (files, found) in [
            (vec![], ""),
            (vec![file(12, 13, Some(9)), file(1, 9, None), other()], ""),
            (vec![file(1, 2, None), file(9, 10, Some(5))], "missing in front of f9"),
            (vec![file(9, 10, Some(5))], "ends at none"),
            (vec![file(1, 5, None), file(4, 9, Some(3))], "file f4 of partition p overlaps f1"),
            (vec![file(1, 5, None), file(6, 9, None)], "file f6 of partition p overlaps f1"),
            (vec![ArchiveFile { lost: true, ..file(1, 5, None) }], "had lost records"),
        ] {
            let said: Vec<_> = check(files).1.iter().map(ToString::to_string).collect();
            assert_eq!(said.len(), usize::from(!found.is_empty()), "{said:?}");
            assert!(said.concat().contains(found), "{said:?}");
        }
    }
}
