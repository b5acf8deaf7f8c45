//! The HTTP side: one route, the operation in a header, JSON in the body.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Response, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpListener;

use super::{
    database::{Database, Transaction},
    failure::Failure,
    operations::{consumers, count, describe, listing, put, read, reshard, retention, streams, tags},
    schema,
    subscription::{Subscriptions, subscribe},
    throttle::Throttle,
};
use crate::{
    LocalError, Options,
    directory::Directory,
    ports::Port,
    server::{Server, Stop},
};

const SERVICE: &str = "Kinesis";
const FILE: &str = "kinesis.sqlite";
/// How large a request may be: 10 MiB of records in base64, and then some.
const MAX_BODY: usize = 20 * 1024 * 1024;
/// How often records beyond the retention are deleted. Nobody sees them before that either.
const SWEEP: Duration = Duration::from_secs(60);
/// How the header begins that names the operation.
const TARGET: &str = "Kinesis_20131202.";

#[derive(Debug, Clone)]
struct Kinesis {
    database: Database,
    subscriptions: Subscriptions,
}

/// Opens the streams and serves them.
pub(crate) fn start(directory: &Directory, options: &Options, port: Port) -> Result<Server, LocalError> {
    let connection = schema::open(directory.durable(FILE).as_deref())
        .map_err(|reason| LocalError::Data { service: SERVICE, reason: reason.to_string() })?;
    let (database, thread) =
        Database::start(connection, options.transition, Throttle::new(options.kinesis_limits))
            .map_err(|source| LocalError::Thread { service: SERVICE, source })?;
    let kinesis = Kinesis { database, subscriptions: Subscriptions::default() };
    let server = Server::start(SERVICE, port, move |listener, stop| serve(listener, stop, kinesis))?;
    Ok(server.with_thread(thread))
}

async fn serve(listener: TcpListener, stop: Stop, kinesis: Kinesis) {
    let database = kinesis.database.clone();
    let sweep = async {
        loop {
            if let Err(failure) = database.call(retention::sweep).await {
                tracing::error!(?failure, "records beyond their retention stay");
            }
            tokio::time::sleep(SWEEP).await;
        }
    };
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(kinesis);
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
        if let Err(reason) = socket.set_nodelay(true) {
            tracing::debug!(%reason, "a connection to Kinesis stays slow");
        }
    });
    let served = async { axum::serve(listener, router).with_graceful_shutdown(stop.asked()).await };
    tokio::select! {
        served = served => if let Err(reason) = served {
            tracing::error!(%reason, "Kinesis ended");
        },
        () = sweep => {}
    }
}

async fn answer(State(kinesis): State<Kinesis>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(TARGET)).unwrap_or_default();
    match dispatch(&kinesis, operation, &body).await {
        Ok(response) => response,
        Err(failure) => {
            let code = failure.code();
            tracing::debug!(operation, code, "refused");
            respond(failure.status(), failure.body().to_string().into())
        }
    }
}

async fn dispatch(kinesis: &Kinesis, operation: &str, body: &[u8]) -> Result<Response<Body>, Failure> {
    let database = &kinesis.database;
    let output = match operation {
        "CreateStream" => call(database, body, streams::create).await,
        "DeleteStream" => call(database, body, streams::delete).await,
        "DescribeStream" => call(database, body, describe::describe).await,
        "DescribeStreamSummary" => call(database, body, describe::summary).await,
        "AddTagsToStream" => call(database, body, tags::add).await,
        "RemoveTagsFromStream" => call(database, body, tags::remove).await,
        "ListTagsForStream" => call(database, body, tags::list).await,
        "ListStreams" => call(database, body, streams::list).await,
        "IncreaseStreamRetentionPeriod" => call(database, body, retention::increase).await,
        "DecreaseStreamRetentionPeriod" => call(database, body, retention::decrease).await,
        "ListShards" => call(database, body, listing::list).await,
        "PutRecord" => call(database, body, put::put_record).await,
        "PutRecords" => call(database, body, put::put_records).await,
        "GetShardIterator" => call(database, body, read::get_shard_iterator).await,
        "GetRecords" => call(database, body, read::get_records).await,
        "SplitShard" => call(database, body, reshard::split_shard).await,
        "MergeShards" => call(database, body, reshard::merge_shards).await,
        "UpdateShardCount" => call(database, body, count::update).await,
        "RegisterStreamConsumer" => call(database, body, consumers::register).await,
        "DescribeStreamConsumer" => call(database, body, consumers::describe).await,
        "DeregisterStreamConsumer" => call(database, body, consumers::deregister).await,
        "ListStreamConsumers" => call(database, body, consumers::list).await,
        "SubscribeToShard" => {
            let frames = subscribe(database, &kinesis.subscriptions, parse(body)?).await?;
            let headers = [(CONTENT_TYPE, "application/vnd.amazon.eventstream")];
            return Ok((headers, Body::from_stream(frames)).into_response());
        }
        _ => Err(Failure::new(
            "UnknownOperationException",
            format!("The local Kinesis has no operation {operation:?}."),
        )),
    };
    Ok(respond(200, output?.into()))
}

async fn call<I, O>(
    database: &Database,
    body: &[u8],
    operation: fn(&Transaction<'_>, I) -> Result<O, Failure>,
) -> Result<Vec<u8>, Failure>
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
{
    let input = parse(body)?;
    let output = database.call(move |transaction| operation(transaction, input)).await?;
    serde_json::to_vec(&output).map_err(Failure::internal)
}

fn parse<I: DeserializeOwned>(body: &[u8]) -> Result<I, Failure> {
    serde_json::from_slice(body).map_err(|reason| Failure::new("SerializationException", reason.to_string()))
}

fn respond(status: u16, body: Body) -> Response<Body> {
    let status = axum::http::StatusCode::from_u16(status).expect("our answers are 200, 400 or 500");
    let request = uuid::Uuid::now_v7().to_string();
    let headers = [("content-type", "application/x-amz-json-1.1".to_owned()), ("x-amzn-requestid", request)];
    (status, headers, body).into_response()
}
