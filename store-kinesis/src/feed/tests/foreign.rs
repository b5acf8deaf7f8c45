//! Records that are no commits.

use headwater::EventFeed;
use headwater::store::StoreError;

use super::rig::{Rig, versions};

#[tokio::test]
async fn a_record_of_another_program_is_counted_and_does_not_stop_the_shard() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let (_, nonsense) = rig.put_bytes("b", b"nonsense".to_vec()).await;
    rig.put_bytes("b", b"{}".to_vec()).await;
    rig.put("a", 2).await;
    let all = rig.drain(&at, None, 1, 2).await;
    assert_eq!((versions(&all.records), rig.feed.passed_over()), (vec![1, 2], 2));
    let first = &all.records[0].position;
    let batch = rig.feed.read_after(&at, Some(first), 1).await.unwrap();
    assert_eq!(
        (batch.records.len(), batch.next.as_ref()),
        (0, Some(&nonsense)),
        "it is passed by its position"
    );
    let resumed = rig.another().read_after(&at, Some(&nonsense), 10).await.unwrap();
    assert_eq!(versions(&resumed.records), [2]);
}

#[tokio::test]
async fn a_record_of_a_newer_format_stops_the_shard_in_front_of_it() {
    let rig = Rig::new(1).await;
    let at = rig.partition().await;
    rig.put("a", 1).await;
    let (_, newer) = rig.put_bytes("b", br#"{"format":1000}"#.to_vec()).await;
    rig.put("a", 2).await;
    let before = rig.read(&at, None).await.unwrap();
    assert_eq!((versions(&before.records), before.ended), (vec![1], false));
    for _ in 0..2 {
        let error = rig.read(&at, before.next.as_ref()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("position {newer}")), "{error}");
    }
    assert_eq!(rig.feed.passed_over(), 0);
}
