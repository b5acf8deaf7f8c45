//! The pace of a backfill: how much it may take, and how it yields to live traffic.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until};

use super::limits::{FIRST_YIELD, LONGEST_YIELD, REST_LOOK};

/// What a backfill may take. As text it is `unlimited`, a part of the time such as `50%`, or write units a second such as
/// `200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Budget {
    /// As much as it can.
    Unlimited,
    /// So many percent of the time, 1 to 100: it rests after each piece of work.
    Percent(u8),
    /// So many write units a second.
    WriteUnits(u32),
}

/// A text that is no budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a part of the time such as 50%, or write units a second such as 200")]
pub struct NotABudget;

impl FromStr for Budget {
    type Err = NotABudget;

    fn from_str(text: &str) -> Result<Self, NotABudget> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let digits = text.strip_suffix('%').unwrap_or(text);
        let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match (number, text.ends_with('%')) {
            (Some(percent @ 1..=100), true) => Ok(Self::Percent(percent as u8)),
            (Some(units @ 1..), false) => Ok(Self::WriteUnits(units)),
            _ => Err(NotABudget),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::WriteUnits(units) => write!(f, "{units}"),
        }
    }
}

impl TryFrom<String> for Budget {
    type Error = NotABudget;

    fn try_from(text: String) -> Result<Self, NotABudget> {
        text.parse()
    }
}

impl From<Budget> for String {
    fn from(budget: Budget) -> Self {
        budget.to_string()
    }
}

impl JsonSchema for Budget {
    fn schema_name() -> Cow<'static, str> {
        "Budget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(unlimited|(100|[1-9][0-9]?)%|[1-9][0-9]{0,8})$",
            "description": "What a rebuild may take: `unlimited`, a part of the time such as `50%`, or write units a \
                            second such as `200`.",
        })
    }
}

/// Shared by everything that works for one backfill. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pace {
    budget: Budget,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The pause before each write, because writes were refused.
    pause: Duration,
    /// When the units that were taken so far are paid for.
    paid: Instant,
    /// Whether live traffic is in trouble.
    yielding: bool,
}

impl Pace {
    /// A pace within a budget.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        let state = State { pause: Duration::ZERO, paid: Instant::now(), yielding: false };
        Self { budget, state: Arc::new(Mutex::new(state)) }
    }

    /// Whoever watches live traffic tells whether it lags: then every piece of work is followed by as much rest, at
    /// least.
    pub fn yield_to_live(&self, lagging: bool) {
        self.state().yielding = lagging;
    }

    /// Waits until so many write units may be taken.
    pub(super) async fn take(&self, units: u64) {
        let pause = self.state().pause;
        if pause > Duration::ZERO {
            sleep(pause).await;
        }
        if let Budget::WriteUnits(per_second) = self.budget {
            let cost = Duration::from_secs_f64(units as f64 / f64::from(per_second.max(1)));
            let from = {
                let mut state = self.state();
                let from = state.paid.max(Instant::now());
                state.paid = from + cost;
                from
            };
            sleep_until(from).await;
        }
    }

    /// A piece of work took so long: rests as the budget and live traffic want it, until nobody waits for more of it.
    pub(super) async fn rest(&self, worked: Duration, is_over: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_over() {
            let percent = self.percent();
            let due = worked * (100 - percent) / percent;
            let left = due.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left.min(REST_LOOK)).await;
        }
    }

    /// How much of the time it may work now.
    fn percent(&self) -> u32 {
        let percent = match self.budget {
            Budget::Percent(percent) => u32::from(percent.clamp(1, 100)),
            Budget::Unlimited | Budget::WriteUnits(_) => 100,
        };
        let percent = if self.state().yielding { percent.min(50) / 2 } else { percent };
        percent.max(1)
    }

    /// A write was refused.
    pub(super) fn refused(&self) {
        let mut state = self.state();
        state.pause = (state.pause * 2).clamp(FIRST_YIELD, LONGEST_YIELD);
    }

    /// A write went well.
    pub(super) fn accepted(&self) {
        let mut state = self.state();
        state.pause = if state.pause < FIRST_YIELD { Duration::ZERO } else { state.pause * 3 / 4 };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_read_as_it_is_written_and_odd_ones_are_refused() {
        let cases = [
            ("unlimited", Budget::Unlimited),
            ("50%", Budget::Percent(50)),
            ("200", Budget::WriteUnits(200)),
        ];
        for (text, budget) in cases {
            assert_eq!((text.parse(), budget.to_string().as_str()), (Ok(budget), text));
        }
        for odd in ["", "%", "0%", "101%", "0", "x", "-5", "+5", "1e3", "99999999999"] {
            assert_eq!(odd.parse::<Budget>(), Err(NotABudget), "{odd}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_of_write_units_is_kept_and_one_in_percent_rests() {
        let begun = Instant::now();
        let pace = Pace::new(Budget::WriteUnits(100));
        for _ in 0..10 {
            pace.take(50).await;
        }
        assert_eq!(begun.elapsed().as_millis() / 100, 45, "4.5 s for all but the last 50 units");
        let begun = Instant::now();
        let pace = Pace::new(Budget::Percent(20));
        pace.rest(Duration::from_secs(1), || false).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(4));
        let begun = Instant::now();
        let pace = Pace::new(Budget::Unlimited);
        pace.rest(Duration::from_secs(1), || false).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.yield_to_live(true);
        pace.rest(Duration::from_secs(1), || false).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(3), "a quarter of the time while live traffic lags");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_ends_when_live_traffic_is_well_again_and_when_nobody_waits_for_more() {
        let begun = Instant::now();
        let pace = Pace::new(Budget::Unlimited);
        pace.yield_to_live(true);
        let well = async {
            sleep(Duration::from_secs(60)).await;
            pace.yield_to_live(false);
        };
        tokio::join!(pace.rest(Duration::from_secs(3_600), || false), well);
        assert!(begun.elapsed() <= Duration::from_secs(60) + REST_LOOK, "{:?}", begun.elapsed());
        let pace = Pace::new(Budget::Percent(1));
        let begun = Instant::now();
        pace.rest(Duration::from_secs(3_600), || begun.elapsed() >= Duration::from_secs(5)).await;
        assert!(begun.elapsed() <= Duration::from_secs(5) + REST_LOOK, "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_slow_it_down_and_success_makes_it_quick_again() {
        let pace = Pace::new(Budget::Unlimited);
        for _ in 0..20 {
            pace.refused();
        }
        let begun = Instant::now();
        pace.take(1).await;
        assert_eq!(begun.elapsed(), LONGEST_YIELD);
        for _ in 0..30 {
            pace.accepted();
        }
        let begun = Instant::now();
        pace.take(1).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
