//! Objects in S3: what is put once stays, answers that are lost are found again, and every refusal says what to do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use headwater_archive::Archive;
use headwater_archive::objects::{ObjectError, Objects, Put, S3Objects, Words};
use headwater_aws::testing::{Mishap, Wire};
use headwater_local::{ACCESS_KEY_ID, Local, Options, REGION, SECRET_ACCESS_KEY};
use headwater_projections::group::MemoryLeases;

use crate::world::{World, small};

struct Bucket {
    local: Local,
    wire: Wire,
    objects: S3Objects,
}

async fn bucket() -> Bucket {
    let local = Local::start(Options::default()).await.unwrap();
    let wire = Wire::default();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test"))
        .endpoint_url(local.s3_url())
        .force_path_style(true)
        .http_client(wire.http());
    let objects = S3Objects::new(&aws_sdk_s3::Client::from_conf(config.build()), "archive");
    objects.create_bucket().await.unwrap();
    objects.create_bucket().await.unwrap();
    drop(wire.bill());
    Bucket { local, wire, objects }
}

fn words() -> Words {
    Words::from([("partition".to_owned(), "p.1".to_owned()), ("first".to_owned(), "12".to_owned())])
}

#[tokio::test]
async fn an_object_is_put_once_and_reads_back_with_what_is_said_about_it() {
    let Bucket { local, objects, .. } = bucket().await;
    let key = "bank/v1/dt=2026-08-30/p.1-12.parquet";
    assert_eq!(objects.put_new(key, Bytes::from("one"), &words()).await.unwrap(), Put::Done);
    assert_eq!(objects.put_new(key, Bytes::from("two"), &Words::new()).await.unwrap(), Put::Taken);
    let object = objects.get(key).await.unwrap();
    assert_eq!((object.body, object.words), (Bytes::from("one"), words()));
    assert_eq!(objects.look(key).await.unwrap(), (words(), 3));
    for missing in [objects.look("none").await.map(drop), objects.get("none").await.map(drop)] {
        assert!(matches!(&missing, Err(ObjectError::Missing { key }) if key == "none"), "{missing:?}");
    }
    local.stop().await;
}

#[tokio::test]
async fn a_listing_goes_on_behind_a_key() {
    let Bucket { local, objects, .. } = bucket().await;
    for number in 0..5 {
        let put = objects.put_new(&format!("v1/{number}"), Bytes::from("x"), &Words::new()).await;
        assert_eq!(put.unwrap(), Put::Done);
    }
    let listed = objects.list("v1/", Some("v1/2")).await.unwrap();
    let keys: Vec<_> = listed.objects.into_iter().map(|listed| (listed.key, listed.bytes)).collect();
    assert_eq!((keys, listed.more), (vec![("v1/3".to_owned(), 1), ("v1/4".to_owned(), 1)], false));
    local.stop().await;
}

/// The SDK tries again by itself, and its second try meets the object of the first.
#[tokio::test]
async fn a_put_whose_answer_is_lost_finds_its_own_object() {
    let Bucket { local, wire, objects } = bucket().await;
    wire.will([Mishap::LostAnswer]);
    assert_eq!(objects.put_new("a", Bytes::from("one"), &words()).await.unwrap(), Put::Taken);
    assert_eq!(wire.bill().0, ["PutObject", "PutObject"]);
    assert_eq!(objects.get("a").await.unwrap().body, "one");
    local.stop().await;
}

#[tokio::test]
async fn what_s3_refuses_is_unavailable_with_the_reason() {
    // The last one is not tried again by the SDK.
    for (status, code, tries) in [(503, "SlowDown", 3), (500, "InternalError", 3), (403, "AccessDenied", 1)] {
        let Bucket { local, wire, objects } = bucket().await;
        wire.will([Mishap::Answer(status, code, ""); 3]);
        let error = objects.put_new("b", Bytes::from("one"), &words()).await.unwrap_err();
        let text = format!("{error:?}");
        assert!(matches!(error, ObjectError::Unavailable { .. }) && text.contains(code), "{text}");
        assert_eq!(wire.bill().0.len(), tries, "{code}");
        local.stop().await;
    }
}

/// The whole of it on S3, while it fails, is throttled and loses answers.
#[tokio::test(flavor = "multi_thread")]
async fn the_chain_is_whole_over_an_s3_that_fails_and_loses_answers() {
    let Bucket { local, wire, objects } = bucket().await;
    let mut world = World::new(2, small());
    world.rotation.age = Duration::from_millis(300);
    world.written = Archive::new(Arc::new(objects.clone()), "bank").unwrap();
    world.archive = Archive::new(Arc::new(objects), "bank").unwrap();
    wire.storm(
        4,
        &[Mishap::LostAnswer, Mishap::Answer(503, "SlowDown", ""), Mishap::Answer(500, "InternalError", "")],
    );
    let workers = [(), ()].map(|()| world.start_with(Arc::new(MemoryLeases::new())));
    world.load(100).await;
    let deadline = Instant::now() + Duration::from_secs(120);
    let published: usize = world.published().values().map(Vec::len).sum();
    loop {
        let files = world.archive.files().await;
        let events = files.map(|files| files.chains.values().flatten().map(|file| file.events).sum::<u64>());
        if events.is_ok_and(|events| events as usize == published) {
            break;
        }
        assert!(Instant::now() < deadline, "{published} events do not come into files");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    wire.storm(0, &[]);
    assert_eq!(world.archived().await, world.published());
    for worker in workers {
        worker.stop().await;
    }
    local.stop().await;
}
