//! Look-alikes in this process, one set of them for all tests.

use std::sync::OnceLock;

use headwater_aws::testing;
use headwater_local::{Local, Options};
use headwater_store_kinesis::{Clients, Config, Shards};

/// The look-alikes, kept until the process ends.
fn local() -> &'static Local {
    static LOCAL: OnceLock<Local> = OnceLock::new();
    LOCAL.get_or_init(|| {
        // Of its own, because tests end their runtimes.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut options = Options::default();
        options.transition = std::time::Duration::from_millis(1);
        std::thread::spawn(move || runtime.block_on(Local::start(options))).join().unwrap().unwrap()
    })
}

/// Clients of services at these addresses.
pub(crate) fn clients_of(dynamodb: &str, kinesis: &str) -> Clients {
    Clients { dynamodb: testing::dynamodb(dynamodb), kinesis: testing::kinesis(kinesis) }
}

/// Where the look-alikes of this process listen: DynamoDB and Kinesis.
pub(crate) fn addresses() -> (&'static str, &'static str) {
    (local().dynamodb_url(), local().kinesis_url())
}

/// A configuration that no test has to wait for.
pub(crate) fn quick(prefix: &str) -> Config {
    let mut config = Config::new(prefix);
    config.shards = Shards::Provisioned(2);
    config.reads_per_second = 500;
    config
}
