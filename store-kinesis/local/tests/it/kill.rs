//! What was acknowledged survives `kill -9`.
//!
//! The test starts this test binary again to run `the_process_that_is_killed`, which serves a directory and acknowledges
//! records until it is killed.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use headwater_local::{Local, Options};

use crate::{
    clients,
    directory::TestDirectory,
    kinesis::stream::{TestStream, put},
};

const DIRECTORY: &str = "HEADWATER_LOCAL_KILLED_DIRECTORY";
const ACKNOWLEDGED: &str = "acknowledged ";
/// After how many records the process is killed.
const RECORDS: usize = 200;

/// Does nothing unless started by the other test.
#[tokio::test]
async fn the_process_that_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let local = Local::start(Options::durable(directory)).await.unwrap();
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::create(&client, "killed", 1).await;
    for number in 0.. {
        put(&stream, "key", &format!("{number}")).await;
        println!("{ACKNOWLEDGED}{number}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = TestDirectory::new();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.split_once(ACKNOWLEDGED).map(|(_, number)| number.to_owned());
    let mut acknowledged: Vec<String> = lines.by_ref().filter_map(number).take(RECORDS).collect();
    process.kill().unwrap();
    process.wait().unwrap();
    acknowledged.extend(lines.filter_map(number));
    assert!(acknowledged.len() >= RECORDS, "the process ended early");

    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::open(&client, "killed").await;
    let kept = stream.read_all().await;
    assert_eq!(kept[..acknowledged.len()], acknowledged);
    local.stop().await;
}
