//! Where a server is installed, and the note that says that it is there whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::servers::Server;

/// Below the workspace.
const FOLDER: &str = "target/lookalikes";
/// The last file of an installation.
const NOTE: &str = "installed.txt";

/// The folder of one server.
#[derive(Debug)]
pub(crate) struct Place {
    /// The folder that holds the folders of all servers.
    pub(crate) above: PathBuf,
    /// The server's own.
    pub(crate) folder: PathBuf,
    /// What the commands of its installation print.
    pub(crate) log: PathBuf,
    /// What the note must say. The path is in it because a virtual environment of Python cannot be moved.
    note: String,
}

impl Place {
    /// The place of a server in the workspace at `root`.
    pub(crate) fn of(server: &Server, root: &Path) -> Self {
        let above = root.join(FOLDER);
        let folder = above.join(server.name);
        let log = above.join(format!("{}.log", server.name));
        let note = format!("{} {} in {}\n", server.name, server.version, folder.display());
        Self { above, folder, log, note }
    }

    /// Whether the right version was installed here, to the end.
    pub(crate) fn is_filled(&self) -> bool {
        fs::read_to_string(self.folder.join(NOTE)).is_ok_and(|note| note == self.note)
    }

    /// Removes what is there, and makes the folder.
    pub(crate) fn empty(&self) -> io::Result<()> {
        for result in [fs::remove_dir_all(&self.folder), fs::remove_file(&self.log)] {
            match result {
                Err(reason) if reason.kind() != io::ErrorKind::NotFound => return Err(reason),
                _ => {}
            }
        }
        fs::create_dir_all(&self.folder)
    }

    /// Says that the installation is whole.
    pub(crate) fn fill(&self) -> io::Result<()> {
        fs::write(self.folder.join(NOTE), &self.note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookalikes::servers::SERVERS;

    #[test]
    fn only_the_same_version_in_the_same_place_counts_as_installed() {
        let root = std::env::temp_dir().join(format!("headwater-xtask-place-{}", std::process::id()));
        let [server, ..] = SERVERS;
        let [mut newer, ..] = SERVERS;
        newer.version = "9.9.9";
        let place = Place::of(&server, &root);
        assert!(!place.is_filled());
        place.empty().unwrap();
        assert!(!place.is_filled(), "an installation that was cut off counts");
        place.fill().unwrap();
        assert!(place.is_filled());
        assert!(!Place::of(&newer, &root).is_filled(), "another version counts");
        let moved = Place { folder: place.folder.clone(), ..Place::of(&server, &root.join("elsewhere")) };
        assert!(!moved.is_filled(), "a moved folder counts");
        place.empty().unwrap();
        assert!(!place.is_filled());
        fs::remove_dir_all(root).unwrap();
    }
}
