//! The catalogue of problems: the one place where slug, status, exit code, cause and fix are written.

use axum::http::StatusCode;

use crate::exit::Exit;

/// Makes the enum and everything that is known about its variants from one list.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:ident, $retry:ident, $exit:ident, $title:literal,
       cause: $cause:literal, fix: $fix:literal;)*) => {
        /// The kinds of problems. Their slugs, statuses and exit codes are part of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemKind {
            $($(#[$doc])* $kind,)*
        }

        impl ProblemKind {
            /// Every kind, by status.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind that has this slug.
            pub(crate) fn of_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
            }

            /// The last part of the address of its page, which is its `type`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// Where it comes from.
            #[must_use]
            pub fn cause(self) -> &'static str {
                match self { $(Self::$kind => $cause,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn fix(self) -> &'static str {
                match self { $(Self::$kind => $fix,)* }
            }

            /// Whether the same request may succeed later.
            #[must_use]
            pub fn retry_helps(self) -> bool {
                match self { $(Self::$kind => retry!($retry),)* }
            }

            pub(crate) fn exit(self) -> Exit {
                match self { $(Self::$kind => Exit::$exit,)* }
            }
        }
    };
}

macro_rules! retry {
    (again) => {
        true
    };
    (never) => {
        false
    };
}

