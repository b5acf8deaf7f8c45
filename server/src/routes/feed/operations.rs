//! The operations of this folder: what is routed and described.

use super::{CloudEvent, page, wanted};
use crate::ProblemKind;
use crate::openapi::{Form, Operation, Scope};

pub(in crate::routes) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/events", wanted::get)
            .named(
                "feed",
                "The events of all streams: a page, or with another Accept all events and those to come",
            )
            .scope(Scope::Query)
            .query::<wanted::Wanted>()
            .headers(&[("Last-Event-ID", "The id of the last event that was received, to go on behind it")])
            .answer::<page::Page>(200, "A page, or events as they come")
            .formed::<CloudEvent>(200, "", Form::Sse)
            .formed::<CloudEvent>(200, "", Form::Ndjson)
            .problems(&[
                ProblemKind::InvalidCursor,
                ProblemKind::NotFound,
                ProblemKind::NotAcceptable,
                ProblemKind::CursorExpired,
                ProblemKind::Unreadable,
            ]),
    ]
}
