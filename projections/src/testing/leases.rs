//! The conformance suite for lease stores: each check is a function; [`lease_store_conformance!`] makes tests of them.
//!
//! [`lease_store_conformance!`]: crate::lease_store_conformance

use futures::future::join_all;
use headwater::store::{Partition, PartitionId, Position, ScanCursor};

use crate::group::{
    CatchUp, Checkpoint, Document, Generations, Item, Items, Lease, LeaseStore, Saved, Segment, Worker,
    WorkerId,
};

/// Makes one tokio test of each check, on the store that the expression makes.
#[macro_export]
macro_rules! lease_store_conformance {
    ($make:expr) => {
        $crate::lease_store_conformance!(@ $make;
            items_are_listed_as_they_were_saved,
            an_item_is_made_only_once,
            an_item_is_saved_only_on_the_counter_expected,
            an_item_is_deleted_only_on_the_counter_expected,
            groups_do_not_see_each_other,
            of_many_workers_on_one_counter_one_wins,
            a_large_group_is_listed_whole,
        );
    };
    (@ $make:expr; $($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let store = $make;
            $crate::testing::leases::$check(&store).await;
        }
    )*};
}

const GROUP: &str = "views";

fn partition(id: &str) -> PartitionId {
    PartitionId(id.into())
}

fn worker(id: &str, counter: u64, asks: Option<&str>) -> Item {
    let named = |name: &str| WorkerId(name.into());
    Worker { id: named(id), counter, asks: asks.map(named) }.into()
}

/// A lease with something in every field.
fn lease(id: &str, counter: u64) -> Lease {
    let parents = vec![partition("parent-1"), partition("parent-2")];
    let position = Position("49590338271490256608559692538361571095921575989136588898".into());
    Lease {
        partition: partition(id),
        parents,
        owner: Some(WorkerId("w1".into())),
        counter,
        incarnation: 7,
        checkpoints: [
            ("balances-g1".into(), Checkpoint::At(position)),
            ("totals-g12".into(), Checkpoint::End),
        ]
        .into(),
        losses: 3,
    }
}

/// Generations with something in every field.
fn generations(projection: &str) -> Generations {
    let from = [(partition("0"), Checkpoint::At(Position("4959".into()))), (partition("1"), Checkpoint::End)];
    Generations::first(projection, 1).with_new(7, from.into()).expect("there is room for one more").0
}

/// A catching up with something in every field.
fn catch_up(counter: u64) -> Item {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    CatchUp {
        owner: Some(WorkerId("w1".into())),
        counter,
        asked: names(&["balances-g1", "totals-g12"]),
        reading: names(&["totals-g12"]),
        segments: vec![Segment::Start, Segment::After(ScanCursor("{\"a\":\"end\"}".into())), Segment::End],
        done: names(&["balances-g1"]),
    }
    .into()
}

/// A document whose name and text have everything that may be special somewhere.
fn document(counter: u64) -> Item {
    let json = format!("{{\"at\": {counter}, \"text\": \"a \\\"quoted\\\" ü/#\"}}");
    Document { name: "balances-3".into(), counter, json: json.into() }.into()
}

async fn list(store: &dyn LeaseStore, group: &str) -> Items {
    store.list(group).await.expect("the store lists")
}

async fn save(store: &dyn LeaseStore, item: &Item, counter: Option<u64>) -> Saved {
    store.save(GROUP, item, counter).await.expect("the store saves")
}

/// Every field comes back; what is empty comes back empty.
pub async fn items_are_listed_as_they_were_saved(store: &dyn LeaseStore) {
    assert_eq!(list(store, GROUP).await, Items::default());
    let bare = Lease::new(&Partition::new(partition("shardId-000000000001")), None);
    let workers = [worker("w1", 1, None), worker("w2", 9, Some("w1"))];
    let leases = [lease("0", 1).into(), bare.into()];
    let models = [generations("balances").into(), Generations::first("totals", 1).into()];
    let items = workers.into_iter().chain(leases).chain(models);
    let mut expected = Items::default();
    for item in items {
        assert_eq!(save(store, &item, None).await, Saved::Done);
        expected.insert(item);
    }
    assert_eq!(list(store, GROUP).await, expected);
    let released = Lease { owner: None, parents: Vec::new(), ..lease("0", 2) };
    assert_eq!(save(store, &released.clone().into(), Some(1)).await, Saved::Done);
    expected.insert(released.into());
    assert_eq!(list(store, GROUP).await, expected, "what was taken away is gone");
    let bare = CatchUp { counter: 2, ..CatchUp::default() }.into();
    for (item, counter) in [(catch_up(1), None), (bare, Some(1)), (document(1), None), (document(2), Some(1))]
    {
        assert_eq!(save(store, &item, counter).await, Saved::Done);
        expected.insert(item);
        assert_eq!(list(store, GROUP).await, expected);
    }
}

