//! Parked streams are tried again: by themselves, and by order with a reason. Afterwards rows are exact.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::store::Append;
use headwater::{Event, EventFeed, EventStore, Expected, Recorded, Version};
use headwater_projections::rows::List;
use headwater_projections::{
    AuditAction, AuditTarget, Control, Keys, MemoryRows, Mended, Order, Parked, Project, Projection,
    RowStore, Runner,
};
use headwater_store_memory::MemoryStore;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::group::slow_rows::SlowRows;
use crate::harness::{generation, live};
use crate::model::{Account, AccountEvent, Balance, Total, account, deposited};

/// Balances as they are after the code was corrected: poison takes one away.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "balances", version = 1, from(Account))]
struct CorrectedBalance {
    balance: i64,
    events: u64,
    closed: bool,
}

impl Project<Account> for CorrectedBalance {
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        self.events += 1;
        match event.event {
            AccountEvent::Deposited { amount, .. } => self.balance += amount,
            AccountEvent::Poison {} => self.balance -= 1,
            AccountEvent::Closed {} | AccountEvent::Noted {} => {}
        }
    }
}

/// The same for totals.
#[derive(Debug, Default, Clone, Serialize, Deserialize, headwater::Projection)]
#[projection(name = "totals", version = 1, from(Account), shared, index(total))]
struct CorrectedTotal {
    total: i64,
    count: u64,
}

impl Project<Account> for CorrectedTotal {
    fn keys(_: &Recorded<'_, AccountEvent>) -> Keys {
        Keys::one("all")
    }
    fn apply(&mut self, event: &Recorded<'_, AccountEvent>) {
        self.count += 1;
        if let AccountEvent::Deposited { amount, .. } = event.event {
            self.total += amount;
        }
    }
}

struct World {
    store: Arc<MemoryStore>,
    rows: Arc<MemoryRows>,
    running: Option<JoinHandle<()>>,
    control: Option<Control>,
}

impl World {
    fn new() -> Self {
        Self {
            store: Arc::new(MemoryStore::new()),
            rows: Arc::new(MemoryRows::new()),
            running: None,
            control: None,
        }
    }

