//! The limits of AWS, for those who ask for them.

use std::time::Duration;

use super::stream::{TestStream, entry, put_bytes};
use crate::clients;

const REFUSED: &str = "ProvisionedThroughputExceededException";
const MIB: usize = 1024 * 1024;
/// Longer than any limit lasts, and short of a reader's patience.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn records_above_the_limit_of_their_shard_are_refused_one_by_one_and_taken_later() {
    let local = clients::limited().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let entries = (0..500).map(|_| entry("a", vec![1; 4096 - 1])).collect();
    let put = stream.client.put_records().stream_name("orders").set_records(Some(entries));
    let answer = put.send().await.unwrap();
    let taken = MIB / 4096;
    assert_eq!(answer.failed_record_count(), Some(i32::try_from(500 - taken).unwrap()));
    for (index, result) in answer.records().iter().enumerate() {
        let expected = if index < taken { None } else { Some(REFUSED) };
        assert_eq!(result.error_code(), expected, "record {index}");
        assert_eq!(result.sequence_number().is_some(), expected.is_none(), "record {index}");
        assert_eq!(result.error_message().is_some(), expected.is_some(), "record {index}");
    }
    let shard = stream.first_shard().await;
    assert_eq!(stream.drain_shard(&shard).await.records.len(), taken);
    for _ in 0..ATTEMPTS {
        match put_bytes(&stream, "a", vec![1; MIB - 1]).await {
            Ok(_) => return local.stop().await,
            refused => assert_eq!(clients::code(refused), REFUSED),
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("a shard that is left alone takes nothing");
}

#[tokio::test]
async fn a_shard_that_is_read_too_often_refuses() {
    let local = clients::limited().await;
    let stream = TestStream::create(&clients::kinesis(local.kinesis_url()), "orders", 1).await;
    let shard = stream.first_shard().await;
    let iterator = stream.iterator(&shard, "LATEST".into()).await;
    let reads = (0..40).map(|_| stream.client.get_records().shard_iterator(&iterator).send());
    let (mut read, mut refused) = (0, 0);
    for answer in futures::future::join_all(reads).await {
        match answer {
            Ok(_) => read += 1,
            Err(_) => {
                assert_eq!(clients::code(answer), REFUSED);
                refused += 1;
            }
        }
    }
    assert!(read >= 5 && refused >= 1, "{read} read, {refused} refused");
    local.stop().await;
}
