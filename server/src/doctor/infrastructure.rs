//! Tables, indexes, the stream and the bucket: whether they are there and as they should be.

use headwater_store_kinesis::Config;
use headwater_store_kinesis::infra::{self, Remedy};

use super::examine::blind;
use super::finding::Finding;
use crate::backends::{Connection, bucket};

pub(super) async fn examine(connection: &Connection, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    match infra::check(&connection.clients, config).await {
        Ok(differences) => findings.extend(differences.iter().map(|difference| {
            let mend = match difference.remedy() {
                Remedy::Apply => "run `infra apply`".to_owned(),
                Remedy::Wait => "wait until AWS is done with it; `infra apply` waits too".to_owned(),
                Remedy::ByHand => format!(
                    "it is of another kind, and nothing here changes that: if it is nobody's, delete it and run `infra \
                     apply`; else choose another prefix (setting aws.prefix, now {})",
                    config.prefix
                ),
            };
            Finding::problem(difference.kind(), difference.to_string(), mend)
        })),
        Err(error) => findings.push(blind("the infrastructure", &error)),
    }
    match bucket::check(connection).await {
        Ok(None) => {}
        Ok(Some(difference)) => {
            let (fault, mend) = match &difference {
                bucket::Difference::Missing { .. } => ("bucket-missing", "run `infra apply`"),
                bucket::Difference::Forbidden { .. } => (
                    "bucket-forbidden",
                    "choose another name (setting aws.bucket), or allow this account to use it",
                ),
            };
            findings.push(Finding::problem(fault, difference.to_string(), mend));
        }
        Err(error) => findings.push(blind("the bucket", &error)),
    }
    findings
}