    /// Starts anew with these projections in place of what ran before.
    async fn start<A: Projection, B: Projection>(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            let _aborted = running.await;
        }
        let runner = Runner::new(
            Arc::clone(&self.store) as Arc<dyn EventStore>,
            Arc::clone(&self.store) as Arc<dyn EventFeed>,
            Arc::clone(&self.rows) as Arc<dyn RowStore>,
        );
        let runner = runner.projection::<A>().unwrap().projection::<B>().unwrap();
        self.control = Some(runner.control());
        self.running = Some(tokio::spawn(async { runner.run(std::future::pending()).await.unwrap() }));
    }

    async fn append(&self, id: &str, event: AccountEvent) {
        let data = vec![event.encode().unwrap()];
        self.store.append(Append::new(account(id), Expected::Any, data)).await.unwrap();
    }

    /// Three hundred streams of ten events; one event of each thirtieth stream is poison.
    async fn load(&self) {
        for id in 0..300 {
            for number in 0..10 {
                let poison = id % 30 == 7 && number == 4;
                let event = if poison { AccountEvent::Poison {} } else { deposited(1, "mon") };
                self.append(&id.to_string(), event).await;
            }
        }
    }

    async fn parked<P: Projection>(&self) -> Vec<Parked> {
        let generation = generation::<P>();
        self.rows.parked(&generation, None, 1_000).await.unwrap()
    }

    async fn until(&self, what: &str, mut done: impl AsyncFnMut() -> bool) -> Duration {
        let begun = Instant::now();
        while !done().await {
            assert!(begun.elapsed() < Duration::from_secs(40_000), "{what}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        begun.elapsed()
    }
}

fn order() -> Order {
    Order { who: "ada".to_owned(), reason: "the code is corrected".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn corrected_code_takes_parked_streams_out_by_itself_and_rows_are_exact() {
    let mut world = World::new();
    world.start::<Balance, Total>().await;
    world.load().await;
    let parked = async || world.parked::<Balance>().await.len() + world.parked::<Total>().await.len();
    world.until("the poisoned are parked", async || parked().await == 20).await;
    let rows = live::<Balance>(world.rows.as_ref()).await;
    world
        .until("all others are complete", async || live::<Balance>(world.rows.as_ref()).await.len() == 300)
        .await;
    assert!(rows.len() <= 300);
    let attempts = |parked: &[Parked]| parked.iter().map(|record| record.attempts).min().unwrap();
    world.until("it is tried again", async || attempts(&world.parked::<Balance>().await) >= 4).await;
    let causes: Vec<_> =
        world.parked::<Balance>().await.iter().map(|record| record.cause.message.clone()).collect();
    assert_eq!(causes, vec!["poison"; 10]);

    world.start::<CorrectedBalance, CorrectedTotal>().await;
    // An event that comes meanwhile is not lost either.
    world.append("7", deposited(100, "mon")).await;
    let parked = async || world.parked::<Balance>().await.len() + world.parked::<Total>().await.len();
    world.until("none is parked any more", async || parked().await == 0).await;
    let rows = live::<CorrectedBalance>(world.rows.as_ref()).await;
    for id in 0..300 {
        let (poisoned, more) = (id % 30 == 7, id == 7);
        let row = &rows[&id.to_string()];
        let expected = if poisoned { 8 } else { 10 } + if more { 100 } else { 0 };
        assert_eq!((row.balance, row.events), (expected, 10 + u64::from(more)), "account {id}");
    }
    let totals: BTreeMap<_, _> = live::<CorrectedTotal>(world.rows.as_ref()).await;
    let all = &totals["all"];
    assert_eq!((all.total, all.count), (300 * 10 - 10 + 100, 3_001));
}

#[tokio::test(start_paused = true)]
async fn an_order_to_retry_is_kept_with_its_reason_and_carried_out_at_once() {
    let mut world = World::new();
    world.start::<Balance, Total>().await;
    for event in [deposited(1, "mon"), AccountEvent::Poison {}, deposited(5, "mon")] {
        world.append("1", event).await;
    }
    world
        .until("it is parked", async || {
            world.parked::<Balance>().await.first().is_some_and(|p| p.highest.0 == 3)
        })
        .await;
    let control = world.control.clone().unwrap();
    let stream = account("1");
    assert_eq!(control.retry("balances", &stream, &order()).await.unwrap(), Mended::Parked);
    let record = world.parked::<Balance>().await.remove(0);
    assert_eq!((record.first_failing, record.highest, record.attempts), (Version(2), Version(3), 2));
    assert_eq!(control.retry("balances", &account("2"), &order()).await.unwrap(), Mended::NotParked);
    assert!(
        control
            .retry("balance", &stream, &order())
            .await
            .unwrap_err()
            .to_string()
            .contains("balances, totals")
    );

    world.start::<CorrectedBalance, CorrectedTotal>().await;
    let control = world.control.clone().unwrap();
    assert_eq!(control.retry("balances", &stream, &order()).await.unwrap(), Mended::Applied);
    let row = live::<CorrectedBalance>(world.rows.as_ref()).await.remove("1").unwrap();
    assert_eq!((row.balance, row.events), (5, 3));
    assert!(world.parked::<Balance>().await.is_empty());
    let generation = generation::<Balance>();
    let audits = world.rows.audits(&generation, &List { after: None, limit: 10 }).await.unwrap().entries;
    assert_eq!(audits.len(), 2, "one for each order about a parked stream");
    assert_eq!((audits[0].action, audits[0].who.as_str()), (AuditAction::Retry, "ada"));
    let target = AuditTarget::Stream { stream, from: Version(2), until: Version(3) };
    assert_eq!((&audits[0].target, audits[0].reason.as_str()), (&target, "the code is corrected"));
    // The live owner knows as well.
    world.append("1", deposited(10, "mon")).await;
    let balance = async || live::<CorrectedBalance>(world.rows.as_ref()).await["1"].balance;
    world.until("the next event is applied", async || balance().await == 15).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_to_discard_passes_over_the_event_and_goes_on_behind_it() {
    let mut world = World::new();
    world.start::<Balance, Total>().await;
    for event in [deposited(1, "mon"), AccountEvent::Poison {}, deposited(5, "mon"), AccountEvent::Poison {}]
    {
        world.append("1", event).await;
    }
    world
        .until("it is parked", async || {
            world.parked::<Total>().await.first().is_some_and(|p| p.highest.0 == 4)
        })
        .await;
    let control = world.control.clone().unwrap();
    let stream = account("1");
    for projection in ["balances", "totals"] {
        let mended = control.discard(projection, &stream, Version(2), &order()).await.unwrap();
        assert_eq!(mended, Mended::Parked, "at the next one");
    }
    assert_eq!(world.parked::<Balance>().await[0].first_failing, Version(4));
    let row = live::<Balance>(world.rows.as_ref()).await.remove("1").unwrap();
    assert_eq!((row.balance, row.events), (6, 2));
    for projection in ["balances", "totals"] {
        assert_eq!(
            control.discard(projection, &stream, Version(4), &order()).await.unwrap(),
            Mended::Applied
        );
    }
    world.append("1", deposited(10, "mon")).await;
    let total = async || live::<Total>(world.rows.as_ref()).await["all"].total;
    world.until("the next event is applied", async || total().await == 16).await;
    assert!(world.parked::<Balance>().await.is_empty() && world.parked::<Total>().await.is_empty());
    assert_eq!(live::<Balance>(world.rows.as_ref()).await["1"].balance, 16);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_comes_just_before_a_stream_is_taken_out_is_not_left_behind() {
    let (store, rows) = (Arc::new(MemoryStore::new()), Arc::new(SlowRows::new(1, 0)));
    let runner = || {
        Runner::new(
            Arc::clone(&store) as Arc<dyn EventStore>,
            Arc::clone(&store) as Arc<dyn EventFeed>,
            Arc::clone(&rows) as Arc<dyn RowStore>,
        )
    };
    let append =
        |event: AccountEvent| Append::new(account("1"), Expected::Any, vec![event.encode().unwrap()]);
    store.append(append(AccountEvent::Poison {})).await.unwrap();
    let running = tokio::spawn(runner().projection::<Balance>().unwrap().run(std::future::pending()));
    let generation = generation::<Balance>();
    while rows.inside().parked(&generation, None, 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.abort();
    // Nobody reads the feed now: whoever did would only have counted the event, because the stream was still parked.
    rows.append_before_unpark(&store, append(deposited(5, "mon")));
    let control = runner().projection::<CorrectedBalance>().unwrap().control();
    assert_eq!(control.retry("balances", &account("1"), &order()).await.unwrap(), Mended::Applied);
    let row = live::<CorrectedBalance>(rows.inside()).await.remove("1").unwrap();
    assert_eq!((row.balance, row.events), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn one_order_is_carried_out_for_all_streams_that_are_parked_for_one_reason() {
    let mut world = World::new();
    world.start::<Balance, Total>().await;
    world.load().await;
    // Another reason, which the order is not about.
    let odd = headwater::EventData { name: "Odd".into(), schema: 1, payload: "{}".into() };
    world.store.append(Append::new(account("odd"), Expected::Any, vec![odd])).await.unwrap();
    let counted = async || world.parked::<Balance>().await.len();
    world.until("the poisoned are parked", async || counted().await == 11).await;
    let of = |parked: &[Parked], id: &str| {
        parked.iter().find(|one| one.stream == account(id)).unwrap().fingerprint("balances")
    };
    let fingerprint = of(&world.parked::<Balance>().await, "7");
    let control = world.control.clone().unwrap();
    let error = control.retry_group("balances", fingerprint, 9, &order()).await.unwrap_err();
    assert!(error.to_string().starts_with("10 streams of balances are parked"), "{error}");
    let done = control.retry_group("balances", fingerprint, 10, &order()).await.unwrap();
    assert_eq!((done.streams, done.applied, done.parked, done.complete), (10, 0, 10, true));

    let done = control.discard_group("balances", fingerprint, 10, &order()).await.unwrap();
    assert_eq!((done.streams, done.applied, done.parked, done.complete), (10, 10, 0, true));
    let left = world.parked::<Balance>().await;
    assert_eq!(left.iter().map(|one| one.stream.clone()).collect::<Vec<_>>(), [account("odd")]);
    let rows = live::<Balance>(world.rows.as_ref()).await;
    for id in (7..300).step_by(30) {
        let row = &rows[&id.to_string()];
        assert_eq!((row.balance, row.events), (9, 9), "account {id} has all but the poison");
    }
    let generation = generation::<Balance>();
    let audits = world.rows.audits(&generation, &List { after: None, limit: 10 }).await.unwrap().entries;
    let target = AuditTarget::Group { fingerprint, streams: 10 };
    let kept = audits.iter().map(|one| (one.action, one.target.clone())).collect::<Vec<_>>();
    assert_eq!(kept, [(AuditAction::Discard, target.clone()), (AuditAction::Retry, target)]);
    let done = control.discard_group("balances", fingerprint, 10, &order()).await.unwrap();
    assert_eq!((done.streams, done.complete), (0, true), "nothing is left, and nothing is noted");
    let done = control.retry_group("balances", of(&left, "odd"), 1, &order()).await.unwrap();
    assert_eq!((done.streams, done.parked), (1, 1));
}