/// A second one is told what is there.
pub async fn an_item_is_made_only_once(store: &dyn LeaseStore) {
    let first = Item::from(lease("0", 1));
    assert_eq!(save(store, &first, None).await, Saved::Done);
    let second = Item::from(Lease { owner: None, ..lease("0", 1) });
    assert_eq!(save(store, &second, None).await, Saved::Lost(Some(Box::new(first.clone()))));
    assert_eq!(list(store, GROUP).await.leases.into_values().map(Item::from).collect::<Vec<_>>(), [first]);
}

/// A write on another counter, or on none, changes nothing and is told what is there.
pub async fn an_item_is_saved_only_on_the_counter_expected(store: &dyn LeaseStore) {
    let next = Item::from(lease("0", 2));
    assert_eq!(save(store, &next, Some(1)).await, Saved::Lost(None));
    let first = Item::from(lease("0", 1));
    assert_eq!(save(store, &first, None).await, Saved::Done);
    assert_eq!(save(store, &next, Some(1)).await, Saved::Done);
    for counter in [1, 3] {
        let late = Item::from(Lease { losses: 99, ..lease("0", counter + 1) });
        assert_eq!(save(store, &late, Some(counter)).await, Saved::Lost(Some(Box::new(next.clone()))));
    }
    assert_eq!(list(store, GROUP).await.leases.get(&partition("0")), Some(&lease("0", 2)));
}

/// As for saving; deleting what does not exist is done already.
pub async fn an_item_is_deleted_only_on_the_counter_expected(store: &dyn LeaseStore) {
    let five = Generations { counter: 5, ..generations("balances") };
    for item in [worker("w1", 5, None), lease("0", 5).into(), five.into(), catch_up(5), document(5)] {
        let key = item.key();
        let delete = |counter| store.delete(GROUP, &key, counter);
        assert_eq!(delete(5).await.expect("the store answers"), Saved::Done);
        assert_eq!(save(store, &item, None).await, Saved::Done);
        let lost = Saved::Lost(Some(Box::new(item.clone())));
        assert_eq!(delete(4).await.expect("the store answers"), lost);
        assert_eq!(delete(5).await.expect("the store deletes"), Saved::Done);
        assert_eq!(list(store, GROUP).await, Items::default());
    }
}

/// The same names in another group are other items.
pub async fn groups_do_not_see_each_other(store: &dyn LeaseStore) {
    let item = Item::from(lease("0", 1));
    assert_eq!(save(store, &item, None).await, Saved::Done);
    assert_eq!(list(store, "archive").await, Items::default());
    assert_eq!(list(store, "view").await, Items::default());
    assert_eq!(store.save("archive", &item, None).await.expect("the store saves"), Saved::Done);
    let deleted = store.delete("archive", &item.key(), 1).await;
    assert_eq!(deleted.expect("the store deletes"), Saved::Done);
    assert_eq!(list(store, GROUP).await.leases.len(), 1);
}

/// Whoever is told `Done` is the one whose item is there.
pub async fn of_many_workers_on_one_counter_one_wins(store: &dyn LeaseStore) {
    let first = Item::from(lease("0", 1));
    assert_eq!(save(store, &first, None).await, Saved::Done);
    for counter in 1..=5 {
        let taken =
            |n: usize| Lease { owner: Some(WorkerId(format!("w{n}").into())), ..lease("0", counter + 1) };
        let tries = (0..8).map(|n| async move {
            store.save(GROUP, &taken(n).into(), Some(counter)).await.expect("the store answers")
        });
        let outcomes = join_all(tries).await;
        let winners: Vec<_> = (0..8).filter(|n| outcomes.get(*n) == Some(&Saved::Done)).collect();
        let [winner] = winners.as_slice() else { panic!("one wins, but {winners:?} did") };
        assert_eq!(list(store, GROUP).await.leases.get(&partition("0")), Some(&taken(*winner)));
    }
}

/// More items than fit into one page of any backend we know.
pub async fn a_large_group_is_listed_whole(store: &dyn LeaseStore) {
    const LEASES: usize = 120;
    let checkpoints = || {
        let position = || Checkpoint::At(Position("4".repeat(120).into()));
        (0..90).map(move |n| (format!("a-projection-with-a-rather-long-name-{n}-g1").into(), position()))
    };
    for n in 0..LEASES {
        let lease = Lease { checkpoints: checkpoints().collect(), ..lease(&n.to_string(), 1) };
        assert_eq!(save(store, &lease.into(), None).await, Saved::Done);
    }
    let listed = list(store, GROUP).await;
    assert_eq!((listed.leases.len(), listed.unreadable.len()), (LEASES, 0));
    assert!(listed.leases.values().all(|lease| lease.checkpoints.len() == 90));
}
