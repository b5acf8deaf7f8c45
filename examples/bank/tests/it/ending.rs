//! `bank serve` is stopped in the middle of everything: every request is answered, subscriptions end as they should,
//! leases are released and everything is published. What is left is looked at where it lies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_projections::GROUP;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::cloud::Cloud;
use crate::process::Dev;

/// Clients that send commands while the server ends, and answers they have before it does.
const CLIENTS: usize = 16;
const ANSWERS: u32 = 200;
/// The longest a client thinks before its next command.
const THINKING_MILLIS: u64 = 40;
/// A client that asks again within this time must be answered, however the end falls: less than the server waits for one
/// more request before it closes a connection.
const SOON: Duration = Duration::from_millis(200);
/// The limits of the server, that where a request does not end, and what publishing may take besides.
const DRAIN_SECONDS: u64 = 2;
const STOP_SECONDS: u64 = 20;
const CUT_OFF_SECONDS: u64 = 12;
const PUBLISH: Duration = headwater_store_kinesis::outbox::limits::STOP_WITHIN;
/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a client has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Commands that were carried out.
    carried_out: u64,
    /// Commands that were refused by a problem that says so.
    refused: u64,
    /// Commands on a connection that was closed before they were taken: nothing was done, which is looked up.
    crossed: u64,
}

/// A connection whose requests are written by hand, so that it is known what became of each.
struct Wire {
    stream: BufReader<TcpStream>,
    /// When the last request that was answered was sent; none before the first.
    last: Option<Instant>,
    /// Whether the server said that it closes the connection.
    over: bool,
}

/// An answer: status, and body.
type Answer = (u16, String);

impl Wire {
    /// Sends a command and reads its answer. None came when the connection was closed before the command was taken.
    async fn send(&mut self, account: &str, command: &str, body: &str) -> Option<Answer> {
        let length = body.len();
        let request = format!(
            "POST /v1/streams/account/{account}/commands/{command} HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let asked = Instant::now();
        let written = self.stream.write_all(request.as_bytes()).await;
        // The end began after the request before this one was asked, or its answer would have said so; and this one is there
        // by now. However long a machine that is short of time keeps a client waiting before or after: that is not counted.
        let soon = self.last.is_some_and(|last| last.elapsed() < SOON);
        let read = match written {
            Ok(()) => self.answer().await,
            Err(error) => Err(error),
        };
        match read {
            Ok(Some(answer)) => {
                self.last = Some(asked);
                Some(answer)
            }
            // The end must not fall between the requests of a client that goes on asking.
            ended => {
                assert!(!soon, "{account}: a command that came soon after an answer got none: {ended:?}");
                None
            }
        }
    }

    /// Reads an answer; none when the connection ends before it begins.
    async fn answer(&mut self) -> std::io::Result<Option<Answer>> {
        let (mut line, mut status, mut length) = (String::new(), None, 0);
        loop {
            line.clear();
            let read = self.stream.read_line(&mut line).await?;
            if read == 0 {
                assert!(status.is_none(), "half of an answer");
                return Ok(None);
            }
            match line.trim_end().split_once(": ") {
                _ if status.is_none() => {
                    status = line.split(' ').nth(1).map(|status| status.parse().unwrap())
                }
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", "close")) => self.over = true,
                None => break,
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("a whole answer");
        Ok(Some((status.unwrap(), String::from_utf8(body).unwrap())))
    }
}

async fn connect(address: &str) -> Option<Wire> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).unwrap();
    Some(Wire { stream: BufReader::new(stream), last: None, over: false })
}

/// Pays into an account of its own, on one connection as long as it lasts, until nobody listens any more.
async fn pay_in(address: String, account: String, answers: Arc<Semaphore>) -> Seen {
    let mut seen = Seen::default();
    while let Some(mut wire) = connect(&address).await {
        loop {
            match wire.send(&account, "deposit", "{\"amount\": 1}").await {
                Some((200, _)) => seen.carried_out += 1,
                Some((503, body)) if body.contains("/problems/") => seen.refused += 1,
                Some((status, body)) => panic!("{account}: {status} {body}"),
                None => {
                    // The first request of a connection that was closed before anybody looked at it, or one that came late.
                    seen.crossed += 1;
                    break;
                }
            }
            answers.add_permits(1);
            if wire.over {
                break;
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(..THINKING_MILLIS))).await;
        }
    }
    seen
}

/// Subscribes, says when the first event has come, and gives everything up to the end of the connection.
async fn subscribe(address: String, path: &str, form: &str, began: Arc<Semaphore>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {form}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut text, mut buffer, mut told) = (String::new(), [0; 16 * 1024], false);
    loop {
        let read = stream.read(&mut buffer).await.expect("it is ended, and not cut off");
        if read == 0 {
            return text;
        }
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if !told && text.contains("Deposited") {
            told = true;
            began.add_permits(1);
        }
    }
}

/// That a subscription was ended as its form has it, and told.
fn ended_well(text: &str, bye: &str) {
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let tail = text.get(text.len().saturating_sub(400)..).unwrap_or(text);
    assert!(text.ends_with("\r\n0\r\n\r\n"), "the last chunk is missing: {tail:?}");
    assert!(tail.contains(bye), "it was not told: {tail:?}");
}

