//! `GET /v1/read-models`: which read models there are.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Problem, Services};

/// The read models there are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Catalogue {
    read_models: Vec<ReadModel>,
}

/// A read model.
#[derive(Serialize, JsonSchema)]
struct ReadModel {
    /// Its name.
    name: &'static str,
    /// The number of the copy of its rows that answers.
    generation: u32,
    /// The version of the code that made that copy.
    version: u32,
    /// The version of the code of this process. When it is another one, the read model stands still until it is rebuilt.
    code_version: u32,
    /// The fields by which its rows can be found.
    indexes: Vec<&'static str>,
    /// The categories whose events make it.
    categories: Vec<&'static str>,
}

pub(super) async fn get(State(services): State<Services>) -> Result<Json<Catalogue>, Problem> {
    let models = &services.read_models;
    let mut read_models = Vec::new();
    for name in models.names() {
        let generations = models.generations(name).await?;
        read_models.push(ReadModel {
            name,
            generation: generations.live,
            version: generations.version(generations.live).unwrap_or_default(),
            code_version: models.version(name)?,
            indexes: models.indexes(name)?.to_vec(),
            categories: models.categories(name)?.to_vec(),
        });
    }
    Ok(Json(Catalogue { read_models }))
}
