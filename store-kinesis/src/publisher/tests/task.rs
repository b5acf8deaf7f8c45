//! The task over a sink, with paused time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use headwater::Version;
use headwater::store::{ErrorKind, StoreError};
use tokio::time::Instant;

use super::fake::{Batch, Fake, LATENCY, PANIC, Told, commit, failed, flush, published, taken};
use crate::publisher::answer::{Answer, Outcome};
use crate::publisher::state::Full;
use crate::publisher::{Condition, Job, limits};

#[tokio::test(start_paused = true)]
async fn the_first_record_leaves_at_once_and_what_comes_meanwhile_gathers() {
    let (sink, told) = (Fake::kind(), Told::default());
    let publisher = sink.start();
    let begun = Instant::now();
    told.publish(&publisher, "first", 1);
    tokio::task::yield_now().await;
    for id in 0..1_000 {
        told.publish(&publisher, &id.to_string(), 1);
    }
    flush(&publisher).await;
    assert_eq!(sink.sizes(), [1, limits::REQUEST_RECORDS, limits::REQUEST_RECORDS]);
    assert_eq!((told.count(), begun.elapsed()), (1_001, LATENCY));
    let state = publisher.state();
    assert_eq!((state.waiting_commits, state.waiting_bytes, state.in_flight), (0, 0, 0));
    assert_eq!((state.silent_for, state.condition), (None, Condition::Flowing));
}

#[tokio::test(start_paused = true)]
async fn commits_of_a_stream_go_one_after_the_other_in_order_of_versions() {
    let (sink, told) = (Fake::kind(), Told::default());
    let publisher = sink.start();
    for version in [3, 1, 2, 5, 4] {
        told.publish(&publisher, "a", version);
    }
    flush(&publisher).await;
    let versions: Vec<Version> = sink.published.lock().unwrap().iter().map(|(_, version)| *version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5].map(Version));
    assert_eq!(sink.sizes(), [1; 5]);
}

