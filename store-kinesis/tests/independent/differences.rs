//! What the look-alikes get wrong, in one table for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::testing::conformance::{Backend, failures};

/// A check that a look-alike does not pass, and what it gets wrong.
type Difference = (&'static str, &'static str);

/// Its Scan gives the items of a partition in the order of their sort key as text, 10 before 2. DynamoDB keeps them in the
/// order of the number, and goes on behind any of them.
const SCAN_ORDER: &str = "a scan has the items of a partition in the order of their sort key as text";

pub(crate) const MINISTACK: &[Difference] = &[
    ("a_scan_gives_every_commit_once_in_the_order_of_its_stream", SCAN_ORDER),
    ("a_scan_goes_on_where_it_was", SCAN_ORDER),
    ("a_scan_has_everything_acknowledged_before_it_began", SCAN_ORDER),
    ("segments_share_the_streams_and_nothing_is_lost", SCAN_ORDER),
];

/// Nothing that the suite sees.
pub(crate) const KINESIS_LOCAL: &[Difference] = &[];

/// Runs the suite: the checks in the table must fail, and all others pass.
pub(crate) async fn compare(name: &str, differences: &[Difference], backend: Arc<dyn Backend>) {
    let failed = failures(backend).await;
    let failed: BTreeMap<_, _> =
        failed.iter().map(|failure| (failure.check.name, failure.to_string())).collect();
    let known: BTreeMap<_, _> = differences.iter().copied().collect();
    let news: Vec<_> = failed.iter().filter(|(check, _)| !known.contains_key(*check)).collect();
    assert!(news.is_empty(), "{name} fails checks that are not in the table: {news:#?}");
    let mended: Vec<_> = known.keys().filter(|check| !failed.contains_key(*check)).collect();
    assert!(mended.is_empty(), "{name} passes checks that are in the table: {mended:?}");
}
