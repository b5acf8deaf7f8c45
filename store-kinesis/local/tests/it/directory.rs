//! One process at a time, and nothing left behind where nobody named a directory.

use std::path::{Path, PathBuf};

use headwater_local::{Local, LocalError, Options};

use crate::clients;

/// A directory for one test.
pub(crate) struct TestDirectory(PathBuf);

impl TestDirectory {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("headwater-local-test-{}", uuid::Uuid::now_v7())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        // A test that failed early may not have made it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_second_start_on_the_same_directory_is_refused_until_the_first_stops() {
    let directory = TestDirectory::new();
    let first = Local::start(Options::durable(directory.path())).await.unwrap();
    let second = Local::start(Options::durable(directory.path())).await;
    assert!(matches!(second, Err(LocalError::InUse { .. })), "{second:?}");
    first.stop().await;
    let third = Local::start(Options::durable(directory.path())).await.unwrap();
    drop(third);
    Local::start(Options::durable(directory.path())).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let local = clients::in_memory().await;
    let port: u16 = local.kinesis_url().rsplit(':').next().unwrap().parse().unwrap();
    let mut options = Options::default();
    options.kinesis_port = port;
    let refused = Local::start(options).await.unwrap_err();
    assert!(matches!(refused, LocalError::Port { service: "Kinesis", port: named, .. } if named == port));
    local.stop().await;
}

#[tokio::test]
async fn a_temporary_directory_goes_away_and_a_stopped_service_answers_no_more() {
    let local = clients::in_memory().await;
    let directory = local.directory().to_owned();
    let client = clients::kinesis(local.kinesis_url());
    client.list_streams().send().await.unwrap();
    assert!(directory.exists());
    local.stop().await;
    assert!(!directory.exists());
    assert!(client.list_streams().send().await.is_err());
}
