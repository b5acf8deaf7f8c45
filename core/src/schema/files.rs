//! The files of the schema lock: `{category}/{event}.v{version}.json`, and `.r2`, `.r3` … before `.json` for shapes
//! the same version took on later.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A schema as it was locked.
#[derive(Debug, Clone)]
pub(super) struct Locked {
    pub(super) event: String,
    pub(super) version: u32,
    pub(super) json: Result<Value, String>,
}

/// Every schema of a category, by file name; none when the folder is not there yet.
pub(super) fn read(folder: &Path) -> io::Result<Vec<Locked>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    let mut locked = Vec::new();
    for path in paths {
        let Some((event, version)) = path.file_name().and_then(|name| parse(name.to_str()?)) else {
            continue;
        };
        let json = serde_json::from_slice(&fs::read(&path)?).map_err(|error| error.to_string());
        locked.push(Locked { event, version, json });
    }
    Ok(locked)
}

/// Writes a file that is not there yet; `revision` counts the shapes of this version, from 1.
pub(super) fn write(
    folder: &Path,
    event: &str,
    version: u32,
    revision: usize,
    json: &Value,
) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let revision = if revision > 1 { format!(".r{revision}") } else { String::new() };
    let path = folder.join(format!("{event}.v{version}{revision}.json"));
    let mut text = serde_json::to_string_pretty(json)?;
    text.push('\n');
    OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}

/// Event and version of a file name; nothing for files of another kind.
fn parse(name: &str) -> Option<(String, u32)> {
    let stem = name.strip_suffix(".json")?;
    let stem = match stem.rsplit_once(".r") {
        Some((before, revision)) if revision.parse::<u32>().is_ok() => before,
        _ => stem,
    };
    let (event, version) = stem.rsplit_once(".v")?;
    Some((event.to_owned(), version.parse().ok()?))
}
