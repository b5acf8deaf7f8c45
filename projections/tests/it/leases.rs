//! Leases in memory pass the suite for lease stores.

use headwater::store::{Partition, PartitionId};
use headwater_projections::group::{Item, Lease, MemoryLeases, Saved};
use headwater_projections::{LeaseStore, lease_store_conformance};

lease_store_conformance!(MemoryLeases::new());

/// Found by the simulation, seed 172 of its day: the checkpoints of the new lease were gone.
#[tokio::test]
async fn a_write_that_is_late_misses_the_lease_that_was_made_after_its_own_was_removed() {
    let store = MemoryLeases::new();
    let new = || Lease::new(&Partition::new(PartitionId("p".into())), None);
    let old = new();
    let late: Item = old.given_to(None).into();
    assert_eq!(store.save("views", &old.clone().into(), None).await.unwrap(), Saved::Done);
    assert_eq!(store.delete("views", &late.key(), old.counter).await.unwrap(), Saved::Done);
    let again = new();
    assert_eq!(store.save("views", &again.clone().into(), None).await.unwrap(), Saved::Done);
    let lost = store.save("views", &late, Some(old.counter)).await.unwrap();
    assert_eq!(lost, Saved::Lost(Some(Box::new(again.into()))));
}