/// That nobody has a lease any more, and nothing is left to publish.
async fn nothing_left(cloud: &Cloud) {
    for group in [GROUP, headwater_archive::GROUP] {
        let items = cloud.group(group).await;
        assert_eq!(items.leases.len(), 2, "{group}: {:?}", items.leases);
        for lease in items.leases.values() {
            assert_eq!(lease.owner, None, "{group}: the lease of {} was not released", lease.partition);
        }
    }
    assert!(cloud.writers().await.is_empty(), "a writer is still on the books");
}

async fn open_account(address: &str, account: &str) {
    let mut wire = connect(address).await.unwrap();
    let opened = wire.send(account, "open", "{\"owner\": \"ada\", \"overdraft_limit\": 0}").await;
    assert_eq!(opened.unwrap().0, 201);
}

async fn terminate(server: Dev) -> (Option<i32>, Vec<String>) {
    tokio::task::spawn_blocking(move || server.terminate()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_under_load_answers_every_request_and_leaves_nothing_behind() {
    let cloud = Cloud::start().await;
    let (drain, stop) = (DRAIN_SECONDS.to_string(), STOP_SECONDS.to_string());
    let server = cloud
        .serve(&[("HEADWATER_LIMITS__DRAIN_SECONDS", &drain), ("HEADWATER_LIMITS__STOP_SECONDS", &stop)]);
    let (address, url) = (server.address(), server.url.clone());
    for number in 0..CLIENTS {
        open_account(&address, &format!("c{number}")).await;
    }
    let (answers, began) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let follow = |path, form| tokio::spawn(subscribe(address.clone(), path, form, Arc::clone(&began)));
    let feed = follow("/v1/events", "text/event-stream");
    let stream = follow("/v1/streams/account/c0/events", "application/x-ndjson");
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(pay_in(address.clone(), format!("c{number}"), Arc::clone(&answers))))
        .collect();
    let under_way = async {
        answers.acquire_many(ANSWERS).await.unwrap().forget();
        began.acquire_many(2).await.unwrap().forget();
    };
    tokio::time::timeout(PATIENCE, under_way).await.expect("the load does not begin");
    // While it drains it is not ready, and answers all the same.
    let not_ready = tokio::spawn(async move {
        let client = reqwest::Client::new();
        loop {
            match client.get(format!("{url}/readyz")).send().await {
                Ok(answer) if answer.status() == 503 => return answer.text().await.unwrap(),
                Ok(_) => {}
                Err(error) => panic!("it never said that it is not ready: {error}"),
            }
        }
    });
    let asked = Instant::now();
    let (code, lines) = terminate(server).await;
    let took = asked.elapsed();
    assert_eq!(code, Some(0), "{lines:?}");
    let limit = Duration::from_secs(DRAIN_SECONDS + STOP_SECONDS) + PUBLISH;
    assert!(took < limit, "it took {took:?}, and its limits are {limit:?}");
    assert!(not_ready.await.unwrap().contains("/problems/draining"));

    ended_well(&feed.await.unwrap(), "event: bye\n");
    ended_well(&stream.await.unwrap(), "\"control\":\"bye\"");
    let mut all = Vec::new();
    for client in clients {
        all.push(client.await.unwrap());
    }
    nothing_left(&cloud).await;
    let (ledger, unpublished) = cloud.ledger_and_unpublished().await;
    assert!(unpublished.is_empty(), "in the ledger and not in the feed: {unpublished:?}");
    for (number, seen) in all.iter().enumerate() {
        let account = format!("account/c{number}");
        let commits = ledger.iter().filter(|(stream, _)| *stream == account).count() as u64;
        // What was opened, and what was said to be carried out: no more and no less.
        assert_eq!(commits, 1 + seen.carried_out, "{account}: {seen:?}");
        assert!(seen.carried_out > 0, "{account}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_cut_off_and_keeps_neither_leases_nor_commits() {
    let cloud = Cloud::start().await;
    let stop = CUT_OFF_SECONDS.to_string();
    let server =
        cloud.serve(&[("HEADWATER_LIMITS__BODY_SECONDS", "600"), ("HEADWATER_LIMITS__STOP_SECONDS", &stop)]);
    let address = server.address();
    open_account(&address, "a").await;
    let mut half = TcpStream::connect(&address).await.unwrap();
    let request = "POST /v1/streams/account/a/commands/deposit HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/json\r\ncontent-length: 13\r\n\r\n{\"amount\"";
    half.write_all(request.as_bytes()).await.unwrap();
    // It has its seat when the server knows of a request under way beside the one that asks.
    let client = reqwest::Client::new();
    let seated = async {
        loop {
            let metrics = client.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await;
            if metrics.unwrap().contains("headwater_http_requests_under_way 2") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, seated).await.expect("it never began");
    let held = async |cloud: &Cloud| {
        let items = cloud.group(GROUP).await;
        items.leases.values().filter(|lease| lease.owner.is_some()).count()
    };
    let reads = async {
        while held(&cloud).await < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reads).await.expect("it never read");
    let ending = tokio::spawn(terminate(server));
    // Others have the leases while the server still waits for the request.
    let released = async {
        while held(&cloud).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(CUT_OFF_SECONDS), released).await.expect("leases are kept");
    let (code, lines) = ending.await.unwrap();
    assert_eq!(code, Some(1), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("not everything was finished")), "{lines:?}");
    nothing_left(&cloud).await;
    let (ledger, unpublished) = cloud.ledger_and_unpublished().await;
    assert_eq!((ledger.len(), unpublished.len()), (1, 0), "{ledger:?} {unpublished:?}");
}
