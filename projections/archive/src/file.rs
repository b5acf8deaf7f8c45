//! A file of the archive: its key, and what is said about it beside its content.

use std::fmt::Write;

use headwater::Timestamp;
use headwater::store::{PartitionId, Position};
use sha2::{Digest, Sha256};

use crate::limits::KEY_BYTES;
use crate::objects::Words;

/// The version of the layout: part of each key.
const LAYOUT: &str = "v1";
/// How a key ends.
pub(crate) const ENDING: &str = ".parquet";
/// The format of the content.
const FORMAT: &str = "1";

/// What is known about a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its key.
    pub key: String,
    /// The partition whose commits it has.
    pub partition: PartitionId,
    /// The partitions that had to be read before that one.
    pub parents: Vec<PartitionId>,
    /// The position of its first commit.
    pub first: Position,
    /// The position of its last commit.
    pub last: Position,
    /// The position of the last commit of the file before it; none when it is the first of its partition.
    pub after: Option<Position>,
    /// Whether the feed had lost what came directly after `after` when the file was begun: what the archive misses there,
    /// only the ledger has.
    pub lost: bool,
    /// How many commits it has.
    pub commits: u64,
    /// How many events it has.
    pub events: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// What all keys of the archive begin with.
pub(crate) fn root(prefix: &str) -> String {
    match prefix {
        "" => format!("{LAYOUT}/"),
        prefix => format!("{prefix}/{LAYOUT}/"),
    }
}

/// The key of the file that begins with this commit. Two owners of a partition choose the same for the same commit: the
/// day is that of the commit, not that of a clock.
pub(crate) fn key(root: &str, partition: &PartitionId, first: &Position, at: Timestamp) -> String {
    format!("{root}dt={}/{}{first}{ENDING}", at.strftime("%Y-%m-%d"), beginning(partition))
}

/// How the names of the files of a partition begin.
pub(crate) fn beginning(partition: &PartitionId) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("{}-", partition.0.chars().map(plain).collect::<String>())
}

/// Whether a prefix leaves room for the rest of a key.
pub(crate) fn has_room(prefix: &str) -> bool {
    /// Layout, day, the longest ids of Kinesis that there are, ending.
    const REST: usize = 4 + 14 + 36 + 1 + 57 + 8;
    prefix.len() + REST <= KEY_BYTES
}

pub(crate) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _always_fits = write!(text, "{byte:02x}");
        text
    })
}

impl ArchiveFile {
    /// As it is said about the object.
    pub(crate) fn words(&self) -> Words {
        let parents: Vec<&str> = self.parents.iter().map(|parent| &*parent.0).collect();
        let mut words = Words::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("partition".to_owned(), self.partition.to_string()),
            ("first".to_owned(), self.first.to_string()),
            ("last".to_owned(), self.last.to_string()),
            ("commits".to_owned(), self.commits.to_string()),
            ("events".to_owned(), self.events.to_string()),
            ("sha256".to_owned(), self.sha256.clone()),
        ]);
        if let Some(after) = &self.after {
            words.insert("after".to_owned(), after.to_string());
        }
        if !parents.is_empty() {
            words.insert("parents".to_owned(), parents.join(","));
        }
        if self.lost {
            words.insert("lost".to_owned(), "true".to_owned());
        }
        words
    }

    /// Read from what is said about an object; the reason when that is not what is said about a file.
    pub(crate) fn read(key: &str, bytes: u64, words: &Words) -> Result<Self, String> {
        let word = |name: &str| {
            words.get(name).map(String::as_str).ok_or_else(|| format!("its metadata has no {name}"))
        };
        let number = |name: &str| {
            let text = word(name)?;
            text.parse::<u64>()
                .map_err(|_| format!("its metadata says {name} is {text:?}, which is no number"))
        };
        let position =
            |name: &str, text: &str| match text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
                true => Ok(Position(text.into())),
                false => Err(format!("its metadata says {name} is {text:?}, which is no position")),
            };
        let format = word("format")?;
        if format != FORMAT {
            return Err(format!("it has format {format}, and this program knows {FORMAT}: use a newer one"));
        }
        let parents = words.get("parents").map(String::as_str).unwrap_or_default();
        let parents = parents.split(',').filter(|parent| !parent.is_empty());
        let file = Self {
            key: key.to_owned(),
            partition: PartitionId(word("partition")?.into()),
            parents: parents.map(|parent| PartitionId(parent.into())).collect(),
            first: position("first", word("first")?)?,
            last: position("last", word("last")?)?,
            after: words.get("after").map(|after| position("after", after)).transpose()?,
            lost: words.get("lost").is_some_and(|lost| lost == "true"),
            commits: number("commits")?,
            events: number("events")?,
            bytes,
            sha256: word("sha256")?.to_owned(),
        };
        let in_order = file.first <= file.last && file.after.as_ref().is_none_or(|after| *after < file.first);
        match in_order {
            true => Ok(file),
            false => Err("the positions in its metadata are out of order".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ArchiveFile {
        ArchiveFile {
            key: "k".to_owned(),
            partition: PartitionId("p".into()),
            parents: vec![PartitionId("q".into()), PartitionId("r".into())],
            first: Position("9".into()),
            last: Position("10".into()),
            after: Some(Position("8".into())),
            lost: true,
            commits: 2,
            events: 3,
            bytes: 4,
            sha256: digest(b""),
        }
    }

    #[test]
    fn what_is_said_about_a_file_reads_back() {
        for file in [file(), ArchiveFile { after: None, lost: false, parents: Vec::new(), ..file() }] {
            assert_eq!(ArchiveFile::read("k", 4, &file.words()), Ok(file));
        }
    }

    #[test]
    fn what_is_said_about_another_object_is_refused_with_the_reason() {
        for (name, value, reason) in [
            ("first", "", "no position"),
            ("first", "11", "out of order"),
            ("after", "9", "out of order"),
            ("commits", "many", "no number"),
            ("format", "2", "use a newer one"),
        ] {
            let mut words = file().words();
            words.insert(name.to_owned(), value.to_owned());
            let refused = ArchiveFile::read("k", 4, &words).unwrap_err();
            assert!(refused.contains(reason), "{name}={value}: {refused}");
        }
        assert!(ArchiveFile::read("k", 4, &Words::new()).unwrap_err().contains("has no format"));
    }

    #[test]
    fn the_day_in_a_key_is_that_of_the_commit() {
        let at: Timestamp = "2026-08-30T23:59:59.999999Z".parse().unwrap();
        let partition = PartitionId("shardId-000000000000.1700000000123".into());
        let key = key(&root("bank"), &partition, &Position("4".repeat(56).into()), at);
        assert!(key.starts_with("bank/v1/dt=2026-08-30/shardId-000000000000.1700000000123-444"), "{key}");
        assert!(key.len() <= KEY_BYTES && has_room("bank") && !has_room(&"x".repeat(40)));
    }
}
