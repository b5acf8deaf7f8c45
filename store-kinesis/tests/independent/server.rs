//! Look-alikes as processes of their own, ended with the test.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// DynamoDB, Kinesis and S3 behind one port.
    pub(crate) async fn ministack() -> Self {
        let port = free_port();
        let mut command = Command::new(installed("HEADWATER_MINISTACK"));
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("LOG_LEVEL", "WARNING");
        Self::start(command, port).await
    }

    /// Kinesis.
    pub(crate) async fn kinesis_local() -> Self {
        let (port, encrypted) = (free_port(), free_port());
        let main = installed("HEADWATER_KINESIS_LOCAL");
        let certificate = std::path::Path::new(&main).with_file_name("server.json");
        let mut command = Command::new("node");
        command
            .arg(&main)
            .env("KINESIS_MOCK_PLAIN_PORT", port.to_string())
            .env("KINESIS_MOCK_TLS_PORT", encrypted.to_string())
            .env("KINESIS_MOCK_CERT_PATH", certificate)
            .env("SHARD_LIMIT", "1000")
            .env("LOG_LEVEL", "ERROR");
        for change in ["CREATE_STREAM", "DELETE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT"]
        {
            command.env(format!("{change}_DURATION"), "10ms");
        }
        Self::start(command, port).await
    }

    async fn start(mut command: Command, port: u16) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { process: process.unwrap(), url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < deadline, "{command:?} does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().unwrap();
        }
    }
}

fn installed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} does not say where the look-alike is: run the tests with `cargo xtask test`")
    })
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
