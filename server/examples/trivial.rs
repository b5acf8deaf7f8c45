//! The smallest server there is: what a request costs when nothing is done for it. `cargo xtask load` measures beside it.
#![allow(clippy::print_stderr, reason = "it says where it is")]

use axum::Router;
use axum::routing::get;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("trivial is ready at http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/", get(async || "{\"status\":\"alive\"}"))).await
}
