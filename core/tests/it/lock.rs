//! The schema lock through the stages of an aggregate's life: new, grown, broken, raised.

use std::fs;
use std::path::PathBuf;

use headwater::schema::{Mode, SchemaLock};
use headwater::{Aggregate, Command, Decider, Event, JsonSchema};
use serde::{Deserialize, Serialize};

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("schemas-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.join("door"))
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One aggregate in several stages of its life: modules with an enum `DoorEvent` each.
macro_rules! stage {
    ($stage:ident { $($events:tt)* }) => {
        mod $stage {
            use super::*;

            #[derive(Debug, Clone, Serialize, Deserialize, Command)]
            pub(super) enum Never {
                Asked,
            }
            #[derive(Debug, thiserror::Error, Serialize)]
            #[error("no")]
            pub(super) struct No;
            #[derive(Debug, Default, Clone, Serialize, Deserialize, Aggregate)]
            #[aggregate(category = "door")]
            pub(super) struct Door;
            impl Decider for Door {
                type Event = DoorEvent;
                type Command = Never;
                type Refusal = No;
                fn decide(&self, _: Never) -> Result<Vec<DoorEvent>, No> {
                    Err(No)
                }
                fn apply(&mut self, _: &DoorEvent) {}
            }
            $($events)*
        }
    };
}

stage!(first {
    #[derive(Debug, Clone, Serialize, Deserialize, Event)]
    pub(super) enum DoorEvent {
        Opened { by: String },
        Closed,
    }
});

stage!(grown {
    #[derive(Debug, Clone, Serialize, Deserialize, Event)]
    pub(super) enum DoorEvent {
        Opened { by: String, at: Option<String> },
        Closed,
        Locked,
    }
});

stage!(broken {
    #[derive(Debug, Clone, Serialize, Deserialize, Event)]
    pub(super) enum DoorEvent {
        Opened { by: u64, at: Option<u64> },
    }
});

stage!(raised {
    #[derive(Debug, Clone, Serialize, Deserialize, Event)]
    pub(super) enum DoorEvent {
        #[event(version = 2, from = OpenedV1)]
        Opened { by: u64 },
        #[event(was = "Closed")]
        Shut,
    }
    #[derive(Deserialize, JsonSchema)]
    pub(super) struct OpenedV1 {
        pub(super) by: String,
    }
    impl From<OpenedV1> for DoorEvent {
        fn from(old: OpenedV1) -> Self {
            Self::Opened { by: old.by.len() as u64 }
        }
    }
});

fn lock<A: Aggregate>(folder: &Folder) -> SchemaLock {
    SchemaLock::new(&folder.0).aggregate::<A>()
}

fn drifts<A: Aggregate>(folder: &Folder) -> Vec<String> {
    match lock::<A>(folder).check() {
        Ok(()) => Vec::new(),
        Err(drift) => drift.drifts.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn what_is_not_locked_yet_is_reported_until_it_is_written() {
    let folder = Folder::new("new");
    let fix = "it is not locked yet; run the test with `HEADWATER_SCHEMAS=write`";
    assert_eq!(
        drifts::<first::Door>(&folder),
        [format!("door/Opened version 1: {fix}"), format!("door/Closed version 1: {fix}")]
    );
    assert_eq!(lock::<first::Door>(&folder).write().unwrap().len(), 2);
    assert_eq!(folder.files(), ["Closed.v1.json", "Opened.v1.json"]);
    assert_eq!(drifts::<first::Door>(&folder), [""; 0]);
    assert!(lock::<first::Door>(&folder).write().unwrap().is_empty());
    lock::<first::Door>(&folder).assert();
}

#[test]
fn a_shape_that_grew_is_locked_beside_the_first() {
    let folder = Folder::new("grown");
    lock::<first::Door>(&folder).write().unwrap();
    let first = fs::read(folder.0.join("door/Opened.v1.json")).unwrap();
    assert_eq!(drifts::<grown::Door>(&folder).len(), 1);
    lock::<grown::Door>(&folder).write().unwrap();
    assert_eq!(folder.files(), ["Closed.v1.json", "Locked.v1.json", "Opened.v1.json", "Opened.v1.r2.json"]);
    assert_eq!(fs::read(folder.0.join("door/Opened.v1.json")).unwrap(), first);
    assert_eq!(drifts::<grown::Door>(&folder), [""; 0]);
    assert!(lock::<grown::Door>(&folder).write().unwrap().is_empty());
}

#[test]
fn a_broken_version_is_reported_by_field_and_never_written() {
    let folder = Folder::new("broken");
    lock::<grown::Door>(&folder).write().unwrap();
    let expected = [
        "door/Closed version 1: it is locked, but the program cannot read it any longer; keep its payload with \
         `from`, its name with `was`, or the type with `retired`",
        "door/Locked version 1: it is locked, but the program cannot read it any longer; keep its payload with \
         `from`, its name with `was`, or the type with `retired`",
        "door/Opened version 1, field `at`: its type was string or null and is integer (uint64) or null now; raise \
         the version to 2 and keep the old payload with `from = OpenedV1`",
        "door/Opened version 1, field `by`: its type was string and is integer (uint64) now; raise the version to 2 \
         and keep the old payload with `from = OpenedV1`",
    ];
    assert_eq!(drifts::<broken::Door>(&folder), expected);
    assert!(lock::<broken::Door>(&folder).write().unwrap().is_empty());
    let panic = std::panic::catch_unwind(|| lock::<broken::Door>(&folder).assert()).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("\n  door/Opened version 1, field `by`: "), "{message}");
    assert!(message.contains("HEADWATER_SCHEMAS=write cargo test"), "{message}");
}

#[test]
fn a_raised_version_and_a_rename_need_only_be_locked() {
    let folder = Folder::new("raised");
    lock::<first::Door>(&folder).write().unwrap();
    lock::<raised::Door>(&folder).mode("door", Mode::Full).write().unwrap();
    assert_eq!(folder.files(), ["Closed.v1.json", "Opened.v1.json", "Opened.v2.json", "Shut.v1.json"]);
    lock::<raised::Door>(&folder).mode("door", Mode::Full).check().unwrap();
}

#[test]
fn the_mode_of_the_category_decides() {
    let folder = Folder::new("mode");
    lock::<grown::Door>(&folder).write().unwrap();
    fs::remove_file(folder.0.join("door/Locked.v1.json")).unwrap();
    assert_eq!(drifts::<first::Door>(&folder), [""; 0]);
    lock::<first::Door>(&folder).mode("door", Mode::Full).check().unwrap();
    let fewer =
        r#"{"type": "object", "properties": {"by": {"type": "string"}, "old": {}}, "required": ["old"]}"#;
    fs::write(folder.0.join("door/Closed.v1.json"), fewer).unwrap();
    assert_eq!(drifts::<first::Door>(&folder), [""; 0]);
    let drift = lock::<first::Door>(&folder).mode("door", Mode::Forward).check().unwrap_err();
    assert_eq!(
        drift.to_string(),
        "events and their schema lock differ:\n  door/Closed version 1, field `old`: it was removed: old readers \
         require it; bring it back, or raise the version to 2 and keep the old payload with `from = ClosedV1`"
    );
}

#[test]
fn a_file_that_is_not_json_is_reported() {
    let folder = Folder::new("garbage");
    lock::<first::Door>(&folder).write().unwrap();
    fs::write(folder.0.join("door/Closed.v1.json"), "<<<<<<<").unwrap();
    fs::write(folder.0.join("door/README.md"), "not a schema").unwrap();
    let drifts = drifts::<first::Door>(&folder);
    assert_eq!(drifts.len(), 1);
    assert!(drifts[0].contains("its file is not JSON"), "{drifts:?}");
}
