//! What was acknowledged survives `kill -9`.
//!
//! The tests start this test binary again to run `the_process_that_is_killed`, which serves a directory and acknowledges
//! records or objects until it is killed.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use aws_sdk_s3::primitives::ByteStream;
use headwater_local::{Local, Options};

use crate::{
    clients,
    directory::TestDirectory,
    kinesis::stream::{TestStream, put},
    s3,
};

const DIRECTORY: &str = "HEADWATER_LOCAL_KILLED_DIRECTORY";
const SERVICE: &str = "HEADWATER_LOCAL_KILLED_SERVICE";
const ACKNOWLEDGED: &str = "acknowledged ";

/// Does nothing unless started by another test.
#[tokio::test]
async fn the_process_that_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let local = Local::start(Options::durable(directory)).await.unwrap();
    match std::env::var(SERVICE).unwrap().as_str() {
        "kinesis" => {
            let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "killed", 1).await;
            for number in 0.. {
                put(&stream, "key", &format!("{number}")).await;
                println!("{ACKNOWLEDGED}{number}");
            }
        }
        _ => {
            let client = s3::with_bucket(&local).await;
            for number in 0.. {
                s3::put(&client, &format!("chunk-{number}"), format!("{number}")).await;
                let text = format!("{number}");
                let put = client.put_object().bucket("archive").key("head").metadata("number", &text);
                put.body(ByteStream::from(text.into_bytes())).send().await.unwrap();
                println!("{ACKNOWLEDGED}{number}");
            }
        }
    }
}

/// Serves the directory in a process, and kills it after so many acknowledgements; answers all of them.
fn acknowledged_until_killed(directory: &TestDirectory, service: &str, count: usize) -> Vec<String> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_process_that_is_killed", "--nocapture"])
        .env(DIRECTORY, directory.path())
        .env(SERVICE, service)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.split_once(ACKNOWLEDGED).map(|(_, number)| number.to_owned());
    let mut acknowledged: Vec<String> = lines.by_ref().filter_map(number).take(count).collect();
    process.kill().unwrap();
    process.wait().unwrap();
    acknowledged.extend(lines.filter_map(number));
    assert!(acknowledged.len() >= count, "the process ended early");
    acknowledged
}

#[tokio::test]
async fn records_that_were_acknowledged_survive_kill_9() {
    let directory = TestDirectory::new();
    let acknowledged = acknowledged_until_killed(&directory, "kinesis", 200);
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::kinesis(local.kinesis_url());
    let stream = TestStream::open(&client, "killed").await;
    let kept = stream.read_all().await;
    assert_eq!(kept[..acknowledged.len()], acknowledged);
    local.stop().await;
}

#[tokio::test]
async fn objects_that_were_acknowledged_survive_kill_9_and_overwritten_ones_are_whole() {
    for count in [20, 30, 40] {
        let directory = TestDirectory::new();
        let acknowledged = acknowledged_until_killed(&directory, "s3", count);
        let local = Local::start(Options::durable(directory.path())).await.unwrap();
        let client = clients::s3(local.s3_url());
        for number in &acknowledged {
            assert_eq!(&s3::read(&client, &format!("chunk-{number}")).await, number);
        }
        let head = s3::read(&client, "head").await;
        let about = client.head_object().bucket("archive").key("head").send().await.unwrap();
        assert_eq!(about.metadata().and_then(|metadata| metadata.get("number")), Some(&head));
        let head: usize = head.parse().unwrap();
        assert!(head + 1 == acknowledged.len() || head == acknowledged.len(), "{head} of {acknowledged:?}");
        local.stop().await;
    }
}
