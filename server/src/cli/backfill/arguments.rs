//! What `backfill` and `projections` can be told.

use clap::builder::UnknownArgumentValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use headwater_projections::backfill::{Budget, EventSource, Options, Promotion, Verify, Wish};

use super::switch::Verb;
use crate::cli::confirm::yes;
use crate::cli::context::dev_argument;

/// Why there is no part of the history to choose.
const WHOLE: &str =
    "a read model of a part of the history is a wrong one: query the archive to see how it was on a day";

/// The command `backfill`.
pub(in crate::cli) fn command() -> Command {
    Command::new("backfill")
        .about("Build a read model anew beside the live one, compare it, and switch to it")
        .args([
            Arg::new("projection").value_name("PROJECTION").required(true).help("The read model"),
            Arg::new("source")
                .long("source")
                .value_name("WHERE")
                .value_parser(["archive", "ledger"])
                .help("Where the events are read; the archive if it has files and nothing was said, else the ledger"),
            Arg::new("memory")
                .long("memory")
                .value_name("SIZE")
                .value_parser(size)
                .default_value("1GiB")
                .help("What rows may take in memory; what does not fit is done in parts"),
            Arg::new("workers")
                .long("workers")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=256))
                .help("Threads that read and fold; as many as there are cores if not given"),
            Arg::new("budget")
                .long("budget")
                .value_name("50% | UNITS")
                .value_parser(|text: &str| text.parse::<Budget>())
                .help("How much of the time it may work, or how many write units a second it may take"),
            Arg::new("verify")
                .long("verify")
                .value_name("WHICH")
                .value_parser(["sample", "all", "none"])
                .default_value("sample")
                .help("Which rows are compared with a fold of their own before the switch"),
            Arg::new("promote")
                .long("promote")
                .value_name("WHEN")
                .value_parser(["auto", "manual"])
                .default_value("auto")
                .help("Whether it becomes live by itself once it is level with the live one"),
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Write nothing: only read and fold, and say how much there is"),
            dev_argument(),
            never("only", "one row is compared by `projections verify PROJECTION --only KEY` and written anew by `--repair KEY`"),
            never("from", WHOLE),
            never("to", WHOLE),
        ])
}

/// What somebody might look for in vain is no part of the help, and its error says what there is instead.
fn never(name: &'static str, instead: &'static str) -> Arg {
    Arg::new(name).long(name).hide(true).value_parser(UnknownArgumentValueParser::suggest(instead))
}

/// What `projections` does to generations.
pub(in crate::cli) fn switches() -> [Command; 4] {
    let projection = || Arg::new("projection").value_name("PROJECTION").required(true);
    let generation = || {
        Arg::new("generation")
            .value_name("GENERATION")
            .required(true)
            .value_parser(value_parser!(u32).range(1..))
    };
    let force = || {
        let help = "Even if it is behind the live one, so that queries see older rows";
        Arg::new("force").long("force").action(ArgAction::SetTrue).help(help)
    };
    [
        Command::new("generations")
            .about("Which generations there are, and which is live")
            .arg(dev_argument()),
        Command::new("promote").about("Make a generation live").args([
            projection(),
            generation(),
            force(),
            dev_argument(),
        ]),
        Command::new("rollback").about("Go back to the generation before the live one").args([
            projection(),
            force(),
            dev_argument(),
        ]),
        Command::new("drop").about("Drop a generation that is not live, with all its rows").args([
            projection(),
            generation(),
            yes(),
            dev_argument(),
        ]),
    ]
}

/// What `backfill` was told: as everybody is to see it, and as it is done.
pub(super) fn wish(arguments: &ArgMatches) -> (Wish, Options) {
    let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str);
    let wish = Wish {
        by: "the command backfill".to_owned(),
        reason: "asked for on the command line".to_owned(),
        source: text("source").map(|source| match source {
            "archive" => EventSource::Archive,
            _ => EventSource::Ledger,
        }),
        memory_bytes: *arguments.get_one("memory").expect("it has a default"),
        budget: arguments.get_one("budget").copied().unwrap_or(Budget::Unlimited),
        verify: match text("verify") {
            Some("all") => Verify::All,
            Some("none") => Verify::Nothing,
            _ => Verify::Sample,
        },
        promote: match text("promote") {
            Some("manual") => Promotion::Manual,
            _ => Promotion::Auto,
        },
    };
    let mut options = wish.options();
    if let Some(workers) = arguments.get_one::<u16>("workers") {
        options.workers = usize::from(*workers);
    }
    options.dry_run = arguments.get_flag("dry-run");
    (wish, options)
}

/// What `projections` was told.
pub(super) fn verb(name: &str, arguments: &ArgMatches) -> Option<Verb> {
    let projection = || arguments.get_one::<String>("projection").cloned().unwrap_or_default();
    let generation = || arguments.get_one::<u32>("generation").copied().unwrap_or_default();
    Some(match name {
        "generations" => Verb::List,
        "promote" => Verb::Promote(projection(), generation(), arguments.get_flag("force")),
        "rollback" => Verb::Rollback(projection(), arguments.get_flag("force")),
        "drop" => Verb::Drop(projection(), generation()),
        _ => return None,
    })
}

/// Reads a size such as `512MiB`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let factor: usize = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("give a number and B, KiB, MiB or GiB, such as 512MiB".to_owned()),
    };
    let number: usize = digits.parse().map_err(|_| "give a whole number, such as 512MiB".to_owned())?;
    number.checked_mul(factor).filter(|bytes| *bytes >= 1 << 20).ok_or("1MiB is the least".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_for_one_row_or_a_part_of_the_history_is_told_what_there_is_instead() {
        for (argument, instead) in
            [("--only", "projections verify"), ("--from", "archive"), ("--to", "archive")]
        {
            let typed = ["backfill", "balances", argument, "x"];
            let error = command().try_get_matches_from(typed).unwrap_err().to_string();
            assert!(
                error.contains(&format!("unexpected argument '{argument}")) && error.contains(instead),
                "{error}"
            );
        }
        let help = command().render_long_help().to_string();
        assert!(!help.contains("--only"), "{help}");
    }

    #[test]
    fn sizes_are_read_and_odd_ones_refused() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("1048576"), Ok(1 << 20));
        for odd in ["", "MiB", "1KB", "-1MiB", "1.5GiB", "1023KiB", "99999999999GiB"] {
            assert!(size(odd).is_err(), "{odd}");
        }
    }
}
