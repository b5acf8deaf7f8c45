//! Installs the servers that are not there yet, and says where they are.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::command;
use super::place::Place;
use super::servers::{SERVERS, Server};

/// How long one command of an installation may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// Held while installing, so that two test commands do not do it at once.
const LOCK: &str = "lock";

/// Environment variables for the tests: names, and the paths of servers.
pub(crate) type Variables = Vec<(&'static str, OsString)>;

/// Makes every server available and says how tests find it.
///
/// # Errors
/// A text that says what failed or is missing, what it is for, and what the machine must have.
pub(crate) fn prepare(root: &Path) -> Result<Variables, String> {
    SERVERS.iter().map(|server| Ok((server.variable, available(server, root)?))).collect()
}

/// The path of a server that is there, whole and able to run.
fn available(server: &Server, root: &Path) -> Result<OsString, String> {
    let place = Place::of(server, root);
    let entry = place.folder.join((server.entry)());
    let _lock = lock(&place).map_err(|reason| refusal(server, &reason.to_string()))?;
    if !(place.is_filled() && entry.exists() && runs(server, &place)) {
        println!("installing {} {} into {}", server.name, server.version, place.folder.display());
        install(server, root, &place, &entry).map_err(|reason| refusal(server, &reason))?;
    }
    Ok(entry.into_os_string())
}

fn lock(place: &Place) -> io::Result<File> {
    fs::create_dir_all(&place.above)?;
    let lock = File::create(place.above.join(LOCK))?;
    lock.lock()?;
    Ok(lock)
}

/// Whether what it runs on is still there: somebody may have removed node, or the python of the environment.
fn runs(server: &Server, place: &Place) -> bool {
    (server.runs_on)(&place.folder).output().is_ok_and(|output| output.status.success())
}

fn install(server: &Server, root: &Path, place: &Place, entry: &Path) -> Result<(), String> {
    place.empty().map_err(|reason| reason.to_string())?;
    for mut command in (server.install)(root, &place.folder) {
        command::run(&mut command, &place.log, PATIENCE)?;
    }
    if !entry.exists() {
        return Err(format!("{} is not there, see {}", entry.display(), place.log.display()));
    }
    place.fill().map_err(|reason| reason.to_string())
}

/// What went wrong, what it is for, and what the machine must have.
fn refusal(server: &Server, reason: &str) -> String {
    let Server { name, version, purpose, requires, .. } = server;
    format!(
        "{name} {version} cannot be made available: {}\n\
         It was written by others, and the tests ask it about {purpose}. It needs {requires}, and the \
         network the first time. Try again with `cargo xtask lookalikes`.",
        reason.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_is_missing_and_what_for_and_what_is_needed() {
        for server in SERVERS {
            let told = refusal(&server, "the program x is missing");
            for part in
                ["the program x is missing", server.name, server.version, server.purpose, server.requires]
            {
                assert!(told.contains(part), "{told}");
            }
        }
    }
}
