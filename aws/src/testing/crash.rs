//! Ending the process at an exact request, as `kill -9` would.

/// A request at which the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// A part of the name of its table or stream.
    pub resource: String,
    /// How many such requests pass before it.
    pub after: usize,
    /// Whether it is carried out first.
    pub carried_out: bool,
}

impl Crash {
    /// Reads `PutItem:-ledger:3:before`, or `:after` when the request is carried out first.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let operation = parts.next()?.to_owned();
        let resource = parts.next()?.to_owned();
        let after = parts.next()?.parse().ok()?;
        let carried_out = match parts.next()? {
            "before" => false,
            "after" => true,
            _ => return None,
        };
        parts.next().is_none().then_some(Self { operation, resource, after, carried_out })
    }
}
