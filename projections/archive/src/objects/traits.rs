//! The trait of object stores: list, look, get, and put if absent.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use super::ObjectError;

/// What is said about an object beside its content: names in lower case, values in printable ASCII.
pub type Words = BTreeMap<String, String>;

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A page of a listing.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The objects, by key.
    pub objects: Vec<Listed>,
    /// Whether more follow.
    pub more: bool,
}

/// An object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its content.
    pub body: Bytes,
    /// What is said about it.
    pub words: Words,
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Put {
    /// It is there.
    Done,
    /// There is an object of this key already: another owner's, or that of an own earlier try.
    Taken,
}

/// A store of objects.
#[async_trait]
pub trait Objects: Send + Sync + fmt::Debug {
    /// The objects whose keys start with `prefix` and come after `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    async fn list(&self, prefix: &str, after: Option<&str>) -> Result<Listing, ObjectError>;

    /// What is said about an object, and its length.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] when there is none.
    async fn look(&self, key: &str) -> Result<(Words, u64), ObjectError>;

    /// An object.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] when there is none.
    async fn get(&self, key: &str) -> Result<Object, ObjectError>;

    /// Puts an object, whole, unless one of this key is there.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]; the object may be there nevertheless. Trying again is safe.
    ///
    /// # Cancel safety
    /// When the future is dropped the object may or may not be there, whole in any case.
    async fn put_new(&self, key: &str, body: Bytes, words: &Words) -> Result<Put, ObjectError>;
}
