//! Retry and timeout settings of the SDK for each kind of use; none is left at the SDK's defaults by accident.
//!
//! The SDK's own back-off starts at one second, its only timeout is that of connecting, and its retry budget is shared
//! by everything in the process that talks to the same service. A command wants to know within seconds, and a backfill
//! may not use up the budget of commands.

use std::borrow::Cow;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;

/// How requests of one kind of use are tried again and given up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The name of the retry budget; uses of other names have other budgets.
    pub budget: Cow<'static, str>,
    /// Tries of a request, the first included.
    pub attempts: u32,
    /// The pause before the second try, before jitter; it doubles from there.
    pub initial_backoff: Duration,
    /// The longest pause.
    pub max_backoff: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one try may take.
    pub attempt_timeout: Duration,
    /// How long all tries of a request may take together.
    pub operation_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self::commands()
    }
}

impl Settings {
    /// Commands: somebody waits. Many quick tries, given up after ten seconds.
    #[must_use]
    pub fn commands() -> Self {
        Self {
            budget: "headwater-commands".into(),
            attempts: 5,
            initial_backoff: Duration::from_millis(25),
            max_backoff: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(3),
            operation_timeout: Duration::from_secs(10),
        }
    }

    /// Publishing: nobody waits, and what fails is tried again by the publisher itself.
    #[must_use]
    pub fn publishing() -> Self {
        Self {
            budget: "headwater-publishing".into(),
            attempts: 3,
            initial_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(10),
            operation_timeout: Duration::from_secs(30),
            ..Self::commands()
        }
    }

    /// Reading the feed: the reader comes again anyway, so a failure is told soon.
    #[must_use]
    pub fn reading() -> Self {
        Self {
            budget: "headwater-reading".into(),
            attempts: 2,
            initial_backoff: Duration::from_millis(100),
            attempt_timeout: Duration::from_secs(5),
            ..Self::commands()
        }
    }

    /// Keeping books: marks, leases and checkpoints. Late is as bad as never, and the next one comes soon.
    #[must_use]
    pub fn bookkeeping() -> Self {
        Self {
            budget: "headwater-bookkeeping".into(),
            attempts: 3,
            attempt_timeout: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(3),
            ..Self::commands()
        }
    }

    /// Files of the archive: large bodies, nobody waits, and what fails is tried again by whoever asked.
    #[must_use]
    pub fn archive() -> Self {
        Self {
            budget: "headwater-archive".into(),
            attempts: 3,
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(60),
            operation_timeout: Duration::from_secs(180),
            ..Self::commands()
        }
    }

    /// Backfill: large pages, patience, and a budget of its own, so that it cannot starve commands.
    #[must_use]
    pub fn backfill() -> Self {
        Self {
            budget: "headwater-backfill".into(),
            attempts: 8,
            initial_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(15),
            operation_timeout: Duration::from_secs(90),
            ..Self::commands()
        }
    }

    /// The retry settings as the SDKs take them.
    #[must_use]
    pub fn retry(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_initial_backoff(self.initial_backoff)
            .with_max_backoff(self.max_backoff)
    }

    /// The timeouts as the SDKs take them.
    #[must_use]
    pub fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect_timeout)
            .read_timeout(self.attempt_timeout)
            .operation_attempt_timeout(self.attempt_timeout)
            .operation_timeout(self.operation_timeout)
            .build()
    }

    /// The same client of DynamoDB with these settings in place of its own.
    #[must_use]
    pub fn dynamodb(&self, client: &aws_sdk_dynamodb::Client) -> aws_sdk_dynamodb::Client {
        let config = client.config().to_builder().retry_config(self.retry());
        let config = config.timeout_config(self.timeouts()).retry_partition(self.partition());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// The same client of Kinesis with these settings in place of its own.
    #[must_use]
    pub fn kinesis(&self, client: &aws_sdk_kinesis::Client) -> aws_sdk_kinesis::Client {
        let config = client.config().to_builder().retry_config(self.retry());
        let config = config.timeout_config(self.timeouts()).retry_partition(self.partition());
        aws_sdk_kinesis::Client::from_conf(config.build())
    }

    /// The retry budget as the SDKs take it.
    #[must_use]
    pub fn partition(&self) -> RetryPartition {
        RetryPartition::custom(self.budget.clone()).build()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config};

    use super::*;

    #[test]
    fn every_use_has_its_own_budget_and_leaves_nothing_to_the_sdk() {
        let uses = [
            Settings::commands(),
            Settings::publishing(),
            Settings::reading(),
            Settings::bookkeeping(),
            Settings::archive(),
            Settings::backfill(),
        ];
        let plain = Client::from_conf(Config::builder().behavior_version(BehaviorVersion::latest()).build());
        for settings in &uses {
            let client = settings.dynamodb(&plain);
            let config = client.config();
            let retry = config.retry_config().unwrap();
            assert_eq!(retry.max_attempts(), settings.attempts);
            assert_eq!(retry.initial_backoff(), settings.initial_backoff);
            assert_eq!(retry.max_backoff(), settings.max_backoff);
            let timeouts = config.timeout_config().unwrap();
            assert_eq!(timeouts.connect_timeout(), Some(settings.connect_timeout));
            assert_eq!(timeouts.read_timeout(), Some(settings.attempt_timeout));
            assert_eq!(timeouts.operation_attempt_timeout(), Some(settings.attempt_timeout));
            assert_eq!(timeouts.operation_timeout(), Some(settings.operation_timeout));
            assert!(config.retry_partition().is_some());
            assert_eq!(uses.iter().filter(|other| other.budget == settings.budget).count(), 1);
        }
    }
}
