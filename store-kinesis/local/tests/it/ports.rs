//! A directory keeps its addresses, so that a command line goes on working over a restart.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use headwater_local::{Local, Options};

use crate::{clients, directory::TestDirectory};

fn urls(local: &Local) -> [String; 3] {
    [local.dynamodb_url(), local.kinesis_url(), local.s3_url()].map(str::to_owned)
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

/// The first start on a directory. Its ports are none that the system gives to others meanwhile: those begin at 32768 or
/// above.
async fn first_start(directory: &TestDirectory) -> Local {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() % 8_000).unwrap() + 20_000;
    let mut free = std::iter::repeat_with(|| begin + TAKEN.fetch_add(1, Ordering::SeqCst))
        .take(1000)
        .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let mut options = Options::durable(directory.path());
    options.dynamodb_port = free.next().unwrap();
    options.kinesis_port = free.next().unwrap();
    options.s3_port = free.next().unwrap();
    Local::start(options).await.unwrap()
}

#[tokio::test]
async fn a_directory_takes_the_ports_of_its_last_start_again() {
    let directory = TestDirectory::new();
    let local = first_start(&directory).await;
    let before = urls(&local);
    // Connections of the last start are in the way of some systems.
    clients::kinesis(local.kinesis_url()).list_streams().send().await.unwrap();
    local.stop().await;
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    assert_eq!(urls(&local), before);
    clients::kinesis(local.kinesis_url()).list_streams().send().await.unwrap();
    local.stop().await;
}

#[tokio::test]
async fn a_port_that_somebody_else_has_by_now_is_replaced_and_the_new_one_remembered() {
    let directory = TestDirectory::new();
    let local = first_start(&directory).await;
    let before = urls(&local);
    local.stop().await;
    let somebody = TcpListener::bind(("127.0.0.1", port(&before[1]))).unwrap();
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let meanwhile = urls(&local);
    assert_eq!((&meanwhile[0], &meanwhile[2]), (&before[0], &before[2]));
    assert_ne!(meanwhile[1], before[1]);
    local.stop().await;
    drop(somebody);
    let remembered = std::fs::read_to_string(directory.path().join("ports.json")).unwrap();
    assert!(remembered.contains(&format!("{}", port(&meanwhile[1]))), "{remembered}");
}

#[tokio::test]
async fn what_is_pasted_into_a_shell_names_every_service() {
    let local = clients::in_memory().await;
    let lines = local.describe();
    for (name, value) in [
        ("AWS_ENDPOINT_URL_DYNAMODB", local.dynamodb_url()),
        ("AWS_ENDPOINT_URL_KINESIS", local.kinesis_url()),
        ("AWS_ENDPOINT_URL_S3", local.s3_url()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", headwater_local::ACCESS_KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", headwater_local::SECRET_ACCESS_KEY),
    ] {
        let line = format!("export {name}={value}");
        assert!(lines.lines().any(|printed| printed == line), "{line} is not in {lines}");
    }
    local.stop().await;
}
