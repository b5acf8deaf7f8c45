//! Requests that the files would misunderstand: to absent buckets, which they make on the way, and with keys that are no
//! paths. What S3 refuses is refused in its words; what S3 can do and files cannot is refused clearly.

use std::path::Path;

use hyper::{Method, StatusCode};

use super::{
    answers::{Answer, empty, refusal},
    names::Name,
};

/// How many bytes the name of a file may have, on all usual file systems.
const MAX_FILE_NAME: usize = 255;

/// Why a request cannot go on, if its bucket or its key is the reason.
pub(crate) fn refuse(root: &Path, method: &Method, query: Option<&str>, name: &Name) -> Option<Answer> {
    let there = name.folder(root).is_dir();
    if name.key.is_empty() {
        let creates = *method == Method::PUT && query.is_none_or(is_no_subresource);
        return (creates && there).then(|| {
            refusal(
                StatusCode::CONFLICT,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        });
    }
    if !there {
        return Some(not_found(method, "NoSuchBucket", "The specified bucket does not exist"));
    }
    if matches!(*method, Method::GET | Method::HEAD) && name.object(root).is_dir() {
        return Some(not_found(method, "NoSuchKey", "The specified key does not exist."));
    }
    let (code, message) = unusable(root, query, name)?;
    Some(refusal(StatusCode::BAD_REQUEST, code, &format!("{message} (S3 of AWS takes it.)")))
}

/// Whether a query only names the operation, as some clients do.
fn is_no_subresource(query: &str) -> bool {
    query.is_empty() || query.starts_with("x-id=")
}

fn not_found(method: &Method, code: &str, message: &str) -> Answer {
    let status = StatusCode::NOT_FOUND;
    if *method == Method::HEAD { empty(status) } else { refusal(status, code, message) }
}

/// Why no file can have this key: a code of S3, and a sentence.
fn unusable(root: &Path, query: Option<&str>, name: &Name) -> Option<(&'static str, String)> {
    let argument = |message: &str| Some(("InvalidArgument", message.to_owned()));
    if name.key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return argument(
            "The local S3 keeps keys as paths: no part between slashes may be empty, '.' or '..'.",
        );
    }
    let in_parts = query.is_some_and(|query| query.starts_with("uploads"));
    let longest = name.longest_file_name(in_parts);
    if longest > MAX_FILE_NAME {
        let message = format!(
            "The local S3 would need a file name of {longest} bytes, and {MAX_FILE_NAME} are possible: shorten the key \
             or the name of the bucket."
        );
        return Some(("KeyTooLongError", message));
    }
    let (object, bucket) = (name.object(root), name.folder(root));
    let mut above = object.ancestors().skip(1).take_while(|folder| *folder != bucket);
    if object.is_dir() || above.any(Path::is_file) {
        return argument(
            "The local S3 keeps keys as paths: a key cannot also be the beginning of another one.",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &[(Method, &str, Option<&str>, Option<u16>)]) {
        let root = std::env::temp_dir().join(format!("headwater-local-refusals-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(root.join("there/tree")).unwrap();
        std::fs::write(root.join("there/tree/leaf"), "x").unwrap();
        for (method, path, query, expected) in expected {
            let name = Name::from_path(path).unwrap();
            let refused = refuse(&root, method, *query, &name).map(|answer| answer.status().as_u16());
            assert_eq!(refused, *expected, "{method} {path} {query:?}");
        }
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_bucket_is_neither_made_twice_nor_on_the_way() {
        check(&[
            (Method::GET, "/there/key", None, None),
            (Method::PUT, "/there/key", None, None),
            (Method::PUT, "/absent/key", None, Some(404)),
            (Method::GET, "/absent/key", None, Some(404)),
            (Method::PUT, "/absent", None, None),
            (Method::PUT, "/there", None, Some(409)),
            (Method::PUT, "/there/", Some("x-id=CreateBucket"), Some(409)),
            (Method::PUT, "/there", Some("versioning"), None),
            (Method::GET, "/there", Some("list-type=2"), None),
        ]);
    }

    #[test]
    fn a_key_that_is_no_path_is_refused() {
        check(&[
            (Method::PUT, "/there/a//b", None, Some(400)),
            (Method::PUT, "/there/a/../b", None, Some(400)),
            (Method::PUT, "/there/folder/", None, Some(400)),
            (Method::PUT, "/there/a.b/..c", None, None),
            (Method::PUT, "/there/tree", None, Some(400)),
            (Method::GET, "/there/tree", None, Some(404)),
            (Method::PUT, "/there/tree/leaf", None, None),
            (Method::GET, "/there/tree/leaf", None, None),
            (Method::PUT, "/there/tree/leaf/more", None, Some(400)),
        ]);
    }

    #[test]
    fn a_key_that_is_too_long_for_a_file_name_is_refused() {
        let fits = format!("/there/{}", "k".repeat(160));
        let too_long = format!("/there/{}", "k".repeat(164));
        check(&[
            (Method::PUT, &fits, None, None),
            (Method::POST, &fits, Some("uploads"), Some(400)),
            (Method::PUT, &too_long, None, Some(400)),
        ]);
    }
}
