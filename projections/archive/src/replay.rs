//! Every commit of the archive once, those of each stream in version order.
//!
//! The feed owes neither, so a file may have a commit again, or before an earlier one of its stream. A commit that was
//! seen is passed over. One that is early waits for the next pass, which reads only the files that have such ones: memory
//! is a version for each stream, however disordered the archive is.

use std::collections::HashMap;

use async_trait::async_trait;
use headwater::{Commit, StreamName, Version};

use crate::commits::Commits;
use crate::{Archive, ArchiveFile, Columns, Files, RestoreError};

/// What takes the commits.
#[async_trait]
pub(crate) trait Sink: Send {
    /// Takes commits, each the next of its stream.
    async fn take(&mut self, commits: Vec<Commit>) -> Result<(), RestoreError>;
}

/// The last version of each stream that was taken.
pub(crate) type Heads = HashMap<StreamName, Version>;

/// Hands every commit that `heads` does not have to the sink.
pub(crate) async fn replay(
    archive: &Archive,
    files: &Files,
    heads: &mut Heads,
    sink: &mut dyn Sink,
) -> Result<(), RestoreError> {
    let mut files: Vec<_> = files.chains.values().flatten().collect();
    // By day, so that streams that went to another partition come in order as well as may be.
    files.sort_by(|a, b| a.key.cmp(&b.key));
    loop {
        let (mut again, mut missing) = (Vec::new(), None);
        let before = files.len();
        let mut progress = false;
        for file in files {
            let pass = read(archive, file, heads, sink).await?;
            progress |= pass.taken > 0;
            if let Some(early) = pass.early {
                again.push(file);
                missing.get_or_insert(early);
            }
        }
        match missing {
            None => return Ok(()),
            Some((stream, version)) if !progress && again.len() == before => {
                return Err(RestoreError::Incomplete { stream, version });
            }
            Some(_) => files = again,
        }
    }
}

/// What one reading of a file came to.
struct Pass {
    taken: usize,
    /// A stream whose commits came early, and the version that was missing.
    early: Option<(StreamName, Version)>,
}

async fn read(
    archive: &Archive,
    file: &ArchiveFile,
    heads: &mut Heads,
    sink: &mut dyn Sink,
) -> Result<Pass, RestoreError> {
    let broken = |reason| archive.broken(file, reason).into();
    let broken = |reason| RestoreError::Archive(broken(reason));
    let mut decoder = archive.open(file, Columns::All).await?;
    let mut pass = Pass { taken: 0, early: None };
    loop {
        let (mut commits, mut wrong) = (Commits::default(), None);
        let more = decoder.row_group(&mut |event| match commits.add(&event) {
            Ok(()) => std::ops::ControlFlow::Continue(()),
            Err(reason) => {
                wrong = Some(reason);
                std::ops::ControlFlow::Break(())
            }
        });
        if more.map_err(broken)?.is_none() {
            return Ok(pass);
        }
        if let Some(reason) = wrong {
            return Err(broken(reason));
        }
        let mut next = Vec::new();
        for commit in commits.finish().map_err(broken)? {
            let head = heads.get(&commit.stream).copied().unwrap_or_default();
            if commit.first == head.next() {
                heads.insert(commit.stream.clone(), commit.last());
                next.push(commit);
            } else if commit.first > head {
                pass.early.get_or_insert((commit.stream, head.next()));
            } else if commit.last() > head {
                return Err(broken(format!("a commit of stream {} overlaps version {head}", commit.stream)));
            }
        }
        pass.taken += next.len();
        sink.take(next).await?;
    }
}
