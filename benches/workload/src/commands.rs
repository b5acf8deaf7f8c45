//! The commands: which account, what is asked of it when, and what it must hold afterwards.

/// What can be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open it.
    Open {
        /// The account's own number.
        account: String,
        /// Whose it is.
        owner: String,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Pay in.
    Deposit {
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
    /// Pay out.
    Withdraw {
        /// The number of the transaction.
        tx: String,
        /// How much.
        amount: i64,
        /// When, in milliseconds since 1970.
        at: i64,
    },
}

/// The id of an account: 12 bytes.
#[must_use]
pub fn name(account: usize) -> String {
    format!("acct-{account:07}")
}

/// One command of an account; number 0 opens it.
///
/// Every third withdraws 50 and the others deposit 100, so none is refused and each appends one event.
#[must_use]
pub fn command(account: usize, number: u32) -> Command {
    let at = 1_767_225_600_000 + i64::from(number) * 1_000 + (account % 1_000) as i64;
    if number == 0 {
        return Command::Open { account: name(account), owner: format!("Account Holder {account:07}"), at };
    }
    let tx = format!("0190c5f2-8a3b-7d41-{number:05}-{account:07}");
    if number % 3 == 2 {
        Command::Withdraw { tx, amount: 50, at }
    } else {
        Command::Deposit { tx, amount: 100, at }
    }
}

/// What an account holds after its first commands.
#[must_use]
pub fn balance_after(commands: u32) -> i64 {
    (1..commands).map(|number| if number % 3 == 2 { -50 } else { 100 }).sum()
}

/// The read model: what a row says of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// What it holds.
    pub balance: i64,
    /// How many events it has had.
    pub events: u64,
    /// The version of the last one.
    pub version: u64,
}

/// Sums over accounts, of states or of rows. A run whose sums are not [`expected`] must not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Of what they hold.
    pub balance: i64,
    /// Of their events.
    pub events: u64,
    /// Of their versions.
    pub versions: u64,
}

impl Totals {
    /// The sums with one row more.
    #[must_use]
    pub fn with(self, row: Row) -> Self {
        Self {
            balance: self.balance + row.balance,
            events: self.events + row.events,
            versions: self.versions + row.version,
        }
    }

    /// The sums over rows.
    pub fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        rows.into_iter().fold(Self::default(), Self::with)
    }
}

/// The sums after so many commands, dealt round robin.
#[must_use]
pub fn expected(accounts: usize, commands: usize) -> Totals {
    let rows = (0..accounts).map(|account| {
        let events = commands / accounts + usize::from(account < commands % accounts);
        let balance = balance_after(u32::try_from(events).unwrap_or(u32::MAX));
        Row { balance, events: events as u64, version: events as u64 }
    });
    Totals::of(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_command_opens_and_every_third_withdraws() {
        assert!(matches!(command(7, 0), Command::Open { account, .. } if account == "acct-0000007"));
        assert!(matches!(command(7, 1), Command::Deposit { amount: 100, .. }));
        assert!(matches!(command(7, 2), Command::Withdraw { amount: 50, .. }));
        assert_ne!(command(7, 3), command(7, 4));
        assert_ne!(command(7, 3), command(8, 3));
    }

    #[test]
    fn the_sums_are_those_of_accounts_that_get_their_commands_in_turn() {
        let sums = expected(10, 203);
        assert_eq!((sums.events, sums.versions), (203, 203));
        assert_eq!(sums.balance, 3 * balance_after(21) + 7 * balance_after(20));
        assert_eq!((balance_after(0), balance_after(1), balance_after(4)), (0, 0, 150));
    }
}
