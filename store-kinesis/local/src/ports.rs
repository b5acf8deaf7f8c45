//! Which ports the services take, and remembering them in the directory, so that a command line goes on working.

use std::{collections::BTreeMap, fs};

use crate::{LocalError, directory::Directory};

/// The file with the ports of the last start.
const FILE: &str = "ports.json";

/// A port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// This one and no other; 0 is any free one.
    Named(u16),
    /// This one if it is free, otherwise any.
    Rather(u16),
}

/// The ports of the last start, by service.
#[derive(Debug, Default)]
pub(crate) struct Remembered(BTreeMap<String, u16>);

impl Remembered {
    /// What the directory remembers. What cannot be read is not worth a refusal: the ports are only a convenience.
    pub(crate) fn load(directory: &Directory) -> Self {
        let text = directory.durable(FILE).and_then(|file| fs::read(file).ok());
        Self(text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default())
    }

    /// The port of a service: the one that is asked for, or the one of the last time, or any.
    pub(crate) fn port(&self, service: &str, asked_for: u16) -> Port {
        match self.0.get(service) {
            Some(last) if asked_for == 0 => Port::Rather(*last),
            _ => Port::Named(asked_for),
        }
    }

    /// Writes down the ports for the next start.
    pub(crate) fn store(directory: &Directory, ports: &[(&str, u16)]) -> Result<(), LocalError> {
        let Some(file) = directory.durable(FILE) else { return Ok(()) };
        let ports: BTreeMap<&str, u16> = ports.iter().copied().collect();
        let text = serde_json::to_vec(&ports).expect("names and numbers become JSON");
        let directory = directory.path().to_owned();
        fs::write(file, text).map_err(|source| LocalError::Directory { directory, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_asked_for_counts_more_than_the_last_one() {
        let last = Remembered(BTreeMap::from([("S3".to_owned(), 4000)]));
        for (service, asked_for, expected) in
            [("S3", 0, Port::Rather(4000)), ("S3", 5000, Port::Named(5000)), ("Kinesis", 0, Port::Named(0))]
        {
            assert_eq!(last.port(service, asked_for), expected, "{service} {asked_for}");
        }
    }
}
