//! `GET /v1/admin/describe`: the model that is served.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{Problem, Services};

/// The model that is served.
#[derive(Serialize, JsonSchema)]
pub(super) struct Model {
    /// The name of the service.
    name: &'static str,
    /// The aggregates.
    aggregates: Vec<Aggregate>,
    /// The projections.
    projections: Vec<Projection>,
}

/// An aggregate.
#[derive(Serialize, JsonSchema)]
struct Aggregate {
    /// The category of its streams.
    category: &'static str,
    /// When snapshots are taken, if they are.
    snapshot: Option<Snapshot>,
    /// What can be asked of it.
    commands: Vec<Command>,
    /// What can happen to it, every version that can be read.
    events: Vec<Event>,
}

/// When snapshots are taken.
#[derive(Serialize, JsonSchema)]
struct Snapshot {
    /// After how many events.
    every: u64,
    /// The version of their shape.
    version: u32,
}

/// A command.
#[derive(Serialize, JsonSchema)]
struct Command {
    /// Its name.
    name: &'static str,
    /// Whether it must say which version it expects.
    needs_version: bool,
    /// The JSON Schema of its content.
    schema: Value,
}

/// A version of an event type.
#[derive(Serialize, JsonSchema)]
struct Event {
    /// Its type.
    r#type: &'static str,
    /// The version of its payload's schema.
    version: u32,
    /// The JSON Schema of its payload.
    schema: Value,
}

/// A projection.
#[derive(Serialize, JsonSchema)]
struct Projection {
    /// Its name.
    name: &'static str,
    /// The version of its code.
    version: u32,
    /// The categories it reads.
    categories: Vec<&'static str>,
    /// The fields by which its rows can be found.
    indexes: Vec<&'static str>,
    /// The number of the copy of its rows that answers.
    generation: u32,
}

pub(super) async fn get(State(services): State<Services>) -> Result<Json<Model>, Problem> {
    let aggregates: Vec<Aggregate> = services
        .aggregates
        .values()
        .map(|aggregate| {
            let category = aggregate.describe();
            let command = |command: headwater::schema::CommandSchema| Command {
                name: command.name,
                needs_version: category.needs_version.contains(&command.name),
                schema: command.json,
            };
            let event = |event: headwater::schema::EventSchema| Event {
                r#type: event.name,
                version: event.schema,
                schema: event.json,
            };
            Aggregate {
                category: category.name,
                snapshot: category
                    .snapshots
                    .map(|policy| Snapshot { every: policy.every, version: policy.version }),
                commands: category.commands.into_iter().map(command).collect(),
                events: category.events.into_iter().map(event).collect(),
            }
        })
        .collect();
    let models = &services.read_models;
    let mut projections = Vec::new();
    for name in models.names() {
        projections.push(Projection {
            name,
            version: models.version(name)?,
            categories: models.categories(name)?.to_vec(),
            indexes: models.indexes(name)?.to_vec(),
            generation: models.generations(name).await?.live,
        });
    }
    Ok(Json(Model { name: services.name, aggregates, projections }))
}
