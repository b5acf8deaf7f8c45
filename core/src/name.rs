//! Names of streams: `category/id`, validated once, cheap to clone.
//!
//! Not here: typed ids of an aggregate, see [`Id`](crate::Id).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Longest stream name in bytes, `category/id` together. A Kinesis partition key holds 256 characters.
pub const MAX_STREAM_NAME_BYTES: usize = 256;

/// Longest category in bytes.
pub const MAX_CATEGORY_BYTES: usize = 64;

/// The name of one stream: the category it belongs to and the id within it.
///
/// A category is lower-case ASCII letters, digits and hyphens and starts with a letter. An id is any text without
/// control characters, slashes or white space at its ends, and is not `.` or `..`, so that it survives a URL path.
///
/// ```
/// use headwater::StreamName;
/// let name = StreamName::parse("account/2378")?;
/// assert_eq!((name.category(), name.id()), ("account", "2378"));
/// assert!(StreamName::parse("Account/2378").is_err());
/// # Ok::<(), headwater::NameError>(())
/// ```
#[derive(Clone)]
pub struct StreamName {
    text: Arc<str>,
    slash: u8,
}

/// Why a stream name was refused. Nothing was read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no slash between category and id.
    #[error("stream name {name:?} has no slash: write category/id, for example account/2378")]
    NoSlash {
        /// What was given.
        name: String,
    },
    /// The category is empty, too long or has a character that is not allowed.
    #[error(
        "category {category:?} is not valid: use 1 to {MAX_CATEGORY_BYTES} lower-case letters, digits and hyphens, \
         starting with a letter"
    )]
    Category {
        /// What was given.
        category: String,
    },
    /// The id is empty or has a character that is not allowed.
    #[error("id {id:?} is not valid: {reason}")]
    Id {
        /// What was given.
        id: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// Category and id together are too long.
    #[error("stream name is {bytes} bytes long: {MAX_STREAM_NAME_BYTES} bytes are the limit; shorten the id")]
    TooLong {
        /// Length of `category/id` in bytes.
        bytes: usize,
    },
}

impl StreamName {
    /// Joins a category and an id.
    ///
    /// # Errors
    /// [`NameError`] when either breaks its rules; the message says which.
    pub fn new(category: &str, id: &str) -> Result<Self, NameError> {
        check_category(category)?;
        check_id(id)?;
        let bytes = category.len() + 1 + id.len();
        if bytes > MAX_STREAM_NAME_BYTES {
            return Err(NameError::TooLong { bytes });
        }
        let mut text = String::with_capacity(bytes);
        text.push_str(category);
        text.push('/');
        text.push_str(id);
        let slash = u8::try_from(category.len()).expect("a category has at most 64 bytes");
        Ok(Self { text: text.into(), slash })
    }

    /// Reads `category/id`.
    ///
    /// # Errors
    /// [`NameError`] when the text has no slash or a part breaks its rules.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let (category, id) =
            name.split_once('/').ok_or_else(|| NameError::NoSlash { name: abridged(name) })?;
        Self::new(category, id)
    }

    /// The part before the slash.
    #[must_use]
    pub fn category(&self) -> &str {
        self.text.get(..usize::from(self.slash)).unwrap_or_default()
    }

    /// The part after the slash.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.get(usize::from(self.slash) + 1..).unwrap_or_default()
    }

    /// The whole name, `category/id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Checks a category by the rules of [`StreamName`].
///
/// # Errors
/// [`NameError::Category`] when it breaks them.
pub fn check_category(category: &str) -> Result<(), NameError> {
    let letters = category.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let starts = category.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if letters && starts && category.len() <= MAX_CATEGORY_BYTES {
        return Ok(());
    }
    Err(NameError::Category { category: abridged(category) })
}

fn check_id(id: &str) -> Result<(), NameError> {
    let reason = if id.is_empty() {
        "it is empty; give at least one character"
    } else if id == "." || id == ".." {
        "a dot segment would be lost in a URL path; choose another id"
    } else if id.contains('/') || id.contains('\\') {
        "slashes are not allowed; use another separator, such as a hyphen"
    } else if id.chars().any(char::is_control) {
        "control characters are not allowed"
    } else if id.trim() != id {
        "white space at its start or end is not allowed"
    } else {
        return Ok(());
    };
    Err(NameError::Id { id: abridged(id), reason })
}

/// At most 80 characters of what somebody sent, for an error message.
fn abridged(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl PartialEq for StreamName {
    fn eq(&self, other: &Self) -> bool {
        // Most that are the same are clones of one, and need not be read.
        Arc::ptr_eq(&self.text, &other.text) || self.text == other.text
    }
}
impl Eq for StreamName {}
impl Hash for StreamName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
impl PartialOrd for StreamName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for StreamName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamName({})", self.text)
    }
}
impl std::str::FromStr for StreamName {
    type Err = NameError;
    fn from_str(s: &str) -> Result<Self, NameError> {
        Self::parse(s)
    }
}
impl serde::Serialize for StreamName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de> serde::Deserialize<'de> for StreamName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
