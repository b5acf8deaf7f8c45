//! Serving the files over HTTP.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::Arc,
};

use axum::body::Body;
use futures::StreamExt;
use hyper::{Method, Request, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use s3s::{
    HttpError,
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, sync::RwLock};

use super::{
    answers::{Answer, refusal},
    conditions::Conditions,
    names::Name,
    refusals::refuse,
    undo::{Folders, Note},
};
use crate::{
    ACCESS_KEY_ID, LocalError, SECRET_ACCESS_KEY,
    directory::Directory,
    ports::Port,
    server::{Server, Stop},
};

const SERVICE: &str = "S3";
const FOLDER: &str = "s3";
/// Beside it: what is being changed.
const NOTES: &str = "s3-changes";
/// Keys share this many locks; two keys on the same one wait for each other and nothing else.
const LOCKS: usize = 256;

/// The header that makes a put a copy, which writes into files that are there.
const COPY_SOURCE: &str = "x-amz-copy-source";

/// What every request needs.
#[derive(Debug)]
struct Context {
    service: S3Service,
    locks: Vec<RwLock<()>>,
    folders: Folders,
}

/// Opens the folder and serves it.
pub(crate) fn start(directory: &Directory, port: Port) -> Result<Server, LocalError> {
    // Elsewhere than on Unix a folder cannot be opened to flush it.
    let durable = cfg!(unix) && directory.durable(FOLDER).is_some();
    let folders = Folders { root: directory.folder(FOLDER)?, notes: directory.folder(NOTES)?, durable };
    let failed = |reason: String| LocalError::Data { service: SERVICE, reason };
    folders.mend().map_err(|reason| failed(reason.to_string()))?;
    let files = s3s_fs::FileSystem::new(&folders.root).map_err(|reason| failed(format!("{reason:?}")))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
    let locks = (0..LOCKS).map(|_| RwLock::default()).collect();
    let context = Arc::new(Context { service: builder.build(), locks, folders });
    Server::start(SERVICE, port, move |listener, stop| serve(listener, stop, context))
}

async fn serve(listener: TcpListener, stop: Stop, context: Arc<Context>) {
    let service = service_fn(move |request: Request<Incoming>| {
        // In a task of its own, so that a client that hangs up does not leave an object without its checksums.
        let answer = tokio::spawn(answer(Arc::clone(&context), request));
        async move { answer.await.unwrap_or_else(|reason| Err(HttpError::new(Box::new(reason)))) }
    });
    let http = Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    let mut asked = std::pin::pin!(stop.asked());
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut asked => break,
        };
        let Ok((socket, _)) = socket else { continue };
        if let Err(reason) = socket.set_nodelay(true) {
            tracing::debug!(%reason, "a connection to S3 stays slow");
        }
        let connection = http.serve_connection(TokioIo::new(socket), service.clone()).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(reason) = connection.await {
                tracing::debug!(reason, "a connection to S3 ended");
            }
        });
    }
    connections.shutdown().await;
}

/// Does a request under the lock of its key.
async fn answer(context: Arc<Context>, request: Request<Incoming>) -> Result<Answer, HttpError> {
    let (method, query) = (request.method().clone(), request.uri().query());
    let lock = context.locks.get(stripe(request.uri().path()));
    let lock = lock.expect("a stripe is below the number of locks");
    // Parts of one upload do not touch the object and may arrive together.
    let part = query.is_some_and(|query| query.contains("partNumber="));
    let reads = matches!(method, Method::GET | Method::HEAD);
    let _reading = if reads { Some(lock.read().await) } else { None };
    let _writing = if reads || part { None } else { Some(lock.write().await) };

    let name = Name::from_path(request.uri().path());
    let refused = name.as_ref().and_then(|name| refuse(&context.folders.root, &method, query, name));
    if let Some(refused) = refused {
        // Clients listen once they have sent everything.
        let mut rest = Body::new(request.into_body()).into_data_stream();
        while let Some(Ok(_)) = rest.next().await {}
        return Ok(refused);
    }
    let conditions = Conditions::of(&method, request.headers());
    let Some(name) = name.filter(|name| !reads && !part && !name.key.is_empty()) else {
        let answer = hyper::service::Service::call(&context.service, request).await?;
        return Ok(conditions.apply(answer));
    };
    let (folders, copies) = (context.folders.clone(), request.headers().contains_key(COPY_SOURCE));
    let note = match on_disk(move || folders.note(name, copies)).await {
        Ok(note) => note,
        Err(reason) => return Ok(unsettled(&reason)),
    };
    let answer = hyper::service::Service::call(&context.service, request).await;
    Ok(settle(note, answer?).await)
}

/// After a change of an object: it is on the disk, or never was if it was refused.
async fn settle(note: Note, answer: Answer) -> Answer {
    let settle = if answer.status().is_success() { Note::done } else { Note::undo };
    match on_disk(move || settle(note)).await {
        Ok(()) => answer,
        Err(reason) => unsettled(&reason),
    }
}

/// Does what waits for the disk where it holds up nobody.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.unwrap_or_else(|reason| Err(io::Error::other(reason)))
}

fn unsettled(reason: &io::Error) -> Answer {
    tracing::error!(%reason, "a change of an object may be undone at the next start");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "The change may not be on the disk.")
}

fn stripe(path: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let locks = u64::try_from(LOCKS).expect("the number of locks is small");
    usize::try_from(hasher.finish() % locks).expect("it is below the number of locks")
}
