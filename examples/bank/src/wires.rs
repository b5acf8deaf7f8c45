//! Wires: money sent from one account to another as a process of its own, with a way back.
//!
//! ```text
//! payer: WireSent ─▶ payee: ReceiveWire ─▶ WireReceived
//!                                      └─▶ WireBounced ─▶ payer: RefundWire ─▶ WireRefunded
//! ```
//!
//! Each step is one event on one account. The next command carries a key that comes from that event, so a step that is
//! taken twice is taken once. `POST /v1/transfers` is the other way to do it: both accounts in one transaction.

use headwater::{Id, Recorded};
use headwater_projections::reactor::{React, ReactError, Reaction, Reactor, Trigger};

use crate::account::{Account, AccountCommand, AccountEvent};

/// Takes each wire on to its next step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wires;

impl Reactor for Wires {
    const NAME: &'static str = "wires";

    fn sources() -> Vec<Trigger<Self>> {
        vec![Trigger::of::<Account>()]
    }
}

impl React<Account> for Wires {
    fn react(&self, event: &Recorded<'_, AccountEvent>) -> Result<Reaction, ReactError> {
        let here = event.stream.id().to_owned();
        Ok(match event.event {
            AccountEvent::WireSent { to, amount } => {
                let command = AccountCommand::ReceiveWire { from: here, amount: *amount };
                Reaction::command(&Id::<Account>::new(to)?, command)
            }
            AccountEvent::WireBounced { from, amount, .. } => {
                let command = AccountCommand::RefundWire { to: here, amount: *amount };
                Reaction::command(&Id::<Account>::new(from)?, command)
            }
            _ => Reaction::none(),
        })
    }
}
