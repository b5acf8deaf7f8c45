//! What a request is about, and where the files keep it.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// How the names of the files begin and end that stand beside an object, in the folder of all buckets.
const BUCKET: &str = ".bucket-";
const OBJECT: &str = ".object-";
/// What is put into the name while an object is uploaded in parts: `.upload-` and a UUID.
const UPLOAD: usize = 44;
const METADATA: &str = ".metadata.json";
/// Checksums and the `ETag`, written last.
const INFO: &str = ".internal.json";

/// An object, or a bucket if the key is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Name {
    /// The bucket.
    pub(crate) bucket: String,
    /// The key.
    pub(crate) key: String,
}

impl Name {
    /// From the path of a request in path style.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let decoded = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
        let (bucket, key) = decoded.split_once('/').unwrap_or((&decoded, ""));
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The bucket's folder.
    pub(crate) fn folder(&self, root: &Path) -> PathBuf {
        root.join(&self.bucket)
    }

    /// The object itself.
    pub(crate) fn object(&self, root: &Path) -> PathBuf {
        self.folder(root).join(&self.key)
    }

    /// The object, and the files beside it.
    pub(crate) fn files(&self, root: &Path) -> [PathBuf; 3] {
        let encode = |text| URL_SAFE_NO_PAD.encode(text);
        let begin = format!("{BUCKET}{}{OBJECT}{}", encode(&self.bucket), encode(&self.key));
        [self.object(root), root.join(format!("{begin}{METADATA}")), root.join(format!("{begin}{INFO}"))]
    }

    /// How many bytes the longest name of its files and folders has; an upload in parts needs a longer one.
    pub(crate) fn longest_file_name(&self, in_parts: bool) -> usize {
        let parts = self.key.split('/').map(str::len);
        let [_, metadata, info] = self.files(Path::new(""));
        let beside = [metadata, info].map(|path| path.as_os_str().len());
        let longest = parts.chain(beside).max().unwrap_or_default();
        if in_parts { longest + UPLOAD } else { longest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_request_names_a_bucket_and_a_key() {
        for (path, expected) in [
            ("/", None),
            ("/archive", Some(("archive", ""))),
            ("/archive/", Some(("archive", ""))),
            ("/archive/a/b%20c", Some(("archive", "a/b c"))),
        ] {
            let name = Name::from_path(path);
            let name = name.as_ref().map(|name| (name.bucket.as_str(), name.key.as_str()));
            assert_eq!(name, expected, "{path}");
        }
    }

    #[test]
    fn the_files_of_an_object_are_where_s3s_puts_them() {
        let name = Name { bucket: "archive".to_owned(), key: "a/b".to_owned() };
        let files = name.files(Path::new("root")).map(|file| file.to_string_lossy().into_owned());
        assert_eq!(
            files,
            [
                "root/archive/a/b",
                "root/.bucket-YXJjaGl2ZQ.object-YS9i.metadata.json",
                "root/.bucket-YXJjaGl2ZQ.object-YS9i.internal.json"
            ]
        );
    }
}