catalogue! {
    /// A header, parameter, name or JSON document is not valid.
    InvalidRequest = "invalid-request", BAD_REQUEST, never, Usage, "The request is not valid",
        cause: "A header, a parameter, a name or the JSON of the body breaks a rule. `detail` names it, and `field` the \
                field of a body. Nothing was changed.",
        fix: "Correct what `detail` names.";
    /// A cursor is not one that this server made for this question.
    InvalidCursor = "invalid-cursor", BAD_REQUEST, never, Usage, "The cursor is not valid",
        cause: "The cursor was cut or changed on the way, or belongs to another question.",
        fix: "Hand cursors back as they came, with the question they came from, or begin again without one.";
    /// A consistency token is not one that a command answered with.
    InvalidToken = "invalid-token", BAD_REQUEST, never, Usage, "The consistency token is not valid",
        cause: "The header `Consistency-Token` was cut or changed on the way.",
        fix: "Hand tokens back as commands gave them, several separated by commas.";
    /// Nobody knows who is asking.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, never, Config, "The request does not say who asks",
        cause: "The server asks for a key or a token, and the request has none or one that is not valid.",
        fix: "Send `Authorization: Bearer …` with an API key or a token that has not expired.";
    /// Whoever asks may not.
    Forbidden = "forbidden", FORBIDDEN, never, Config, "Whoever asks may not do this",
        cause: "The key or token does not have the scope that `scope` names.",
        fix: "Use one that has it, or have it granted.";
    /// There is nothing under this address.
    NotFound = "not-found", NOT_FOUND, never, NotFound, "There is nothing here",
        cause: "The address, the category, the stream, the version, the read model, the row or the command does not \
                exist. `detail` says which, and what there is.",
        fix: "Correct the address. A row may also not be there yet: wait for it with `Consistency-Token`.";
    /// The address does not take this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, never, Usage, "This address does not take this method",
        cause: "The address exists, for other methods.",
        fix: "Use a method of the header `Allow`.";
    /// What the client accepts is not to be had here.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, never, Usage, "The answer is not to be had in this form",
        cause: "The header `Accept` asks for a type that this address does not answer with.",
        fix: "Accept one of the types that `detail` names, or leave the header out.";
    /// The request did not come to its end in time.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, again, TimedOut, "The request did not arrive in time",
        cause: "Head or body of the request came too slowly. Nothing was changed.",
        fix: "Send it again, in one go.";
    /// The stream has changed under a command that expected nothing, again and again.
    ConcurrentModification = "concurrent-modification", CONFLICT, again, Conflict,
        "Others changed the stream again and again",
        cause: "The command did not say which version it expects, and others were faster each time it was decided.",
        fix: "Send it again. A stream that many write to all the time may want to be several streams.";
    /// A projection has not applied what was waited for.
    ProjectionBehind = "projection-behind", CONFLICT, again, TimedOut, "The read model is not that far yet",
        cause: "The versions in `Consistency-Token` were not applied within the time of `Prefer: wait=…`.",
        fix: "Ask again after `Retry-After`, wait longer (30 s at most), or take an older row with \
              `Prefer: handling=lenient`.";
    /// A projection is paused, so that waiting for it is in vain.
    ProjectionPaused = "projection-paused", CONFLICT, never, Conflict, "The read model is paused",
        cause: "Somebody paused the projection, and it has not applied the versions in `Consistency-Token`.",
        fix: "Resume it, or take an older row with `Prefer: handling=lenient`.";
    /// Code of another version made the rows, so that waiting is in vain.
    RebuildNeeded = "rebuild-needed", CONFLICT, never, Conflict, "The read model must be rebuilt",
        cause: "The rows that answer were made by another version of the projection's code, so this version does not \
                apply events to them.",
        fix: "Rebuild it with `backfill`, or take an older row with `Prefer: handling=lenient`.";
    /// The stream that is waited for is parked.
    StreamParked = "stream-parked", CONFLICT, never, Conflict, "The stream is parked for this read model",
        cause: "The projection cannot apply an event of the stream, so waiting for its later versions is in vain.",
        fix: "See `/v1/admin/parked` for the event and the error; correct the code, or discard the event. \
              `Prefer: handling=lenient` gives the row as it is.";
    /// What was counted is not what there is any more.
    CountChanged = "count-changed", CONFLICT, never, Conflict, "The number has changed since it was counted",
        cause: "`confirm_count` differs from the number of streams that the filter matches now. Nothing was changed.",
        fix: "Look at what the filter matches now, and confirm `count`.";
    /// The generations of a read model do not allow what was ordered.
    NotSwitched = "not-switched", CONFLICT, never, Conflict, "The live generation was not changed",
        cause: "The generation is not filled yet, is behind the live one, or there is none before it. Nothing was changed.",
        fix: "`projections generations` shows what there is. Resume the backfill, wait until the generation is level, or \
              force it and let queries see older rows.";
    /// An operation that has ended was to be cancelled.
    OperationEnded = "operation-ended", CONFLICT, never, Conflict, "The operation has ended",
        cause: "It is done, has failed, or was stopped before; `state` says which. Nothing was changed.",
        fix: "Look at the operation: `go_on` says what goes on with what was done. A switch that was made is undone by \
              `projections rollback`.";
    /// The position of a cursor is not in the feed any more.
    CursorExpired = "cursor-expired", GONE, never, NotFound, "The feed does not have the cursor's place any more",
        cause: "The records behind the cursor are older than the retention of the feed, or the feed was made anew.",
        fix: "Begin again without a cursor or with `since`, and read what was missed from the streams or the archive.";
    /// The stream is not as the client expected.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, never, Conflict, "The stream is not as expected",
        cause: "`If-Match` or `If-None-Match` does not hold. `current_version` is the version the stream has, and \
                `events_since` what happened since the expected one.",
        fix: "Read the stream again, decide anew, and send the command with the new version.";
    /// The request or the commit is too large.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, never, Usage, "The request is too large",
        cause: "The body, or the commit that the command would make, is over the limit that `detail` names.",
        fix: "Send less at once, or keep large content elsewhere and refer to it.";
    /// The body is not of a type that is taken here.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, never, Usage, "The body must be JSON",
        cause: "The header `Content-Type` names another type.",
        fix: "Send JSON, as `application/json`.";
    /// The rules do not allow the command.
    CommandRejected = "command-rejected", UNPROCESSABLE_ENTITY, never, Failed, "The rules do not allow the command",
        cause: "The aggregate refused. `code` and `refusal` are the refusal of the application, and `current_version` the \
                version it was decided on.",
        fix: "Ask for something that the rules allow in this state.";
    /// The key was used for another command.
    IdempotencyKeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, never, Conflict,
        "The key was used for another command",
        cause: "A command with this `Idempotency-Key` and another content was carried out on the stream, at \
                `first_version`.",
        fix: "Use a new key for a new command.";
    /// The command must say which version it expects.
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED, never, Usage,
        "The command must say which version it expects",
        cause: "The application marks the command as one that is decided by looking at a state.",
        fix: "Send `If-Match: \"…\"` with the version the decision is based on, or `If-None-Match: *` for a new stream.";
    /// Code of the server or of the application panicked.
    Internal = "internal", INTERNAL_SERVER_ERROR, never, Failed, "The server made a mistake",
        cause: "Code panicked while the request was carried out. What was appended before stays, whole; a command that \
                panics while it is decided changes nothing.",
        fix: "Report it with the request id; the server's log has the rest.";
    /// Something stored cannot be read.
    Unreadable = "unreadable", INTERNAL_SERVER_ERROR, never, Failed, "Something cannot be read or written as it should",
        cause: "An event or a row cannot be decoded by this version of the application, or an answer cannot be written.",
        fix: "Add the upcast that is missing, or undo the change of the type. The server's log names the place.";
    /// The server takes no more for now.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, again, Unreachable, "The server takes no more for now",
        cause: "A queue is full, or the store throttles. Nothing was changed.",
        fix: "Send it again after `Retry-After`, more slowly.";
    /// The server is about to end.
    Draining = "draining", SERVICE_UNAVAILABLE, again, Unreachable, "The server is about to stop",
        cause: "The server finishes what is under way and takes nothing new.",
        fix: "Send it again, to another instance.";
    /// The store cannot be reached.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, again, Unreachable, "The store cannot be reached",
        cause: "The store or the feed does not answer. Nothing was changed.",
        fix: "Send it again later.";
    /// The answer took too long, and nothing can have been changed.
    DeadlineExceeded = "deadline-exceeded", GATEWAY_TIMEOUT, again, TimedOut, "The answer took too long",
        cause: "The server could not answer within its limit. Nothing was changed.",
        fix: "Send it again, or ask for less at once.";
    /// The command may have been carried out.
    OutcomeUnknown = "outcome-unknown", GATEWAY_TIMEOUT, again, TimedOut, "The command may have been carried out",
        cause: "The answer of the store was lost, or took longer than the server waits.",
        fix: "Send it again with the same `Idempotency-Key`: it is then carried out once. Without a key, read the \
              stream first.";
}

impl ProblemKind {
    /// The kind with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}
