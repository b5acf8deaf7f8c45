//! Tests of rules: given what happened, when this is asked, then this happens. Synchronous, without a store.

use std::fmt::Debug;

use crate::{Aggregate, Event};

/// Starts a test of an aggregate's rules from what has happened.
///
/// Every given event goes through its bytes and back, so that a test also notices an event that cannot be stored.
///
/// ```
/// use headwater::testing::counter::{Counter, CounterCommand, CounterEvent, CounterRefusal};
/// use headwater::testing::given;
///
/// given::<Counter>([CounterEvent::Added { amount: 3 }])
///     .when(CounterCommand::Add { amount: 4 })
///     .then([CounterEvent::Added { amount: 4 }]);
/// given::<Counter>([])
///     .when(CounterCommand::Subtract { amount: 1 })
///     .then_refused(&CounterRefusal::BelowZero { value: 0 });
/// ```
#[track_caller]
pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    let events: Vec<A::Event> = events.into_iter().collect();
    for event in &events {
        state.apply(&through_bytes(event));
    }
    Given { state, events }
}

/// What has happened; next comes [`when`](Given::when).
#[derive(Debug)]
#[must_use = "nothing is tested yet: go on with `.when(command)`"]
pub struct Given<A: Aggregate> {
    state: A,
    events: Vec<A::Event>,
}

/// What came of it; next comes one of the checks.
#[derive(Debug)]
#[must_use = "nothing is tested yet: go on with `.then(…)` or `.then_refused(…)`"]
pub struct When<A: Aggregate> {
    given: Given<A>,
    command: A::Command,
    got: Result<Vec<A::Event>, A::Refusal>,
}

impl<A: Aggregate> Given<A> {
    /// Asks for something.
    #[track_caller]
    pub fn when(self, command: A::Command) -> When<A> {
        let got = self.state.decide(command.clone());
        When { given: self, command, got }
    }
}

impl<A: Aggregate> When<A> {
    /// Checks that exactly these events happen.
    ///
    /// # Panics
    /// When others happen or the command is refused.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> A
    where
        A::Event: PartialEq,
    {
        let expected: Vec<A::Event> = expected.into_iter().collect();
        if self.got.as_ref().ok() != Some(&expected) {
            self.fail(&format!("these events: {expected:#?}"));
        }
        self.state_after()
    }

    /// Checks that the command is accepted and makes nothing happen.
    ///
    /// # Panics
    /// When something happens or the command is refused.
    #[track_caller]
    pub fn then_nothing(self) -> A {
        if !self.got.as_ref().is_ok_and(Vec::is_empty) {
            self.fail("no events");
        }
        self.state_after()
    }

    /// Checks that the command is refused for this reason.
    ///
    /// # Panics
    /// When it is accepted, or refused for another reason.
    #[track_caller]
    pub fn then_refused(self, expected: &A::Refusal)
    where
        A::Refusal: PartialEq,
    {
        if self.got.as_ref().err() != Some(expected) {
            self.fail(&format!("this refusal: {expected:#?}"));
        }
    }

    /// The state after what happened.
    #[track_caller]
    fn state_after(self) -> A {
        let mut state = self.given.state;
        self.got.iter().flatten().for_each(|event| state.apply(&through_bytes(event)));
        state
    }

    #[track_caller]
    fn fail(&self, expected: &str) -> ! {
        let Self { given, command, got } = self;
        let got = match got {
            Ok(events) => format!("these events: {events:#?}"),
            Err(refusal) => format!("this refusal: {refusal:#?} ({refusal})"),
        };
        panic!(
            "the rules decide otherwise\ngiven:    {:#?}\nin state: {:#?}\nwhen:     {command:#?}\nexpected: {expected}\ngot:      {got}",
            given.events, given.state
        );
    }
}

/// The event as it comes back from its bytes.
#[track_caller]
fn through_bytes<E: Event + Debug>(event: &E) -> E {
    let data = event
        .encode()
        .unwrap_or_else(|error| panic!("{event:?} cannot be stored: {error}: {:?}", error.source));
    match E::decode(&data.name, data.schema, &data.payload) {
        Ok(crate::Decoded::One(event)) => event,
        Ok(crate::Decoded::Many(events)) => panic!("{event:?} came back as {events:?}"),
        Err(error) => panic!("{event:?} cannot be read back: {error}: {error:?}"),
    }
}
