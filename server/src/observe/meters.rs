//! The metrics of requests. Each is looked up by its labels once, and its handle is kept: looking one up takes as long as
//! much of what a request is answered with.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// The metrics of requests. There are as many handles as there are labels, of which there are few (`metrics.rs`).
pub(crate) struct Meters {
    under_way: Gauge,
    /// By route, and of each those of its methods and statuses that there have been.
    answers: RwLock<HashMap<String, Vec<Answers>>>,
    commands: RwLock<HashMap<Command, Counter>>,
}

struct Answers {
    method: &'static str,
    status: u16,
    number: Counter,
    seconds: Histogram,
}

/// A command that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Command {
    pub(super) category: &'static str,
    pub(super) command: &'static str,
    pub(super) outcome: &'static str,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            under_way: gauge!("headwater_http_requests_under_way"),
            answers: RwLock::default(),
            commands: RwLock::default(),
        }
    }
}

impl Meters {
    /// Counts a request as long as the answer lives, also when its client goes away.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.under_way.increment(1.0);
        UnderWay(&self.under_way)
    }

    /// Notes an answer.
    pub(super) fn answered(&self, method: &'static str, route: &str, status: StatusCode, took: Duration) {
        let status = status.as_u16();
        let note = |answers: &Answers| {
            answers.number.increment(1);
            answers.seconds.record(took.as_secs_f64());
        };
        let is_it = |answers: &&Answers| answers.method == method && answers.status == status;
        {
            let known = self.answers.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(answers) = known.get(route).and_then(|all| all.iter().find(is_it)) {
                return note(answers);
            }
        }
        let (label, code) = (route.to_owned(), status.to_string());
        let number = counter!("headwater_http_requests_total", "method" => method, "route" => label.clone(), "status" => code);
        let seconds =
            histogram!("headwater_http_request_seconds", "method" => method, "route" => label.clone());
        let new = Answers { method, status, number, seconds };
        note(&new);
        let mut known = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        let all = known.entry(label).or_default();
        // Somebody else may have been faster; both handles are of the same metric.
        if !all.iter().any(|answers| is_it(&answers)) {
            all.push(new);
        }
    }

    /// Counts a command.
    pub(super) fn commanded(&self, told: Command) {
        {
            let known = self.commands.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counter) = known.get(&told) {
                return counter.increment(1);
            }
        }
        let Command { category, command, outcome } = told;
        let counter = counter!(
            "headwater_commands_total", "category" => category, "command" => command, "outcome" => outcome
        );
        counter.increment(1);
        self.commands.write().unwrap_or_else(PoisonError::into_inner).insert(told, counter);
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// A request under way.
pub(super) struct UnderWay<'a>(&'a Gauge);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
