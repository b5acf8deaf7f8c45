//! History that is read piece by piece: between two of them a backfill keeps its budget, and notices a stop.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use headwater::EventStore;
use headwater::store::Append;
use headwater_projections::backfill::{
    Backfill, BackfillError, Budget, History, HistoryError, HistoryEvent, Lane, LedgerHistory, Mark, Pace,
    Part, Survey, Visit,
};
use headwater_projections::{GROUP, LeaseStore, MemoryRows};
use tokio::sync::watch;

use super::world::World;
use crate::model::{Balance, account, deposited};

/// How long a piece takes to be read.
const PIECE: Duration = Duration::from_millis(20);
/// How long a test may take that ends at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// One part of many pieces.
#[derive(Debug)]
struct Pieces {
    pieces: usize,
    /// The piece that cannot be read at first.
    fails_once: Mutex<Option<usize>>,
    /// Which pieces were read, and when each was begun and done.
    read: Mutex<Vec<(usize, Instant, Instant)>>,
}

impl Pieces {
    fn new(pieces: usize) -> Arc<Self> {
        Arc::new(Self { pieces, fails_once: Mutex::default(), read: Mutex::default() })
    }
}

#[async_trait]
impl History for Pieces {
    fn kind(&self) -> &'static str {
        "pieces"
    }
    async fn survey(&self) -> Result<Survey, HistoryError> {
        let part = Part { name: "all".into(), events: None, bytes: None };
        let lanes = vec![Lane { parts: vec![part], after: Vec::new() }];
        Ok(Survey { lanes, ..Survey::default() })
    }
    async fn read(&self, _: &Part, from: Option<&Mark>, _: Visit<'_>) -> Result<Option<Mark>, HistoryError> {
        let piece = from.map_or(0, |mark| mark.0.parse().unwrap());
        let begun = Instant::now();
        tokio::time::sleep(PIECE).await;
        self.read.lock().unwrap().push((piece, begun, Instant::now()));
        if self.fails_once.lock().unwrap().take_if(|fails| *fails == piece).is_some() {
            return Err(HistoryError::Unavailable { attempted: "read".to_owned(), source: "gone".into() });
        }
        let next = piece + 1;
        Ok((next < self.pieces).then(|| Mark(next.to_string().into())))
    }
}

fn dry_run(world: &World, history: Arc<dyn History>, budget: Budget) -> Backfill {
    let backfill = world.of::<Balance>(history);
    let mut options = backfill.options;
    (options.dry_run, options.budget) = (true, budget);
    Backfill { options, pace: Pace::new(budget), ..backfill }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_kept_between_the_pieces_of_a_part() {
    let world = World::new(Arc::new(MemoryRows::new()));
    let pieces = Pieces::new(4);
    let (_keep, stop) = watch::channel(false);
    dry_run(&world, Arc::clone(&pieces) as _, Budget::Percent(20)).run(stop).await.unwrap();
    let read = pieces.read.lock().unwrap();
    assert_eq!(read.iter().map(|(piece, ..)| *piece).collect::<Vec<_>>(), [0, 1, 2, 3]);
    for (before, after) in read.iter().zip(read.iter().skip(1)) {
        let (worked, rested) = (before.2 - before.1, after.1 - before.2);
        assert!(rested >= worked * 4, "it rested {rested:?} after {worked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_cannot_be_read_for_now_is_read_again_and_those_before_it_are_not() {
    let world = World::new(Arc::new(MemoryRows::new()));
    let pieces = Pieces::new(4);
    *pieces.fails_once.lock().unwrap() = Some(2);
    let (_keep, stop) = watch::channel(false);
    dry_run(&world, Arc::clone(&pieces) as _, Budget::Unlimited).run(stop).await.unwrap();
    let read = pieces.read.lock().unwrap();
    assert_eq!(read.iter().map(|(piece, ..)| *piece).collect::<Vec<_>>(), [0, 1, 2, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_its_rests_end_when_they_are_told_to() {
    let world = World::new(Arc::new(MemoryRows::new()));
    let pieces = Pieces::new(usize::MAX);
    let (stopping, stop) = watch::channel(false);
    let backfill = dry_run(&world, Arc::clone(&pieces) as _, Budget::Percent(1));
    let work = tokio::spawn(async move { backfill.run(stop).await });
    while pieces.read.lock().unwrap().is_empty() {
        tokio::time::sleep(PIECE).await;
    }
    stopping.send_replace(true);
    let ended = tokio::time::timeout(PATIENCE, work).await.expect("it goes on").unwrap();
    assert!(matches!(ended, Err(BackfillError::Stopped)), "{ended:?}");
}

#[tokio::test]
async fn the_ledger_is_read_a_page_at_a_time() {
    const EVENTS: u64 = 20_000;
    let world = World::new(Arc::new(MemoryRows::new()));
    for number in 0..EVENTS {
        let event = vec![headwater::Event::encode(&deposited(1, "mon")).unwrap()];
        let stream = account(&(number % 2_000).to_string());
        world.ledger.append(Append::new(stream, headwater::Expected::Any, event)).await.unwrap();
    }
    let ledger = Arc::clone(&world.ledger) as Arc<dyn EventStore>;
    let history = LedgerHistory::new(ledger, Arc::clone(&world.leases) as Arc<dyn LeaseStore>, GROUP);
    let survey = history.survey().await.unwrap();
    let (mut events, mut pages) = (0, 0);
    for part in survey.lanes.iter().flat_map(|lane| &lane.parts) {
        let mut from = None;
        loop {
            let mut visit = |_: HistoryEvent<'_>| {
                events += 1;
                ControlFlow::Continue(())
            };
            from = history.read(part, from.as_ref(), &mut visit).await.unwrap();
            pages += 1;
            if from.is_none() {
                break;
            }
        }
    }
    assert_eq!(events, EVENTS, "each once");
    assert!(pages > 2 * survey.lanes.len(), "{pages} pages of {} parts", survey.lanes.len());
}
