//! The operations of this folder: what is routed and described.

use super::{catalogue, list, row};
use crate::ProblemKind;
use crate::openapi::{Operation, Scope};

const FRESH: &[(&str, &str)] = &[
    ("Consistency-Token", "What must be applied before the answer is made, from the answers of commands"),
    ("Prefer", "wait=5: wait so many seconds for it; handling=lenient: an older answer will do"),
];
const FRESH_OR_NEW: &[(&str, &str)] = &[
    ("Consistency-Token", "What must be applied before the answer is made, from the answers of commands"),
    ("Prefer", "wait=5: wait so many seconds for it; handling=lenient: an older answer will do"),
    ("If-None-Match", "The ETag of the row the client has"),
];
const STALE: (&str, &str) = ("Read-Model-Freshness", "stale when the answer is older than asked for");
const BEHIND: &[ProblemKind] = &[
    ProblemKind::InvalidToken,
    ProblemKind::NotFound,
    ProblemKind::ProjectionBehind,
    ProblemKind::ProjectionPaused,
    ProblemKind::RebuildNeeded,
    ProblemKind::StreamParked,
    ProblemKind::Unreadable,
];
const BEHIND_OR_CURSOR: &[ProblemKind] = &[
    ProblemKind::InvalidToken,
    ProblemKind::InvalidCursor,
    ProblemKind::NotFound,
    ProblemKind::ProjectionBehind,
    ProblemKind::ProjectionPaused,
    ProblemKind::RebuildNeeded,
    ProblemKind::StreamParked,
    ProblemKind::Unreadable,
];

pub(in crate::routes) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/read-models", catalogue::get)
            .named("readModels", "The read models there are")
            .scope(Scope::Query)
            .answer::<catalogue::Catalogue>(200, "The read models"),
        Operation::get("/v1/read-models/{name}", list::get)
            .named("rows", "A page of rows: by key, or by a declared index with a range")
            .scope(Scope::Query)
            .query::<list::Wanted>()
            .headers(FRESH)
            .answer::<list::Rows>(200, "A page")
            .answer_headers(&[STALE])
            .problems(BEHIND_OR_CURSOR),
        Operation::get("/v1/read-models/{name}/{key}", row::get)
            .named("row", "One row")
            .scope(Scope::Query)
            .headers(FRESH_OR_NEW)
            .answer::<row::Row>(200, "The row")
            .empty(304, "The client has this row")
            .answer_headers(&[STALE, ("ETag", "Generation and version of the row")])
            .problems(BEHIND),
    ]
}
