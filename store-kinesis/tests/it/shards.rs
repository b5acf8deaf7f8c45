//! Shards of the embedded look-alike change.

use crate::resharding::through_a_split_and_a_merge;
use crate::stores::{clients, fresh};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_split_and_merge_under_a_reader() {
    through_a_split_and_a_merge(&clients(), &fresh().await).await;
}
