//! The archive of a connection.

use std::sync::Arc;
use std::time::Duration;

use headwater_archive::objects::S3Objects;
use headwater_archive::{Archive, Rotation};
use headwater_projections::Group;

use crate::backends::{Backends, Connection};

/// How long a commit waits for its file in `dev`, where somebody is watching.
const DEV_AGE: Duration = Duration::from_secs(5);

/// The archive in the bucket of a connection: under the prefix of the application, so that several share a bucket.
///
/// # Errors
/// [`ArchiveError::Prefix`](headwater_archive::ArchiveError::Prefix) when the prefix is too long for that.
pub(crate) fn archive(connection: &Connection) -> Result<Archive, headwater_archive::ArchiveError> {
    let names = &connection.place.names;
    Archive::new(Arc::new(S3Objects::new(&connection.s3, &names.bucket)), &names.prefix)
}

/// A worker of the group that writes it.
///
/// # Errors
/// As [`archive`].
pub(crate) fn group(backends: &Backends) -> Result<Group, headwater_archive::ArchiveError> {
    let mut rotation = Rotation::default();
    if backends.is_local() {
        rotation.age = DEV_AGE;
    }
    let leases = Arc::clone(&backends.leases);
    Ok(archive(&backends.connection)?.group(backends.store.feed(), leases, rotation))
}
