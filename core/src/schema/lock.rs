//! The schema lock: published event versions stay readable.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::EventSchema;
use super::compare::{Mode, compare};
use super::drift::{Drift, SchemaDrift};
use super::files::{self, Locked};
use crate::{Aggregate, Event, EventType};

/// The environment variable that makes [`SchemaLock::assert`] write what is missing.
const WRITE: &str = "HEADWATER_SCHEMAS";

/// Compares the events of a program with the JSON Schemas kept beside its code, one file for each event version:
/// `schemas/{category}/{event}.v{version}.json`.
///
/// One test of the application is enough; `HEADWATER_SCHEMAS=write cargo test` locks what is new:
///
/// ```no_run
/// # use headwater::schema::{Mode, SchemaLock};
/// # fn the_test<Account: headwater::Aggregate>() {
/// SchemaLock::new("schemas").mode("account", Mode::Full).aggregate::<Account>().assert();
/// # }
/// ```
///
/// A version that is locked may change only as the mode of its category allows: events written before must be readable
/// ([`Mode::Backward`], the default). When it changes within that, `write` locks the new shape in a file of its own
/// (`….v1.r2.json`) and both are held against later changes. A raised version is unknown to old readers in every mode:
/// deploy readers first.
#[derive(Debug, Clone)]
#[must_use = "it does nothing until `check`, `write` or `assert`"]
pub struct SchemaLock {
    folder: PathBuf,
    modes: BTreeMap<String, Mode>,
    categories: Vec<Category>,
}

#[derive(Debug, Clone)]
struct Category {
    name: &'static str,
    schemas: Vec<EventSchema>,
    types: &'static [EventType],
}

impl SchemaLock {
    /// A lock in this folder; a relative one is in the package's folder when `cargo test` runs.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), modes: BTreeMap::new(), categories: Vec::new() }
    }

    /// Which changes the versions of a category survive; [`Mode::Backward`] unless told.
    pub fn mode(mut self, category: impl Into<String>, mode: Mode) -> Self {
        self.modes.insert(category.into(), mode);
        self
    }

    /// Adds the events of an aggregate.
    pub fn aggregate<A: Aggregate>(mut self) -> Self {
        self.categories.push(Category {
            name: A::CATEGORY,
            schemas: A::Event::schemas(),
            types: A::Event::TYPES,
        });
        self
    }

    /// Compares every event version with its file.
    ///
    /// # Errors
    /// [`SchemaDrift`] with a line for each version that is not locked yet, cannot be read any longer, or changed in a
    /// way its mode does not allow.
    pub fn check(&self) -> Result<(), SchemaDrift> {
        let mut drifts = Vec::new();
        for category in &self.categories {
            match files::read(&self.folder.join(category.name)) {
                Ok(locked) => category.check(&locked, self.mode_of(category), &mut drifts),
                Err(error) => drifts.push(category.unreadable(&self.folder, &error)),
            }
        }
        if drifts.is_empty() { Ok(()) } else { Err(SchemaDrift { drifts }) }
    }

    /// Writes the files that are missing and answers with their paths; no file is ever changed.
    ///
    /// A version that changed in a way its mode does not allow is not written: it needs a new version.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(&self) -> io::Result<Vec<PathBuf>> {
        let mut written = Vec::new();
        for category in &self.categories {
            let folder = self.folder.join(category.name);
            let locked = files::read(&folder)?;
            for schema in &category.schemas {
                let shapes: Vec<&Locked> = of_version(&locked, schema.name, schema.schema).collect();
                let mode = category.mode_for(schema, self.mode_of(category));
                let may_be_added = shapes.iter().all(|shape| {
                    let json = shape.json.as_ref().ok();
                    json.is_some_and(|json| {
                        without_notes(json) != without_notes(&schema.json)
                            && compare(json, &schema.json, mode).is_empty()
                    })
                });
                if may_be_added {
                    let revision = shapes.len() + 1;
                    written.push(files::write(&folder, schema.name, schema.schema, revision, &schema.json)?);
                }
            }
        }
        Ok(written)
    }

    /// Checks, for use in a test. With `HEADWATER_SCHEMAS=write` in the environment it first writes what is missing.
    ///
    /// # Panics
    /// With the lines of [`check`](Self::check) and what to do about them.
    #[track_caller]
    pub fn assert(&self) {
        if std::env::var_os(WRITE).is_some_and(|value| value == "write")
            && let Err(error) = self.write()
        {
            panic!("the schema lock in {} cannot be written: {error}", self.folder.display());
        }
        if let Err(drift) = self.check() {
            panic!(
                "{drift}\nto lock what is new: run `{WRITE}=write cargo test` and commit {}",
                self.folder.display()
            );
        }
    }

    fn mode_of(&self, category: &Category) -> Mode {
        self.modes.get(category.name).copied().unwrap_or_default()
    }
}

