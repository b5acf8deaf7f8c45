//! DynamoDB of the local mode: dynoxide, on SQLite.

use crate::{
    LocalError,
    directory::Directory,
    ports::Port,
    server::{Server, Stop},
};

const SERVICE: &str = "DynamoDB";
const FILE: &str = "dynamodb.sqlite";

/// Opens the tables and serves them.
pub(crate) fn start(directory: &Directory, port: Port) -> Result<Server, LocalError> {
    let failed = |reason: String| LocalError::Data { service: SERVICE, reason };
    let database = match directory.durable(FILE) {
        Some(file) => {
            let file = file.to_str().ok_or_else(|| failed("its path is not Unicode".to_owned()))?;
            dynoxide::Database::new(file)
        }
        None => dynoxide::Database::memory(),
    };
    let database = database.map_err(|reason| failed(reason.to_string()))?;
    Server::start(SERVICE, port, move |listener, stop: Stop| async move {
        if let Err(reason) = dynoxide::server::serve_with_shutdown(listener, database, stop.asked()).await {
            tracing::error!(reason, "DynamoDB ended");
        }
    })
}
