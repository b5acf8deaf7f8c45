//! Progress of an import: a spinner on a terminal, else a line every ten seconds; refusals as they happen.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::line::Line;
use super::send::Outcome;

/// Refusals that are printed one by one; the others are only counted.
const SHOWN_REFUSALS: u64 = 20;
/// Between two lines of progress without a terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Counts what happened and shows it.
#[derive(Debug)]
pub(super) struct Progress {
    started: Instant,
    last_line: Mutex<Instant>,
    bar: Option<ProgressBar>,
    accepted: AtomicU64,
    repeated: AtomicU64,
    refused: AtomicU64,
}

impl Progress {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {human_pos} commands, {per_sec}, {elapsed}")
            {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let zero = || AtomicU64::new(0);
        let (accepted, repeated, refused) = (zero(), zero(), zero());
        Self { started: now, last_line: Mutex::new(now), bar, accepted, repeated, refused }
    }

    /// Counts a command.
    pub(super) fn note(&self, line: &Line, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted.fetch_add(1, Ordering::Relaxed),
            Outcome::Repeated => self.repeated.fetch_add(1, Ordering::Relaxed),
            Outcome::Refused(reason) => {
                let earlier = self.refused.fetch_add(1, Ordering::Relaxed);
                if earlier < SHOWN_REFUSALS {
                    let Line { number, stream, command, .. } = line;
                    self.say(&format!("line {number}: {command} on {stream} was refused: {reason}"));
                } else if earlier == SHOWN_REFUSALS {
                    self.say("further refusals are only counted");
                }
                earlier
            }
        };
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => self.line_now_and_then(),
        }
    }

    /// Prints the summary to standard output; the number of refused commands.
    #[expect(clippy::print_stdout, reason = "this is the command line")]
    pub(super) fn finish(&self) -> u64 {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let [accepted, repeated, refused] = self.counts();
        let rate = (accepted + repeated + refused) as f64 / seconds.max(0.001);
        println!(
            "{} commands in {seconds:.1} s ({rate:.0}/s): {} carried out, {} already there, {} refused",
            HumanCount(accepted + repeated + refused),
            HumanCount(accepted),
            HumanCount(repeated),
            HumanCount(refused)
        );
        refused
    }

    fn counts(&self) -> [u64; 3] {
        [&self.accepted, &self.repeated, &self.refused].map(|count| count.load(Ordering::Relaxed))
    }

    fn line_now_and_then(&self) {
        let Ok(mut last) = self.last_line.try_lock() else { return };
        if last.elapsed() >= EVERY {
            *last = Instant::now();
            let commands: u64 = self.counts().iter().sum();
            self.say(&format!("{commands} commands after {:.0} s", self.started.elapsed().as_secs_f64()));
        }
    }

    #[expect(clippy::print_stderr, reason = "this is the command line")]
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}
