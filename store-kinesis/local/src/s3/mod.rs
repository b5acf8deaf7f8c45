//! S3 of the local mode: s3s with files, and around it what the files alone do not do.
//!
//! The files check `If-None-Match` and rename afterwards, and read an object and its checksum one after the other: one
//! lock per key makes conditional puts atomic and reads whole. They change an object in three steps and flush nothing
//! ([`undo`]), know no conditions of reads ([`conditions`]), and make absent buckets on the way ([`refusals`]).

mod answers;
mod conditions;
mod names;
mod refusals;
mod service;
mod undo;

pub(crate) use service::start;
