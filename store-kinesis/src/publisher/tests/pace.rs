//! Pauses and the circuit breaker.

use std::time::Duration;

use tokio::time::Instant;

use crate::publisher::limits;
use crate::publisher::pace::Pace;

const STEP: Duration = Duration::from_millis(1);

/// How long nothing may be sent.
fn pause(pace: &Pace, now: Instant) -> Duration {
    pace.requests(now).map_or_else(|until| until - now, |_| Duration::ZERO)
}

#[test]
fn pauses_double_up_to_a_limit_and_end_with_the_trouble() {
    let (mut pace, mut now) = (Pace::default(), Instant::now());
    assert_eq!(pace.requests(now), Ok(limits::REQUESTS_IN_FLIGHT));
    for failures in 0..12 {
        pace.failed(now, now, "sorry".to_owned());
        let most = limits::FAILURE_PAUSE.saturating_mul(1 << failures).min(limits::LONGEST_FAILURE_PAUSE);
        let pause = pause(&pace, now);
        assert!(pause >= most / 2 && pause <= most, "{pause:?} after {failures} failures");
        assert_eq!(pace.broken().is_some(), failures + 1 >= limits::BREAKER_FAILURES);
        now += pause;
        let allowed = if pace.broken().is_some() { 1 } else { limits::REQUESTS_IN_FLIGHT };
        assert_eq!(pace.requests(now), Ok(allowed), "a breaker that is open lets one probe through");
    }
    assert_eq!(pace.broken(), Some("sorry"));
    pace.went_through(now);
    assert_eq!((pace.broken(), pace.requests(now)), (None, Ok(limits::REQUESTS_IN_FLIGHT)));
}

#[test]
fn answers_to_what_was_in_flight_when_a_pause_began_change_nothing() {
    let (mut pace, sent) = (Pace::default(), Instant::now());
    let now = sent + STEP;
    pace.failed(sent, now, "first".to_owned());
    pace.throttled(sent, now);
    let ends = pace.pause_ends();
    for _ in 0..5 {
        pace.failed(sent, now + STEP, "later".to_owned());
        pace.throttled(sent, now + STEP);
        pace.went_through(sent);
        pace.untroubled(sent);
    }
    assert_eq!((pace.pause_ends(), pace.broken(), pace.is_throttled()), (ends, None, true));
    assert!(pause(&pace, now) > Duration::ZERO);
}

#[test]
fn throttling_leaves_one_request_at_a_time_until_as_many_go_through() {
    let (mut pace, mut now) = (Pace::default(), Instant::now());
    for _ in 0..3 {
        pace.throttled(now, now);
        now += pause(&pace, now);
    }
    for _ in 0..3 {
        assert_eq!((pace.is_throttled(), pace.requests(now)), (true, Ok(1)));
        now += STEP;
        pace.untroubled(now);
    }
    assert_eq!((pace.is_throttled(), pace.requests(now)), (false, Ok(limits::REQUESTS_IN_FLIGHT)));
    for _ in 0..10 {
        pace.throttled(now, now);
        assert!(pause(&pace, now) <= limits::LONGEST_THROTTLE_PAUSE);
        now += pause(&pace, now);
    }
}
