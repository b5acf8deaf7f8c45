//! Connections as they come from outside, over real sockets: half of something, too many, too slow.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::server::{PATIENCE, Server, get_of, quick, until_closed};
use crate::serving::limits::Limits;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_nothing_or_half_of_a_head_is_closed() {
    let server = Server::start(quick()).await;
    let halves = [
        "",
        "G",
        "GET /livez HTTP/1.1",
        "GET /livez HTTP/1.1\r\nhost: a\r\n",
        "PRI",
        "PRI * HTTP/2.0\r\n\r\nSM",
    ];
    for half in halves {
        let answer = server.say(half).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{half:?}: {answer:?}");
    }
    // One that trickles is no better: the time is that of the whole head.
    let mut stream = server.connect().await;
    for byte in
        get_of("/livez", "x-trickle: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").bytes()
    {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!until_closed(&mut stream).await.contains(" 200 "));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_told_that_it_did_not_come() {
    let server = Server::start(quick()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n";
    for (body, status, slug) in [
        ("content-length: 10\r\n\r\nhalf", "408", "request-timeout"),
        ("transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "408", "request-timeout"),
        ("content-length: 2000000\r\n\r\n", "413", "too-large"),
        ("content-length: 4\r\nconnection: close\r\n\r\nfull", "200", "full"),
    ] {
        let answer = server.say(&format!("{head}{body}")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(slug),
            "{body}: {answer}"
        );
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_above_the_limit_is_told_so_and_a_place_that_is_free_is_taken_again() {
    let server = Server::start(Limits { connections: 2, ..Limits::default() }).await;
    let held: Vec<TcpStream> = vec![server.connect().await, server.connect().await];
    let answer = server.say("").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("/problems/overloaded"), "{answer}");
    drop(held);
    let ask = async {
        while !server.say(&get_of("/livez", "connection: close\r\n")).await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.unwrap();
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_refused_at_once_and_probes_are_answered() {
    let server = Server::start(Limits { requests: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(get_of("/slow", "connection: close\r\n").as_bytes()).await.unwrap();
    let refused = async {
        loop {
            let answer = server.say(&get_of("/v1/read-models", "connection: close\r\n")).await;
            if answer.starts_with("HTTP/1.1 503") {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert!(answer.contains("retry-after: 1") && answer.contains("/problems/overloaded"), "{answer}");
    for probe in ["/livez", "/readyz", "/metrics"] {
        let answer = server.say(&get_of(probe, "connection: close\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.go.notify_one();
    assert!(until_closed(&mut first).await.ends_with("at last"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_says_whether_it_may_have_written() {
    let server = Server::start(quick()).await;
    let answer = server.say(&get_of("/slow", "connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("deadline-exceeded"), "{answer}");
    assert!(!answer.contains("\"outcome\""), "{answer}");
    let command = "POST /v1/streams/counter/a/commands/add HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 13\r\n\r\n{\"amount\": 1}";
    let answer = server.say(command).await;
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("outcome-unknown"), "{answer}");
    assert!(answer.contains("\"outcome\":\"unknown\""), "{answer}");
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_nothing_of_an_answer_loses_its_place_to_others() {
    let server = Server::start(Limits { connections: 1, stall_seconds: 1, ..Limits::default() }).await;
    let mut idle = server.connect().await;
    idle.write_all(get_of("/flood", "").as_bytes()).await.unwrap();
    // What it does not read fills the buffers between; from then on nothing moves.
    let ask = async {
        while !server.say(&get_of("/livez", "connection: close\r\n")).await.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.expect("the only place is kept for somebody who takes nothing");
    drop(idle);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_speak_http_2_from_its_first_byte() {
    let server = Server::start(Limits::default()).await;
    let io = hyper_util::rt::TokioIo::new(server.connect().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("http://localhost/livez").body(String::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    drop(sender);
    server.end().await;
    connection.await.unwrap().unwrap();
}
