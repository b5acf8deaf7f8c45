//! The command that goes on with a rebuild, as it was begun: whoever types it gets no other one.

use headwater_projections::backfill::{Budget, EventSource, Promotion, Verify, Wish};

/// Everything that was said and is not what the command does by itself.
pub(crate) fn command(projection: &str, wish: &Wish) -> String {
    let Wish { source, memory_bytes, budget, verify, promote, .. } = wish;
    let mut line = format!("backfill {projection}");
    let mut say = |name: &str, value: &str| line += &format!(" --{name} {value}");
    match source {
        Some(EventSource::Archive) => say("source", "archive"),
        Some(EventSource::Ledger) => say("source", "ledger"),
        None => {}
    }
    if *memory_bytes != 1 << 30 {
        say("memory", &format!("{}MiB", memory_bytes.div_ceil(1 << 20)));
    }
    if *budget != Budget::Unlimited {
        say("budget", &budget.to_string());
    }
    match verify {
        Verify::Sample => {}
        Verify::All => say("verify", "all"),
        Verify::Nothing => say("verify", "none"),
    }
    if *promote == Promotion::Manual {
        say("promote", "manual");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish {
            by: "ada".to_owned(),
            reason: "a test".to_owned(),
            source: None,
            memory_bytes: 1 << 30,
            budget: Budget::Unlimited,
            verify: Verify::Sample,
            promote: Promotion::Auto,
        }
    }

    #[test]
    fn what_the_command_does_by_itself_is_not_said() {
        assert_eq!(command("balances", &wish()), "backfill balances");
    }

    #[test]
    fn a_rebuild_that_was_not_to_be_promoted_is_not_promoted_by_going_on() {
        let wish = Wish {
            source: Some(EventSource::Ledger),
            memory_bytes: 256 << 20,
            budget: Budget::Percent(50),
            verify: Verify::All,
            promote: Promotion::Manual,
            ..wish()
        };
        let said =
            "backfill balances --source ledger --memory 256MiB --budget 50% --verify all --promote manual";
        assert_eq!(command("balances", &wish), said);
    }
}
