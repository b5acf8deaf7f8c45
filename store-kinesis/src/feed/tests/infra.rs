//! The stream is made and changed as configured, by any number of processes at once.

use headwater::EventFeed;
use headwater_aws::Failure;

use super::rig::Rig;
use crate::Shards;
use crate::feed::stream::{Difference, apply, check};

fn missing() -> Difference {
    Difference::Missing { stream: "test-feed".to_owned() }
}

#[tokio::test]
async fn a_missing_stream_is_made_with_the_retention_and_shards_asked_for() {
    for (shards, expected) in [(Shards::Provisioned(3), 3), (Shards::OnDemand, 4)] {
        let mut rig = Rig::new(0).await;
        (rig.config.shards, rig.config.retention_hours) = (shards, 48);
        assert_eq!(check(&rig.client, &rig.config).await.unwrap(), [missing()]);
        let retention = Difference::Retention { stream: "test-feed".to_owned(), found: 24, wanted: 48 };
        assert_eq!(apply(&rig.client, &rig.config).await.unwrap(), [missing(), retention]);
        assert_eq!(rig.feed.partitions().await.unwrap().len(), expected);
        assert!(apply(&rig.client, &rig.config).await.unwrap().is_empty(), "it is as it should be");
        rig.config.retention_hours = 24;
        assert!(check(&rig.client, &rig.config).await.unwrap().is_empty(), "a longer retention is kept");
    }
}

#[tokio::test]
async fn processes_that_make_the_stream_at_the_same_time_all_find_it_usable() {
    let rig = Rig::new(0).await;
    let applied = futures::future::join_all((0..8).map(|_| apply(&rig.client, &rig.config))).await;
    for changed in applied {
        assert!(changed.unwrap().len() <= 1);
    }
    rig.put("a", 1).await;
}

#[tokio::test]
async fn a_stream_that_is_being_made_is_not_usable_yet() {
    let rig = Rig::slow().await;
    rig.client.create_stream().stream_name("test-feed").shard_count(1).send().await.unwrap();
    let status = "CREATING".to_owned();
    let left = check(&rig.client, &rig.config).await.unwrap();
    assert_eq!(left, [Difference::NotActive { stream: "test-feed".to_owned(), status }]);
    assert!(rig.feed.partitions().await.unwrap_err().retry_helps());
    assert!(apply(&rig.client, &rig.config).await.unwrap().is_empty());
    assert_eq!(rig.feed.partitions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_kinesis_refuses_is_told() {
    let mut rig = Rig::new(0).await;
    rig.config.retention_hours = 9000;
    match apply(&rig.client, &rig.config).await {
        Err(Failure::Unavailable { attempted, .. }) => {
            assert_eq!(attempted, "raise the retention of stream test-feed")
        }
        other => panic!("unavailable, not {other:?}"),
    }
}
