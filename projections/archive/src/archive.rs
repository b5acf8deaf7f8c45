//! The archive as a whole: where its files are, who writes them, and reading them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::StreamExt;
use headwater::EventFeed;
use headwater::store::{PartitionId, Position};
use headwater_projections::{Group, LeaseStore};

use crate::decode::Decoder;
use crate::file::{self, ENDING, digest};
use crate::limits::LOOKS_AT_ONCE;
use crate::objects::{Listed, ObjectError, Objects};
use crate::work::Writing;
use crate::{ArchiveError, ArchiveFile, ArchivedEvent, Broken, Columns, GROUP, Link, Rotation, chain};

/// The archive of one ledger: files under one prefix of a store of objects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    objects: Arc<dyn Objects>,
    root: Arc<str>,
}

/// Every file of the archive, and every place where it is not whole.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Files {
    /// The files of each partition, in order.
    pub chains: BTreeMap<PartitionId, Vec<ArchiveFile>>,
    /// What is wrong with them.
    pub links: Vec<Link>,
}

impl Archive {
    /// The archive under a prefix, which may be empty.
    ///
    /// # Errors
    /// [`ArchiveError::Prefix`].
    pub fn new(objects: Arc<dyn Objects>, prefix: &str) -> Result<Self, ArchiveError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let parts_are_plain = prefix.split('/').all(|part| !part.is_empty() && part.chars().all(plain));
        if (prefix.is_empty() || parts_are_plain) && file::has_room(prefix) {
            return Ok(Self { objects, root: file::root(prefix).into() });
        }
        Err(ArchiveError::Prefix { prefix: prefix.to_owned() })
    }

    /// A worker of the group that writes it.
    ///
    /// # Delivery
    /// Every commit that the feed hands out, in the order of its partition, in exactly one file of a chain (L10), also
    /// when several workers believe to have the same partition, and whenever one is killed.
    ///
    /// # Cost
    /// One PUT for each file, and the leases.
    #[must_use]
    pub fn group(&self, feed: Arc<dyn EventFeed>, leases: Arc<dyn LeaseStore>, rotation: Rotation) -> Group {
        let work = Writing::new(self.clone(), Arc::clone(&feed), rotation);
        Group::new(GROUP, feed, leases, Arc::new(work)).expect("the name of the group is one")
    }

    /// Every file, in its chain, and whatever is wrong with them. Nothing is read but what is said about them.
    ///
    /// # Errors
    /// [`ArchiveError::Objects`] when they cannot be listed; never a part of them instead.
    ///
    /// # Cost
    /// A LIST for each 1,000 files and a HEAD for each file.
    pub async fn files(&self) -> Result<Files, ArchiveError> {
        let mut keys = Vec::new();
        self.each_key(|listed| keys.push(listed)).await?;
        let look = |listed: Listed| async move {
            match self.objects.look(&listed.key).await {
                Ok((words, bytes)) => {
                    let broken = |reason| Broken { key: listed.key.clone(), partition: None, reason };
                    Ok(ArchiveFile::read(&listed.key, bytes, &words).map_err(broken))
                }
                Err(error) => Err(error),
            }
        };
        let mut looks = futures::stream::iter(keys).map(look).buffered(LOOKS_AT_ONCE);
        let (mut files, mut broken) = (Vec::new(), Vec::new());
        while let Some(looked) = looks.next().await {
            match looked? {
                Ok(file) => files.push(file),
                Err(reason) => broken.push(Link::Broken(reason)),
            }
        }
        let (chains, mut links) = chain::check(files);
        links.extend(broken);
        Ok(Files { chains, links })
    }

    /// Whether there is any file.
    ///
    /// # Errors
    /// [`ArchiveError::Objects`] when they cannot be listed, or there is no bucket.
    ///
    /// # Cost
    /// One LIST, or a few where other files lie under the prefix.
    pub async fn any(&self) -> Result<bool, ArchiveError> {
        let mut after = None;
        loop {
            let listing = self.objects.list(&self.root, after.as_deref()).await?;
            if listing.objects.iter().any(|listed| listed.key.ends_with(ENDING)) {
                return Ok(true);
            }
            after = listing.objects.last().map(|last| last.key.clone());
            if !listing.more || after.is_none() {
                return Ok(false);
            }
        }
    }

    /// Reads a file and hands each event to `visit`, in the order of the feed, until it breaks off.
    ///
    /// # Errors
    /// [`ArchiveError::Broken`] when the file is gone, cut short, or not what was written; that is known before the
    /// first event is handed out, except for files that were never whole.
    ///
    /// # Cost
    /// One GET, and memory for the file and a few thousand decoded events.
    pub async fn read(
        &self,
        file: &ArchiveFile,
        columns: Columns,
        visit: &mut (dyn FnMut(ArchivedEvent<'_>) -> ControlFlow<()> + Send),
    ) -> Result<(), ArchiveError> {
        let mut decoder = self.open(file, columns).await?;
        let broken = |reason| self.broken(file, reason);
        let mut events = 0;
        loop {
            let mut count = |event: ArchivedEvent<'_>| {
                events += 1;
                visit(event)
            };
            match decoder.row_group(&mut count).map_err(broken)? {
                Some(ControlFlow::Continue(())) => tokio::task::yield_now().await,
                Some(ControlFlow::Break(())) => return Ok(()),
                None if events == file.events => return Ok(()),
                None => {
                    return Err(
                        broken(format!("it has {events} events, and {} were written", file.events)).into()
                    );
                }
            }
        }
    }

    /// What is said about the file of this key.
    ///
    /// # Errors
    /// [`ArchiveError::Broken`] when it is gone, or is no file of the archive.
    pub async fn file(&self, key: &str) -> Result<ArchiveFile, ArchiveError> {
        let broken = |reason| Broken { key: key.to_owned(), partition: None, reason };
        match self.objects.look(key).await {
            Ok((words, bytes)) => Ok(ArchiveFile::read(key, bytes, &words).map_err(broken)?),
            Err(ObjectError::Missing { .. }) => Err(broken("it is gone".to_owned()).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gets a file and checks that it is what was written.
    pub(crate) async fn open(&self, file: &ArchiveFile, columns: Columns) -> Result<Decoder, ArchiveError> {
        let broken = |reason| self.broken(file, reason);
        let object = match self.objects.get(&file.key).await {
            Err(ObjectError::Missing { .. }) => return Err(broken("it is gone".to_owned()).into()),
            got => got?,
        };
        let (bytes, written) = (object.body.len() as u64, file.bytes);
        if bytes != written || digest(&object.body) != file.sha256 {
            let what = if bytes < written { "cut short" } else { "changed" };
            return Err(
                broken(format!("it was {what}: it has {bytes} bytes, and {written} were written")).into()
            );
        }
        Ok(Decoder::new(object.body, columns).map_err(broken)?)
    }

    pub(crate) fn broken(&self, file: &ArchiveFile, reason: String) -> Broken {
        Broken { key: file.key.clone(), partition: Some(file.partition.clone()), reason }
    }

    /// Where the chain of a partition ends.
    pub(crate) async fn end_of(&self, partition: &PartitionId) -> Result<Option<Position>, ArchiveError> {
        let of_partition = file::beginning(partition);
        let mut last: Option<(Position, String)> = None;
        self.each_key(|listed| {
            let name = listed.key.rsplit('/').next().and_then(|name| name.strip_suffix(ENDING));
            let position = name.and_then(|name| name.strip_prefix(&*of_partition));
            // Another partition's name may begin like this one's and go on.
            let position = position.filter(|position| position.bytes().all(|b| b.is_ascii_digit()));
            let Some(position) = position.map(|position| Position(position.into())) else { return };
            if last.as_ref().is_none_or(|(last, _)| *last < position) {
                last = Some((position, listed.key));
            }
        })
        .await?;
        let Some((_, key)) = last else { return Ok(None) };
        let (words, bytes) = self.objects.look(&key).await?;
        match ArchiveFile::read(&key, bytes, &words) {
            Ok(file) => Ok(Some(file.last)),
            Err(reason) => Err(Broken { key, partition: Some(partition.clone()), reason }.into()),
        }
    }

    /// Lists every file.
    async fn each_key(&self, mut each: impl FnMut(Listed)) -> Result<(), ObjectError> {
        let mut after = None;
        loop {
            let listing = self.objects.list(&self.root, after.as_deref()).await?;
            after = listing.objects.last().map(|last| last.key.clone());
            listing.objects.into_iter().filter(|listed| listed.key.ends_with(ENDING)).for_each(&mut each);
            if !listing.more || after.is_none() {
                return Ok(());
            }
        }
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn objects(&self) -> &dyn Objects {
        self.objects.as_ref()
    }
}
