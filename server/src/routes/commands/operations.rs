//! The operations of this folder: what is routed and described.

use super::{answer, batch, one, run};
use crate::ProblemKind;
use crate::openapi::{Form, Operation, Scope};

/// Headers that say what a command expects and belongs to.
const TAKES: &[(&str, &str)] = &[
    ("If-Match", "The version the stream must have, as \"42\", or * for any stream that exists"),
    ("If-None-Match", "* for a stream that must be new"),
    ("Idempotency-Key", "The client's name for the command: the same key twice is carried out once"),
    ("Prefer", "wait=5, applied=\"read-model\": answer when the read model has applied the events"),
    ("Correlation-Id", "The conversation it belongs to"),
    ("Causation-Id", "What caused it"),
    ("traceparent", "W3C trace context"),
];

/// Headers of the answer to a command.
const GIVES: &[(&str, &str)] = &[
    ("ETag", "The version of the stream after the command"),
    ("Stream-Version", "The same, for proxies that drop ETags"),
    ("Consistency-Token", "For queries that must see what the command wrote"),
    ("Idempotent-Replayed", "true when an earlier command under the same key did it"),
];

/// Problems that a command can end in.
const ENDS: &[ProblemKind] = &[
    ProblemKind::NotFound,
    ProblemKind::ConcurrentModification,
    ProblemKind::PreconditionFailed,
    ProblemKind::PreconditionRequired,
    ProblemKind::TooLarge,
    ProblemKind::UnsupportedMediaType,
    ProblemKind::CommandRejected,
    ProblemKind::IdempotencyKeyReused,
    ProblemKind::Unreadable,
    ProblemKind::OutcomeUnknown,
];

pub(in crate::routes) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("/v1/streams/{category}/{id}/commands/{name}", one::post)
            .named("command", "Carry out a command")
            .scope(Scope::Command)
            .query::<run::How>()
            .headers(TAKES)
            .answer::<answer::Done>(200, "It was carried out, or would be; perhaps without effect")
            .answer::<answer::Done>(201, "It was carried out and made the stream")
            .answer_headers(GIVES)
            .problems(ENDS),
        Operation::post("/v1/commands", batch::post)
            .named("commands", "Carry out up to 100 commands, each on its own, those of one stream in order")
            .scope(Scope::Command)
            .query::<run::How>()
            .body::<batch::Item>(Form::Ndjson)
            .answer::<batch::Results>(200, "A status for each command, in the order they came")
            .formed::<batch::Outcome>(200, "A status for each command, a line each", Form::Ndjson)
            .problems(&[
                ProblemKind::TooLarge,
                ProblemKind::UnsupportedMediaType,
                ProblemKind::NotAcceptable,
            ]),
    ]
}
