//! The end of a server, as those see it who are connected.

use std::io::{Read, Write};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::{PATIENCE, Server, get_of, quick, until_closed};
use crate::serving::limits::Limits;

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_requests_are_answered_answers_without_end_are_ended_and_idle_connections_closed() {
    let server = Server::start(Limits::default()).await;
    let mut idle = server.connect().await;
    idle.write_all(get_of("/livez", "").as_bytes()).await.unwrap();
    let mut head = [0; 12];
    idle.read_exact(&mut head).await.unwrap();
    let silent = server.connect().await;
    let mut endless = server.connect().await;
    endless.write_all(get_of("/endless", "").as_bytes()).await.unwrap();
    let mut beginning = [0; 4];
    endless.read_exact(&mut beginning).await.unwrap();
    let mut slow = server.connect().await;
    slow.write_all(get_of("/slow", "").as_bytes()).await.unwrap();
    // It is under way once it waits to be let go.
    let answered = tokio::spawn(async move { until_closed(&mut slow).await });
    tokio::time::sleep(Duration::from_millis(300)).await;

    server.stopper.drain();
    assert!(server.say(&get_of("/readyz", "connection: close\r\n")).await.starts_with("HTTP/1.1 503"));
    assert!(server.say(&get_of("/livez", "connection: close\r\n")).await.starts_with("HTTP/1.1 200"));
    server.begin_to_end();
    until_closed(&mut idle).await;
    until_closed(&mut endless).await;
    assert!(!server.task.is_finished(), "a request is under way");
    server.go.notify_one();
    assert!(answered.await.unwrap().contains("at last"));
    tokio::time::timeout(PATIENCE, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_once_more_when_the_end_has_begun_is_answered_and_told_that_it_was_the_last() {
    let server = Server::start(Limits::default()).await;
    let mut used = server.connect().await;
    used.write_all(get_of("/livez", "").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    used.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut fresh = server.connect().await;
    // It has been accepted when one that came later is answered.
    server.say(&get_of("/livez", "connection: close\r\n")).await;
    server.begin_to_end();
    while TcpStream::connect(server.address).await.is_ok() {}
    // Both clients think for a moment, and whoever is closed as soon as nobody is accepted any more is closed by now.
    tokio::time::sleep(Duration::from_millis(50)).await;
    for stream in [&mut used, &mut fresh] {
        stream.write_all(get_of("/v1/read-models", "").as_bytes()).await.unwrap();
        let answer = until_closed(stream).await;
        let (_, last) = answer.rsplit_once("HTTP/1.1 ").expect("there is no answer");
        assert!(last.starts_with("200") && last.contains("connection: close"), "{answer}");
    }
    tokio::time::timeout(PATIENCE, server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_is_connected_when_the_end_begins_and_was_not_accepted_yet_is_answered() {
    let server = Server::start(Limits::default()).await;
    // Nothing of the server runs while this thread is busy, so the system alone has taken this connection.
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    stream.write_all(get_of("/livez", "").as_bytes()).unwrap();
    server.begin_to_end();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    assert!(answer.await.unwrap().expect("it was cut off").starts_with("HTTP/1.1 200"));
    tokio::time::timeout(PATIENCE, server.task).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_head_does_not_hold_up_the_end() {
    // Such a head may take an hour, and is no request.
    let server = Server::start(Limits { header_seconds: 3_600, ..quick() }).await;
    let mut half = server.connect().await;
    half.write_all(b"GET /livez HTTP/1.1\r\nhost: loc").await.unwrap();
    // It is being read when one that came later is answered.
    server.say(&get_of("/livez", "connection: close\r\n")).await;
    server.begin_to_end();
    tokio::time::timeout(PATIENCE, server.task).await.expect("it is waited for").unwrap();
    assert_eq!(until_closed(&mut half).await, "");
}
