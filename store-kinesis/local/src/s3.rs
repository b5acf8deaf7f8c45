//! S3 of the local mode: s3s with files, behind one lock per key.
//!
//! The files alone check `If-None-Match` and rename afterwards, and read an object and its checksum one after the
//! other. The lock makes conditional puts atomic and reads whole.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use hyper::{Method, Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, sync::RwLock};

use crate::{
    ACCESS_KEY_ID, LocalError, SECRET_ACCESS_KEY,
    directory::Directory,
    server::{Server, Stop},
};

const SERVICE: &str = "S3";
const FOLDER: &str = "s3";
/// Keys share this many locks; two keys on the same one wait for each other and nothing else.
const LOCKS: usize = 256;

/// Opens the folder and serves it.
pub(crate) fn start(directory: &Directory, port: u16) -> Result<Server, LocalError> {
    let folder = directory.folder(FOLDER)?;
    let files = s3s_fs::FileSystem::new(&folder)
        .map_err(|reason| LocalError::Data { service: SERVICE, reason: format!("{reason:?}") })?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET_ACCESS_KEY));
    let service = builder.build();
    Server::start(SERVICE, port, move |listener, stop| serve(listener, stop, service))
}

async fn serve(listener: TcpListener, stop: Stop, service: S3Service) {
    let locks: Arc<Vec<RwLock<()>>> = Arc::new((0..LOCKS).map(|_| RwLock::default()).collect());
    let service = service_fn(move |request: Request<Incoming>| {
        let (service, locks) = (service.clone(), Arc::clone(&locks));
        async move {
            let lock =
                locks.get(stripe(request.uri().path())).expect("a stripe is below the number of locks");
            // Parts of one upload do not touch the object and may arrive together.
            let part = request.uri().query().is_some_and(|query| query.contains("partNumber="));
            let reads = matches!(*request.method(), Method::GET | Method::HEAD);
            let _reading = if reads { Some(lock.read().await) } else { None };
            let _writing = if reads || part { None } else { Some(lock.write().await) };
            hyper::service::Service::call(&service, request).await
        }
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

fn stripe(path: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let locks = u64::try_from(LOCKS).expect("the number of locks is small");
    usize::try_from(hasher.finish() % locks).expect("it is below the number of locks")
}
