//! The three services together.

use crate::{
    ACCESS_KEY_ID, LocalError, Options, REGION, SECRET_ACCESS_KEY, directory::Directory, dynamodb, kinesis,
    ports::Remembered, s3, server::Server,
};

const DYNAMODB: &str = "dynamodb";
const KINESIS: &str = "kinesis";
const S3: &str = "s3";

/// DynamoDB, Kinesis and S3 on loopback, until stopped or dropped.
#[derive(Debug)]
pub struct Local {
    dynamodb: Server,
    kinesis: Server,
    s3: Server,
    /// Behind the servers, so that it is released when none of them writes any more.
    directory: Directory,
}

impl Local {
    /// Starts the services. They answer once this returns.
    ///
    /// # Errors
    /// [`LocalError::InUse`] when another start has the directory, and the others when the directory or a port cannot
    /// be used.
    ///
    /// # Cancel safety
    /// Cancelled, it leaves nothing running.
    pub async fn start(options: Options) -> Result<Self, LocalError> {
        let start = tokio::task::spawn_blocking(move || {
            let directory = Directory::take(options.data_dir.clone())?;
            let last = Remembered::load(&directory);
            let dynamodb = dynamodb::start(&directory, last.port(DYNAMODB, options.dynamodb_port))?;
            let kinesis = kinesis::start(&directory, &options, last.port(KINESIS, options.kinesis_port))?;
            let s3 = s3::start(&directory, last.port(S3, options.s3_port))?;
            let ports = [(DYNAMODB, dynamodb.port()), (KINESIS, kinesis.port()), (S3, s3.port())];
            Remembered::store(&directory, &ports)?;
            Ok(Self { dynamodb, kinesis, s3, directory })
        });
        start.await.expect("starting does not panic")
    }

    /// Where DynamoDB listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn dynamodb_url(&self) -> &str {
        self.dynamodb.url()
    }

    /// Where Kinesis listens.
    #[must_use]
    pub fn kinesis_url(&self) -> &str {
        self.kinesis.url()
    }

    /// Where S3 listens. Clients must use path style.
    #[must_use]
    pub fn s3_url(&self) -> &str {
        self.s3.url()
    }

    /// The region to give to clients.
    #[must_use]
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// The access key to give to clients.
    #[must_use]
    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY_ID
    }

    /// The secret to give to clients.
    #[must_use]
    pub fn secret_access_key(&self) -> &'static str {
        SECRET_ACCESS_KEY
    }

    /// The directory in use; a temporary one when none was named.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The environment variables by which the `aws` command line and the SDKs of AWS find the services.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &str); 7] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_url()),
            ("AWS_ENDPOINT_URL_KINESIS", self.kinesis_url()),
            ("AWS_ENDPOINT_URL_S3", self.s3_url()),
            ("AWS_REGION", self.region()),
            ("AWS_DEFAULT_REGION", self.region()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key()),
        ]
    }

    /// [`Self::environment`] as lines to paste into a shell, to look inside with the `aws` command line.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), headwater_local::LocalError> {
    /// # use headwater_local::{Local, Options};
    /// let local = Local::start(Options::default()).await?;
    /// let lines = local.describe();
    /// assert!(lines.contains("export AWS_ENDPOINT_URL_KINESIS=http://127.0.0.1:"));
    /// # local.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn describe(&self) -> String {
        self.environment().map(|(name, value)| format!("export {name}={value}\n")).concat()
    }

    /// Stops the services and waits until the directory is free again.
    ///
    /// Dropping does the same, and holds up the thread that drops.
    pub async fn stop(self) {
        for server in [&self.dynamodb, &self.kinesis, &self.s3] {
            server.ask_to_stop();
        }
        let dropped = tokio::task::spawn_blocking(move || drop(self)).await;
        dropped.expect("stopping does not panic");
    }
}
