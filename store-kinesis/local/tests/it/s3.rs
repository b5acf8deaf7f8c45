//! S3 answers, and keeps what it acknowledged.

use aws_sdk_s3::{Client, primitives::ByteStream};
use headwater_local::{Local, Options};

use crate::{clients, directory::TestDirectory};

async fn put_if_absent(client: &Client, key: &str, body: String) -> Result<(), String> {
    let body = ByteStream::from(body.into_bytes());
    let put = client.put_object().bucket("archive").key(key).if_none_match("*").body(body).send().await;
    if put.is_ok() { Ok(()) } else { Err(clients::code(put)) }
}

async fn read(client: &Client, key: &str) -> String {
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
