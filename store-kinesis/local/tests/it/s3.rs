//! S3 answers, and keeps what it acknowledged.

use std::time::Duration;

use aws_sdk_s3::{Client, error::SdkError, primitives::ByteStream};
use headwater_local::{Local, Options};

use crate::{clients, directory::TestDirectory};

async fn put_if_absent(client: &Client, key: &str, body: String) -> Result<(), String> {
    let body = ByteStream::from(body.into_bytes());
    let put = client.put_object().bucket("archive").key(key).if_none_match("*").body(body).send().await;
    if put.is_ok() { Ok(()) } else { Err(clients::code(put)) }
}

pub(crate) async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    let put = client.put_object().bucket("archive").key(key).body(ByteStream::from(body.into()));
    put.send().await.unwrap();
}

pub(crate) async fn with_bucket(local: &Local) -> Client {
    let client = clients::s3(local.s3_url());
    client.create_bucket().bucket("archive").send().await.unwrap();
    client
}

/// The status of a refusal.
fn status<T: std::fmt::Debug, E>(answer: Result<T, SdkError<E>>) -> u16 {
    answer.err().unwrap().raw_response().unwrap().status().as_u16()
}

pub(crate) async fn read(client: &Client, key: &str) -> String {
    let object = client.get_object().bucket("archive").key(key).send().await.unwrap();
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn of_twelve_racing_conditional_puts_one_wins_and_its_object_stays() {
    let local = clients::in_memory().await;
    let client = clients::s3(local.s3_url());
    client.create_bucket().bucket("archive").send().await.unwrap();
    for round in 0..10 {
        let key = format!("chunk-{round}");
        let puts = (0..12).map(|racer| put_if_absent(&client, &key, format!("by {racer}")));
        let answers = futures::future::join_all(puts).await;
        let winners: Vec<usize> = (0..12).filter(|racer| answers[*racer].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let refused =
            answers.iter().filter(|answer| answer.as_ref() == Err(&"PreconditionFailed".to_owned()));
        assert_eq!(refused.count(), 11, "{answers:?}");
        assert_eq!(read(&client, &key).await, format!("by {}", winners[0]));
    }
    local.stop().await;
}

#[tokio::test]
async fn an_object_outlives_a_restart() {
    let directory = TestDirectory::new();
    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    let client = clients::s3(local.s3_url());
    client.create_bucket().bucket("archive").send().await.unwrap();
    put_if_absent(&client, "chunk", "kept".to_owned()).await.unwrap();
    local.stop().await;

    let local = Local::start(Options::durable(directory.path())).await.unwrap();
    assert_eq!(read(&clients::s3(local.s3_url()), "chunk").await, "kept");
    local.stop().await;
}

#[tokio::test]
async fn a_read_is_refused_when_its_condition_fails() {
    let local = clients::in_memory().await;
    let client = with_bucket(&local).await;
    put(&client, "chunk", "one").await;
    let tag = client.head_object().bucket("archive").key("chunk").send().await.unwrap().e_tag.unwrap();
    let get = || client.get_object().bucket("archive").key("chunk");
    let head = || client.head_object().bucket("archive").key("chunk");
    assert_eq!(status(get().if_none_match(&tag).send().await), 304);
    assert_eq!(status(head().if_none_match(&tag).send().await), 304);
    get().if_match(&tag).send().await.unwrap();
    put(&client, "chunk", "two").await;
    assert_eq!(clients::code(get().if_match(&tag).send().await), "PreconditionFailed");
    assert_eq!(status(head().if_match(&tag).send().await), 412);
    get().if_none_match(&tag).send().await.unwrap();
    local.stop().await;
}

#[tokio::test]
async fn a_bucket_is_made_once_and_only_by_asking_for_it() {
    let local = clients::in_memory().await;
    let client = with_bucket(&local).await;
    let again = client.create_bucket().bucket("archive").send().await;
    assert_eq!(clients::code(again), "BucketAlreadyOwnedByYou");
    let large = ByteStream::from(vec![1; 3_000_000]);
    let absent = client.put_object().bucket("absent").key("chunk").body(large).send().await;
    assert_eq!(clients::code(absent), "NoSuchBucket");
    let absent = client.get_object().bucket("absent").key("chunk").send().await;
    assert_eq!(clients::code(absent), "NoSuchBucket");
    assert_eq!(client.list_buckets().send().await.unwrap().buckets().len(), 1);
    local.stop().await;
}

#[tokio::test]
async fn a_key_that_files_cannot_hold_is_refused_clearly_and_one_of_the_archive_is_not() {
    let local = clients::in_memory().await;
    let client = with_bucket(&local).await;
    let position = "4".repeat(56);
    let key = format!("headwater/v1/dt=2026-11-23/shardId-000000000000-{position}.parquet");
    put(&client, &key, "rows").await;
    assert_eq!(read(&client, &key).await, "rows");
    let listed = client.list_objects_v2().bucket("archive").prefix("headwater/v1/dt=").send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some(key.as_str()));
    let long = "k".repeat(200);
    for (key, code) in
        [(long.as_str(), "KeyTooLongError"), ("headwater/v1", "InvalidArgument"), ("a//b", "InvalidArgument")]
    {
        let put = client.put_object().bucket("archive").key(key).body(ByteStream::from_static(b"x"));
        assert_eq!(clients::code(put.send().await), code, "{key}");
    }
    let folder = client.get_object().bucket("archive").key("headwater/v1").send().await;
    assert_eq!(clients::code(folder), "NoSuchKey");
    local.stop().await;
}

#[tokio::test]
async fn a_put_with_the_wrong_checksum_changes_nothing() {
    let local = clients::in_memory().await;
    let client = with_bucket(&local).await;
    let put = client.put_object().bucket("archive").key("chunk").checksum_crc32("AAAAAA==");
    assert_eq!(clients::code(put.body(ByteStream::from_static(b"one")).send().await), "BadDigest");
    let get = client.get_object().bucket("archive").key("chunk").send().await;
    assert_eq!(clients::code(get), "NoSuchKey");
    put_if_absent(&client, "chunk", "one".to_owned()).await.unwrap();
    let put = client.put_object().bucket("archive").key("chunk").checksum_crc32("AAAAAA==");
    assert_eq!(clients::code(put.body(ByteStream::from_static(b"two")).send().await), "BadDigest");
    assert_eq!(read(&client, "chunk").await, "one");
    local.stop().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_whole_objects() {
    let local = clients::in_memory().await;
    let client = with_bucket(&local).await;
    put(&client, "chunk", "0").await;
    for round in 1..=60_u64 {
        let body = format!("{round}").repeat(10_000);
        let hangs_up = put(&client, "chunk", body);
        // Now and then in the middle of the work: the delays go from nothing to longer than a put takes.
        let _ = tokio::time::timeout(Duration::from_micros(round * 150), hangs_up).await;
        let client = clients::s3(local.s3_url());
        read(&client, "chunk").await;
    }
    local.stop().await;
}