fn of_version<'a>(locked: &'a [Locked], event: &'a str, version: u32) -> impl Iterator<Item = &'a Locked> {
    locked.iter().filter(move |locked| locked.event == event && locked.version == version)
}

impl Category {
    fn check(&self, locked: &[Locked], mode: Mode, drifts: &mut Vec<Drift>) {
        for schema in &self.schemas {
            if of_version(locked, schema.name, schema.schema).next().is_none() {
                let fix = format!("run the test with `{WRITE}=write`");
                drifts.push(self.drift(schema.name, schema.schema, "", "it is not locked yet", fix));
            }
        }
        for file in locked {
            let (event, version) = (file.event.as_str(), file.version);
            let today = self.schemas.iter().find(|schema| schema.name == event && schema.schema == version);
            match (today, &file.json) {
                (_, Err(error)) => {
                    let what = format!("its file is not JSON ({error})");
                    let fix = "take it from version control again".to_owned();
                    drifts.push(self.drift(event, version, "", &what, fix));
                }
                (None, Ok(_)) => {
                    let fix = "keep its payload with `from`, its name with `was`, or the type with `retired`";
                    let what = "it is locked, but the program cannot read it any longer";
                    drifts.push(self.drift(event, version, "", what, fix.to_owned()));
                }
                (Some(schema), Ok(old)) => {
                    for change in compare(old, &schema.json, self.mode_for(schema, mode)) {
                        let fix = self.fix(schema, change.fix);
                        let drift = self.drift(event, version, &change.path, &change.what, fix);
                        if !drifts.contains(&drift) {
                            drifts.push(drift);
                        }
                    }
                }
            }
        }
    }

    fn is_written(&self, schema: &EventSchema) -> bool {
        self.types.iter().any(|current| current.name == schema.name && current.schema == schema.schema)
    }

    /// An old version is only read, so old readers meet nothing new of it.
    fn mode_for(&self, schema: &EventSchema, mode: Mode) -> Mode {
        if self.is_written(schema) { mode } else { Mode::Backward }
    }

    fn fix(&self, schema: &EventSchema, fix: Option<&str>) -> String {
        let (name, version) = (schema.name, schema.schema);
        if !self.is_written(schema) {
            return "this version is only read: make its payload again what it was".to_owned();
        }
        let from = match version {
            1 => format!("from = {name}V1"),
            _ => format!("from(…, {name}V{version})"),
        };
        let raise = format!("raise the version to {} and keep the old payload with `{from}`", version + 1);
        fix.map_or_else(|| raise.clone(), |fix| format!("{fix}, or {raise}"))
    }

    fn drift(&self, event: &str, version: u32, path: &str, what: &str, fix: String) -> Drift {
        Drift {
            category: self.name.to_owned(),
            event: event.to_owned(),
            version,
            path: path.to_owned(),
            what: what.to_owned(),
            fix,
        }
    }

    fn unreadable(&self, folder: &std::path::Path, error: &io::Error) -> Drift {
        let what = format!("the lock cannot be read ({error})");
        self.drift("*", 0, "", &what, format!("make {} readable", folder.join(self.name).display()))
    }
}

/// The schema without what only people read, to tell whether it is the same shape.
fn without_notes(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(keyword, value)| {
                // A field may be called `title`; a note is never an object.
                !NOTES.contains(&keyword.as_str()) || value.is_object()
            });
            Value::Object(kept.map(|(keyword, value)| (keyword.clone(), without_notes(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(without_notes).collect()),
        other => other.clone(),
    }
}

const NOTES: [&str; 6] = ["$schema", "title", "description", "default", "examples", "deprecated"];
