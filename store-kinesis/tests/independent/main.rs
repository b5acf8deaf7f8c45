//! The store on look-alikes that are not ours: a second opinion on what the tests on our own believe of AWS.
//!
//! `cargo xtask test` installs them and runs these tests. What a look-alike gets wrong stands in `differences.rs`, and
//! must indeed go wrong: when a newer one is right, the test says so.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backend;
mod differences;
#[path = "../it/resharding.rs"]
mod resharding;
#[path = "../it/rig.rs"]
mod rig;
mod server;

use std::sync::Arc;

use backend::Independent;
use server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conformance_suite_on_ministack_for_dynamodb_and_kinesis() {
    let ministack = Server::ministack().await;
    let backend = Independent::new(ministack.url(), ministack.url());
    differences::compare("ministack", differences::MINISTACK, Arc::new(backend)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_conformance_suite_on_kinesis_local_for_kinesis() {
    let kinesis = Server::kinesis_local().await;
    let backend = Independent::new(rig::addresses().0, kinesis.url());
    differences::compare("kinesis-local", differences::KINESIS_LOCAL, Arc::new(backend)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_of_kinesis_local_split_and_merge_under_a_reader() {
    let kinesis = Server::kinesis_local().await;
    let backend = Independent::new(rig::addresses().0, kinesis.url());
    let config = backend.fresh().await;
    resharding::through_a_split_and_a_merge(backend.clients(), &config).await;
}
