//! The models keep their properties, and notice each rule that is broken.

use std::collections::BTreeSet;

use headwater_proof::model::{
    Found, Size, append, archive, execute, mending, outbox, projection, search, search_for, switch,
};

/// How large the models are: `HEADWATER_PROVE=large` for long runs.
fn size() -> Size {
    match std::env::var("HEADWATER_PROVE").as_deref() {
        Ok("large") => Size::Large,
        _ => Size::Small,
    }
}

#[expect(clippy::print_stdout, reason = "counts of a proof are shown")]
fn holds(name: &str, found: &[Found]) {
    let states: usize = found.iter().map(|found| found.states).sum();
    println!("model {name}: {states} states");
    for found in found {
        if let Some((property, way)) = found.broken.first() {
            panic!("{name}: {property:?} does not hold:\n{way}");
        }
    }
}

/// The mutation breaks this property, and the model says so by its name.
#[expect(clippy::print_stdout, reason = "what a proof has found is shown")]
fn catches(mutation: impl std::fmt::Debug, property: &str, found: &[Found]) {
    let names: BTreeSet<_> = found.iter().flat_map(Found::names).collect();
    println!("mutation {mutation:?} breaks {names:?}");
    assert!(names.contains(property), "{mutation:?} is to break {property:?}, broken are {names:?}");
}

macro_rules! model {
    ($module:ident, $holds:ident, $catches:ident, $models:path, [$($mutation:ident => $property:literal),+ $(,)?]) => {
        #[test]
        fn $holds() {
            holds(stringify!($module), &$models(size(), None).into_iter().map(search).collect::<Vec<_>>());
        }

        #[test]
        fn $catches() {
            // All of them: one without a line here does not compile.
            let _all = |mutation| match mutation { $($module::Mutation::$mutation => {}),+ };
            $(
                let models = $models(Size::Small, Some($module::Mutation::$mutation)).into_iter();
                let found: Vec<_> = models.map(|model| search_for(model, $property)).collect();
                catches($module::Mutation::$mutation, $property, &found);
            )+
        }
    };
}

model!(
    append,
    appends_leave_no_hole_and_refuse_only_what_was_not_written,
    every_rule_of_appends_matters,
    append::Appends::all,
    [
        NoCondition => "versions are 1..n without hole or overlap",
        UnverifiedBoundary => "versions are 1..n without hole or overlap",
        NoOwnRetry => "what is refused was not written and never will be",
        NoSearch => "a commit is stored once",
        SilenceIsSuccess => "what is acknowledged is in the ledger",
    ]
);

model!(
    execute,
    commands_are_carried_out_once_on_states_the_stream_had,
    every_rule_of_commands_matters,
    execute::Executions::all,
    [
        SnapshotBeforeCommit => "a load gives what a full replay gives",
        AppliedTwice => "a load gives what a full replay gives",
        UndecodableIsEmpty => "a load gives what a full replay gives",
        StaleRefusal => "a refusal was true when it was given",
        NoKeys => "a command under a key is carried out once",
        NoCondition => "what is refused was not written and never will be",
    ]
);

model!(
    outbox,
    every_commit_reaches_the_feed_whatever_dies,
    every_rule_of_the_outbox_matters,
    outbox::Outbox::all,
    [
        MarkPassesOpen => "no commit is behind a mark and not on the feed",
        NumberEndsBeforePublish => "no commit is behind a mark and not on the feed",
        NoDoubts => "no commit is behind a mark and not on the feed",
        NoWait => "when a record is gone everything it stood for is published",
        PassMovesMarks => "no commit is behind a mark and not on the feed",
        TakeoverIgnored => "when a record is gone everything it stood for is published",
        NotConfirmed => "when a record is gone everything it stood for is published",
        StopForgets => "when a record is gone everything it stood for is published",
    ]
);

model!(
    projection,
    two_live_owners_apply_each_event_once_and_no_checkpoint_passes_work,
    every_rule_of_projections_matters,
    projection::Projecting::all,
    [
        NoRowCondition => "no checkpoint passes work that is not done",
        CheckpointBeforeWrite => "no checkpoint passes work that is not done",
        GapSkipped => "a row is its events once each, in order",
        GapDropped => "no checkpoint passes work that is not done",
        MemoryKept => "no checkpoint passes work that is not done",
        ZombieSaves => "a checkpoint never goes back",
        TrustsClocks => "no checkpoint passes work that is not done",
        PoisonPassedOver => "a row is its events once each, in order",
        ParkedFlowsOn => "a row is its events once each, in order",
    ]
);

model!(
    mending,
    what_a_lane_has_passed_is_in_the_row_or_waited_for,
    every_rule_of_mending_matters,
    mending::Mending::all,
    [
        HighestGoesBack => "what was passed is in the row or waited for",
        NotReadAgain => "what was passed is in the row or waited for",
        FirstFailingIgnored => "what was passed is in the row or waited for",
        NotRaised => "what was passed is in the row or waited for",
        VoidIsForgotten => "what was passed is in the row or waited for",
        NoRowCondition => "a row has its events once each",
    ]
);

model!(
    archive,
    archive_files_are_a_chain_with_two_live_owners,
    every_rule_of_the_archive_matters,
    archive::Archiving::all,
    [
        NoCondition => "a file never changes",
        ResumesBehindOwn => "files are a chain without gap and overlap",
        CheckpointBeforeFile => "no checkpoint passes what is not in a file",
        ZombieSaves => "a checkpoint never goes back",
        NamedByTime => "files are a chain without gap and overlap",
    ]
);

model!(
    switch,
    a_rebuild_never_touches_what_queries_meet,
    every_rule_of_the_switch_matters,
    switch::Switching::all,
    [
        NoCondition => "queries meet whole and verified rows at every moment",
        NotVerified => "queries meet whole and verified rows at every moment",
        TearsDownFirst => "queries meet whole and verified rows at every moment",
        DropsOnHearsay => "a rollback has somewhere to go",
        RebuildsInPlace => "queries meet whole and verified rows at every moment",
    ]
);
