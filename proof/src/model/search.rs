//! Searching a model to its end.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// How large a model is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Seconds, for every run of the tests.
    Small,
    /// Minutes, for `cargo xtask prove`.
    Large,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// States that differ.
    pub states: usize,
    /// Properties that do not hold, and what was to be reached and was not, each with the way there.
    pub broken: Vec<(&'static str, String)>,
}

impl Found {
    /// The names of the properties that do not hold.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.broken.iter().map(|(name, _)| *name).collect()
    }
}

/// Searches all states; stops at the first property that is broken, along a shortest way.
pub fn search<M>(model: M) -> Found
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Debug + Send + Sync,
    M::Action: Clone + PartialEq + Debug + Send + Sync,
{
    let found = run(model, HasDiscoveries::AnyFailures);
    assert!(found.states > 100, "{} states: the model does not do what it should", found.states);
    found
}

/// Searches until this property is broken, whatever else is.
pub fn search_for<M>(model: M, property: &'static str) -> Found
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Debug + Send + Sync,
    M::Action: Clone + PartialEq + Debug + Send + Sync,
{
    run(model, HasDiscoveries::AnyOf(BTreeSet::from([property])))
}

fn run<M>(model: M, until: HasDiscoveries) -> Found
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Debug + Send + Sync,
    M::Action: Clone + PartialEq + Debug + Send + Sync,
{
    let properties: Vec<_> =
        model.properties().into_iter().map(|property| (property.name, property.expectation)).collect();
    let checker = model.checker().threads(1).finish_when(until).spawn_bfs().join();
    let mut ways = checker.discoveries();
    let mut broken = Vec::new();
    for (name, expectation) in properties {
        match (expectation, ways.remove(name)) {
            (Expectation::Always | Expectation::Eventually, Some(way)) => {
                let steps: Vec<String> =
                    way.into_actions().iter().map(|action| format!("  {action:?}")).collect();
                broken.push((name, steps.join("\n")));
            }
            (Expectation::Sometimes, None) if broken.is_empty() => {
                broken.push((name, "no state is like this: the model does not do what it should".to_owned()));
            }
            _ => {}
        }
    }
    Found { states: checker.unique_state_count(), broken }
}
