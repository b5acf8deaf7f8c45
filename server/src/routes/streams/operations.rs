//! The operations of this folder: what is routed and described.

use super::{CloudEvent, Envelope, diff, event, events, metadata, state};
use crate::ProblemKind;
use crate::openapi::{Form, Operation, Scope};

const NONE_MATCH: &[(&str, &str)] = &[("If-None-Match", "The version the client has, as \"42\"")];
const FOLLOWS: &[(&str, &str)] =
    &[("Last-Event-ID", "The id of the last event that was received, to go on behind it")];
const VERSIONED: &[(&str, &str)] =
    &[("ETag", "The version"), ("Stream-Version", "The same, for proxies that drop ETags")];

pub(in crate::routes) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/streams/{category}/{id}", metadata::get)
            .named("stream", "What is known of a stream")
            .scope(Scope::Query)
            .headers(NONE_MATCH)
            .answer::<metadata::Metadata>(200, "The stream")
            .empty(304, "The client has this version")
            .answer_headers(VERSIONED)
            .problems(&[ProblemKind::NotFound]),
        Operation::head("/v1/streams/{category}/{id}")
            .named("streamHead", "The version of a stream, in headers")
            .scope(Scope::Query)
            .headers(NONE_MATCH)
            .empty(200, "The stream exists")
            .empty(304, "The client has this version")
            .answer_headers(VERSIONED)
            .problems(&[ProblemKind::NotFound]),
        Operation::get("/v1/streams/{category}/{id}/state", state::get)
            .named("state", "The state, strongly consistent, at its head or at an earlier moment")
            .scope(Scope::Query)
            .query::<state::Wanted>()
            .headers(NONE_MATCH)
            .answer::<state::Folded>(200, "The state")
            .empty(304, "The client has this version")
            .answer_headers(VERSIONED)
            .problems(&[ProblemKind::NotFound, ProblemKind::Unreadable]),
        Operation::get("/v1/streams/{category}/{id}/events", events::get)
            .named("events", "A page of events; with another Accept, all events and those to come")
            .scope(Scope::Query)
            .query::<events::Wanted>()
            .headers(FOLLOWS)
            .answer::<events::Events>(200, "A page, or events as they come")
            .formed::<CloudEvent>(200, "", Form::Sse)
            .formed::<CloudEvent>(200, "", Form::Ndjson)
            .problems(&[ProblemKind::NotFound, ProblemKind::NotAcceptable, ProblemKind::Unreadable]),
        Operation::get("/v1/streams/{category}/{id}/events/{version}", event::get)
            .named("event", "One event, which never changes")
            .scope(Scope::Query)
            .answer::<Envelope>(200, "The event")
            .answer_headers(&[("Cache-Control", "It may be kept for good"), ("ETag", "The id of the event")])
            .problems(&[ProblemKind::NotFound, ProblemKind::Unreadable]),
        Operation::get("/v1/streams/{category}/{id}/diff", diff::get)
            .named(
                "diff",
                "What changed between two versions: a JSON Patch (RFC 6902), and the events between",
            )
            .scope(Scope::Query)
            .query::<diff::Wanted>()
            .answer::<diff::Diff>(200, "The changes")
            .problems(&[ProblemKind::NotFound, ProblemKind::Unreadable]),
    ]
}
