//! The directory of the local services: one process at a time, and removed at the end when nobody named it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::LocalError;

/// The file whose lock says that the directory is in use.
const LOCK_FILE: &str = "headwater-local.lock";

/// A directory that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    temporary: bool,
    /// Held, not read: the system releases it when the process ends, however it ends.
    _lock: File,
}

impl Directory {
    /// Takes the named directory, or a new one that goes away at the end.
    pub(crate) fn take(named: Option<PathBuf>) -> Result<Self, LocalError> {
        let temporary = named.is_none();
        let path = named.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("headwater-local-{}", uuid::Uuid::now_v7().simple()))
        });
        let failed = |source: io::Error| LocalError::Directory { directory: path.clone(), source };
        fs::create_dir_all(&path).map_err(failed)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, temporary, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(LocalError::InUse { directory: path }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// A path inside, or `None` when what is kept there need not outlive the process.
    pub(crate) fn durable(&self, name: &str) -> Option<PathBuf> {
        (!self.temporary).then(|| self.path.join(name))
    }

    /// A folder inside, made when absent.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, LocalError> {
        let folder = self.path.join(name);
        fs::create_dir_all(&folder)
            .map_err(|source| LocalError::Directory { directory: self.path.clone(), source })?;
        Ok(folder)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.temporary
            && let Err(reason) = fs::remove_dir_all(&self.path)
        {
            tracing::debug!(directory = %self.path.display(), %reason, "the temporary directory stays");
        }
    }
}
