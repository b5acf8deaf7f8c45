//! The JSON Schemas that the derives make.

use schemars::JsonSchema;
use serde_json::Value;

/// The JSON Schema of one version of an event type.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSchema {
    /// The wire name.
    pub name: &'static str,
    /// The schema version.
    pub schema: u32,
    /// The JSON Schema of the payload.
    pub json: Value,
}

/// The JSON Schema of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandSchema {
    /// The wire name.
    pub name: &'static str,
    /// The JSON Schema of the content.
    pub json: Value,
}

/// The schema of an event's payload, with the wire name as its title; called by the derive.
#[doc(hidden)]
#[must_use]
pub fn event_schema<T: JsonSchema>(name: &'static str, schema: u32) -> EventSchema {
    EventSchema { name, schema, json: titled::<T>(name) }
}

/// The schema of a command's content, with the wire name as its title; called by the derive.
#[doc(hidden)]
#[must_use]
pub fn command_schema<T: JsonSchema>(name: &'static str) -> CommandSchema {
    CommandSchema { name, json: titled::<T>(name) }
}

fn titled<T: JsonSchema>(name: &str) -> Value {
    let mut schema = schemars::schema_for!(T);
    schema.insert("title".to_owned(), name.into());
    schema.to_value()
}
