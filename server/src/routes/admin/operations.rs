//! The operations of this folder: what is routed and described.

use super::{describe, parked, partitions, projections, rebuilds, switch, work};
use crate::ProblemKind;
use crate::openapi::{Form, Operation, Scope};

pub(in crate::routes) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/v1/admin/projections", projections::list)
            .named("projections", "How each projection is doing, seen from this process")
            .scope(Scope::AdminRead)
            .answer::<projections::List>(200, "The projections"),
        Operation::get("/v1/admin/projections/{projection}", projections::one)
            .named("projection", "How a projection is doing, seen from this process")
            .scope(Scope::AdminRead)
            .answer::<headwater_projections::ProjectionStatus>(200, "The projection")
            .problems(&[ProblemKind::NotFound]),
        Operation::post("/v1/admin/projections/{projection}/pause", projections::pause)
            .named("pause", "Stop applying events to a projection in this process; the others go on")
            .scope(Scope::Admin)
            .body::<projections::Reason>(Form::Json)
            .answer::<headwater_projections::ProjectionStatus>(200, "It is paused")
            .problems(&[ProblemKind::NotFound, ProblemKind::TooLarge, ProblemKind::UnsupportedMediaType]),
        Operation::post("/v1/admin/projections/{projection}/resume", projections::resume)
            .named("resume", "Go on with a projection that was paused, from where it was")
            .scope(Scope::Admin)
            .body::<projections::Reason>(Form::Json)
            .answer::<headwater_projections::ProjectionStatus>(200, "It goes on")
            .problems(&[ProblemKind::NotFound, ProblemKind::TooLarge, ProblemKind::UnsupportedMediaType]),
        Operation::post("/v1/admin/projections/{projection}/promote", switch::promote)
            .named("promote", "Make another generation of a read model live, by one conditional write")
            .scope(Scope::Admin)
            .body::<switch::Promote>(Form::Json)
            .answer::<switch::Switched>(200, "It is live")
            .problems(SWITCH),
        Operation::post("/v1/admin/projections/{projection}/rollback", switch::rollback)
            .named("rollback", "Go back to the generation before the live one")
            .scope(Scope::Admin)
            .body::<switch::Rollback>(Form::Json)
            .answer::<switch::Switched>(200, "The one before is live")
            .problems(SWITCH),
        Operation::post("/v1/admin/projections/{projection}/rebuilds", rebuilds::rebuild)
            .named("rebuild", "Build a read model anew beside the live one, and switch to it")
            .scope(Scope::Admin)
            .body::<rebuilds::Rebuild>(Form::Json)
            .answer::<rebuilds::Shown>(202, "It is asked for")
            .answer::<rebuilds::Shown>(200, "One is queued or under way: this one")
            .answer_headers(&[("Location", "The address of the operation")])
            .problems(ASK),
        Operation::get("/v1/admin/operations", rebuilds::list)
            .named(
                "operations",
                "Rebuilds that are queued or under way anywhere, and the last ones that ended",
            )
            .scope(Scope::AdminRead)
            .answer::<rebuilds::List>(200, "The operations, the newest of each projection first"),
        Operation::get("/v1/admin/operations/{id}", rebuilds::one)
            .named("operation", "How far a rebuild is")
            .scope(Scope::AdminRead)
            .answer::<rebuilds::Shown>(200, "The operation")
            .problems(&[ProblemKind::NotFound]),
        Operation::post("/v1/admin/operations/{id}/cancel", rebuilds::cancel)
            .named("cancelOperation", "Stop a rebuild in good order; what is done stays done")
            .scope(Scope::Admin)
            .body::<projections::Reason>(Form::Json)
            .answer::<rebuilds::Shown>(200, "It is cancelled, or will be within a moment")
            .problems(CANCEL),
        Operation::get("/v1/admin/parked", parked::list)
            .named("parked", "Streams that a projection cannot apply for now, by name")
            .scope(Scope::AdminRead)
            .query::<parked::Wanted>()
            .answer::<parked::List>(200, "A page")
            .problems(&[ProblemKind::NotFound]),
        Operation::get("/v1/admin/parked/groups", parked::groups)
            .named("parkedGroups", "Parked streams by their error")
            .scope(Scope::AdminRead)
            .query::<parked::Which>()
            .answer::<parked::Groups>(200, "The groups, those with the most streams first")
            .problems(&[ProblemKind::NotFound]),
        Operation::post("/v1/admin/parked/retry", work::retry)
            .named(
                "retryParked",
                "Apply the events of parked streams again; without confirm_count only count them",
            )
            .scope(Scope::Admin)
            .body::<work::Order>(Form::Json)
            .answer::<work::Done>(200, "What was counted, or done")
            .problems(WORK),
        Operation::post("/v1/admin/parked/discard", work::discard)
            .named(
                "discardParked",
                "Pass over events of parked streams for good; without confirm_count only count",
            )
            .scope(Scope::Admin)
            .body::<work::Order>(Form::Json)
            .answer::<work::Done>(200, "What was counted, or done")
            .problems(WORK),
        Operation::get("/v1/admin/partitions", partitions::get)
            .named("partitions", "The partitions of the feed, seen from this process")
            .scope(Scope::AdminRead)
            .answer::<partitions::List>(200, "The partitions"),
        Operation::get("/v1/admin/describe", describe::get)
            .named("describe", "The model: aggregates, commands, events and projections, with their schemas")
            .scope(Scope::AdminRead)
            .answer::<describe::Model>(200, "The model"),
    ]
}

const SWITCH: &[ProblemKind] = &[
    ProblemKind::NotFound,
    ProblemKind::NotSwitched,
    ProblemKind::ConcurrentModification,
    ProblemKind::TooLarge,
    ProblemKind::UnsupportedMediaType,
];

const ASK: &[ProblemKind] = &[
    ProblemKind::NotFound,
    ProblemKind::ConcurrentModification,
    ProblemKind::TooLarge,
    ProblemKind::UnsupportedMediaType,
];

const CANCEL: &[ProblemKind] = &[
    ProblemKind::NotFound,
    ProblemKind::OperationEnded,
    ProblemKind::ConcurrentModification,
    ProblemKind::TooLarge,
    ProblemKind::UnsupportedMediaType,
];

const WORK: &[ProblemKind] = &[
    ProblemKind::NotFound,
    ProblemKind::CountChanged,
    ProblemKind::TooLarge,
    ProblemKind::UnsupportedMediaType,
];