/// A mishap for each request, and one for each record.
fn storm(random: &mut fastrand::Rng, batch: &Batch) -> Answer {
    match random.u8(..10) {
        0 => Answer::Failed("sorry".to_owned()),
        1 => Answer::Throttled,
        2 => Answer::Refused("not this".to_owned()),
        3 => Answer::Failed(PANIC.to_owned()),
        4 => Answer::Each(vec![Outcome::Throttled; batch.len()]),
        _ => {
            let mut outcome = || match random.u8(..6) {
                0 => Outcome::Throttled,
                1 => Outcome::Failed("internal".to_owned()),
                _ => taken(),
            };
            Answer::Each(batch.iter().map(|_| outcome()).collect())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn through_any_storm_everything_is_published_and_each_is_told_once() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut jobs: Vec<(u64, u64)> = (0..30).flat_map(|id| (1..=20).map(move |v| (id, v))).collect();
        random.shuffle(&mut jobs);
        let mut rule = random.fork();
        let (sink, told) = (Fake::new(move |batch| storm(&mut rule, batch)), Told::default());
        let publisher = sink.start();
        for (id, version) in &jobs {
            told.publish(&publisher, &id.to_string(), *version);
            tokio::time::sleep(Duration::from_millis(random.u64(..3))).await;
        }
        flush(&publisher).await;
        assert!(told.count() == jobs.len() && told.each_once(), "seed {seed}");
        let reached: BTreeSet<_> = sink.published.lock().unwrap().iter().cloned().collect();
        assert_eq!(reached.len(), jobs.len(), "seed {seed}: told and not published");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_request_only_the_records_that_were_refused_go_again() {
    let mut first = true;
    let half = move |batch: &Batch| {
        let refuse = std::mem::take(&mut first);
        let outcome = |place| if refuse && place % 3 == 0 { Outcome::Throttled } else { taken() };
        Answer::Each((0..batch.len()).map(outcome).collect())
    };
    let (sink, told) = (Fake::new(half), Told::default());
    let publisher = sink.start();
    for id in 0..9 {
        told.publish(&publisher, &id.to_string(), 1);
    }
    flush(&publisher).await;
    let sizes = sink.sizes();
    assert_eq!((sizes[0], sizes.iter().sum::<usize>(), told.count()), (9, 12, 9), "{sizes:?}");
    assert_eq!(sink.published.lock().unwrap().len(), 9, "nothing is published twice");
}

#[tokio::test(start_paused = true)]
async fn while_kinesis_fails_there_is_one_probe_at_a_time_and_then_all_goes() {
    let (sink, told) = (Fake::new(failed), Told::default());
    let publisher = sink.start();
    let minute = Duration::from_secs(60);
    for id in 0..5_000 {
        told.publish(&publisher, &id.to_string(), 1);
    }
    tokio::time::sleep(minute).await;
    let requests = sink.requests.lock().unwrap().clone();
    let most = minute.div_duration_f64(limits::LONGEST_FAILURE_PAUSE / 2) as usize;
    let before_it_opens = limits::REQUESTS_IN_FLIGHT * limits::BREAKER_FAILURES as usize;
    assert!(requests.len() <= most + before_it_opens + 6, "{} requests in a minute", requests.len());
    let probes = &requests[before_it_opens..];
    assert!(probes.windows(2).all(|two| two[1].0 - two[0].0 > LATENCY), "two probes at once");
    let state = publisher.state();
    assert_eq!(state.condition, Condition::Broken { error: "sorry".to_owned() });
    assert_eq!((state.waiting_commits, state.silent_for), (5_000, Some(minute)));
    assert!(state.to_string().contains("Kinesis fails: sorry, nothing was published for 60.0 s"), "{state}");

    sink.rules(published);
    let mended = Instant::now();
    flush(&publisher).await;
    assert!(mended.elapsed() <= limits::LONGEST_FAILURE_PAUSE + LATENCY * 10, "{:?}", mended.elapsed());
    assert_eq!((told.count(), publisher.state().condition), (5_000, Condition::Flowing));
}

#[tokio::test(start_paused = true)]
async fn what_kinesis_throttles_goes_about_as_fast_as_it_allows() {
    // A shard: so many records a second, the rest of a request is refused.
    let (mut left, mut refilled) = (1_000.0, Instant::now());
    let shard = move |batch: &Batch| {
        left = (left + 1_000.0 * refilled.elapsed().as_secs_f64()).min(1_000.0);
        refilled = Instant::now();
        let mut outcome = || {
            left -= 1.0;
            if left >= 0.0 { taken() } else { Outcome::Throttled }
        };
        let outcomes = batch.iter().map(|_| outcome()).collect();
        left = left.max(0.0);
        Answer::Each(outcomes)
    };
    let (sink, told) = (Fake::new(shard), Told::default());
    let publisher = sink.start();
    let begun = Instant::now();
    for id in 0..10_000 {
        told.publish(&publisher, &id.to_string(), 1);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(publisher.state().condition, Condition::Throttled);
    flush(&publisher).await;
    let seconds = begun.elapsed().as_secs_f64();
    assert!((9.0..14.0).contains(&seconds), "10,000 records at 1,000 a second took {seconds} s");
    let sent: usize = sink.sizes().iter().sum();
    assert!(sent < 30_000, "{sent} records were sent for 10,000");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_never_taken_holds_up_its_stream_only() {
    let poison = |batch: &Batch| match batch.iter().any(|(commit, _)| commit.stream.id() == "poison") {
        true => Answer::Refused("too large".to_owned()),
        false => published(batch),
    };
    let (sink, told) = (Fake::new(poison), Told::default());
    let publisher = sink.start();
    for id in ["a", "b", "poison", "c"] {
        for version in 1..=3 {
            told.publish(&publisher, id, version);
        }
    }
    told.reaches(9).await;
    let begun = Instant::now();
    for id in 0..50 {
        told.publish(&publisher, &id.to_string(), 1);
    }
    told.reaches(59).await;
    assert!(begun.elapsed() <= limits::LONGEST_FAILURE_PAUSE, "{:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let state = publisher.state();
    assert_eq!((told.count(), state.waiting_commits), (59, 3));
    assert_eq!(state.condition, Condition::Broken { error: "too large".to_owned() });
    sink.rules(published);
    flush(&publisher).await;
    assert_eq!(told.count(), 62);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_the_bounds_is_refused_in_words_until_there_is_room() {
    let (sink, told) = (Fake::new(failed), Told::default());
    let publisher = sink.start_with_room(3);
    told.publish(&publisher, "a", 1);
    drop(publisher.room(100).unwrap());
    let being_written = publisher.room(limits::QUEUE_BYTES - 100).unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let too_many_bytes = publisher.room(1).unwrap_err();
    drop(being_written);
    let (_second, _third) = (publisher.room(1).unwrap(), publisher.room(1).unwrap());
    let too_many = publisher.room(1).unwrap_err();
    assert_eq!(
        too_many.to_string(),
        "3 commits of 102 bytes wait for stream shop-feed, the limit is 3 commits of 33554432 bytes; \
         Kinesis fails: sorry, nothing was published for 20.0 s"
    );
    for full in [too_many_bytes, too_many] {
        let error = StoreError::from(full);
        assert_eq!(error.kind(), ErrorKind::Overloaded);
        let StoreError::Overloaded { retry_after: Some(after), .. } = error else {
            panic!("no advice: {error}")
        };
        assert!((limits::RETRY_AFTER..=limits::LONGEST_FAILURE_PAUSE).contains(&after), "{after:?}");
    }
    sink.rules(published);
    flush(&publisher).await;
    drop(publisher.room(1).unwrap());
}

#[tokio::test(start_paused = true)]
async fn commits_of_dead_writers_have_room_of_their_own_and_wait_for_it() {
    let (sink, told) = (Fake::new(failed), Told::default());
    let publisher = sink.start_with_room(1);
    told.publish(&publisher, "a", 1);
    assert!(publisher.room(1).is_err());
    let large = limits::REDELIVERED_BYTES * 2;
    publisher.publish(publisher.wait_for_room(large).await, told.job(commit("b", 1)));
    let mut waiting = Box::pin(publisher.wait_for_room(1));
    assert!((&mut waiting).now_or_never().is_none(), "what is larger than everything takes everything");
    sink.rules(published);
    let room = tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
    publisher.publish(room, told.job(commit("b", 2)));
    flush(&publisher).await;
    assert_eq!(told.count(), 3);
    let rooms: Vec<_> =
        (0..limits::REDELIVERED_COMMITS).map(|_| publisher.wait_for_room(1).now_or_never()).collect();
    assert!(rooms.iter().all(Option::is_some));
    assert!(publisher.wait_for_room(1).now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_stops_takes_nothing_new_and_finishes_what_it_has() {
    let (sink, told) = (Fake::kind(), Told::default());
    let publisher = sink.start();
    let room = publisher.room(100).unwrap();
    told.publish(&publisher, "a", 1);
    publisher.stop();
    assert!(matches!(publisher.room(1), Err(Full::Stopping { .. })));
    publisher.publish(room, told.job(commit("a", 2)));
    flush(&publisher).await;
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_what_was_given_before_and_not_for_what_comes_later() {
    let only_a = |batch: &Batch| {
        let outcome = |id: &str| if id == "a" { taken() } else { Outcome::Throttled };
        Answer::Each(batch.iter().map(|(commit, _)| outcome(commit.stream.id())).collect())
    };
    let (sink, told) = (Fake::new(only_a), Told::default());
    let publisher = sink.start();
    flush(&publisher).await;
    told.publish(&publisher, "a", 1);
    let first = publisher.flush();
    tokio::pin!(first);
    assert!((&mut first).now_or_never().is_none());
    told.publish(&publisher, "b", 1);
    tokio::time::timeout(Duration::from_secs(60), first).await.unwrap();
    assert_eq!(told.count(), 1);
    let second = tokio::time::timeout(Duration::from_secs(60), publisher.flush()).await;
    assert!(second.is_err(), "what was given before is not published yet");
    sink.rules(published);
    flush(&publisher).await;
    assert_eq!(told.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_publisher_was_given_is_published_and_its_task_ends() {
    let (sink, told) = (Fake::new(failed), Told::default());
    let publisher = sink.start();
    told.publish(&publisher.clone(), "a", 1);
    drop(publisher);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(Arc::strong_count(&sink) > 1);
    sink.rules(published);
    told.reaches(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&sink), 1, "the task goes on");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_panics_on_the_news_does_not_stop_the_others() {
    let (sink, told) = (Fake::kind(), Told::default());
    let publisher = sink.start_with_room(2);
    let done = Box::new(|| panic!("the owner of this commit panics"));
    let job = Job { commit: Arc::new(commit("a", 1)), redelivered: false, done };
    publisher.publish(publisher.room(1).unwrap(), job);
    told.publish(&publisher, "a", 2);
    flush(&publisher).await;
    assert_eq!(told.count(), 1);
    assert!(publisher.room(1).is_ok());
}
