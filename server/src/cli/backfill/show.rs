//! Shows how far a backfill is: a bar on a terminal, a line every ten seconds without one. Notes stand above the bar.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use headwater_projections::backfill::{Phase, Progress, Snapshot};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep_until};

use crate::cli::output::Output;

/// Between two looks at the progress.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows progress on standard error.
pub(super) struct Show {
    progress: Arc<Progress>,
    bar: Option<ProgressBar>,
    output: Output,
    started: Instant,
    next: Instant,
    line_at: Instant,
}

impl Show {
    pub(super) fn start(progress: Arc<Progress>, output: Output) -> Self {
        let now = Instant::now();
        let bar = (output == Output::Human && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { progress, bar, output, started: now, next: now + LOOK_EVERY, line_at: now + LINE_EVERY }
    }

    /// Waits for the next look, and looks.
    pub(super) async fn tick(&mut self) {
        sleep_until(self.next).await;
        self.next = Instant::now() + LOOK_EVERY;
        for note in self.progress.take_notes() {
            self.say(&note);
        }
        let (phase, now) = (self.progress.phase(), self.progress.snapshot());
        let line = self.line(phase, &now);
        match &self.bar {
            Some(bar) => {
                bar.set_length(now.all_parts.max(1));
                bar.set_position(now.parts);
                bar.set_message(line);
            }
            None if self.line_at <= Instant::now() => {
                self.line_at = Instant::now() + LINE_EVERY;
                match self.output {
                    Output::Human => self.say(&line),
                    Output::Json | Output::Ndjson => {
                        self.say(&serde_json::json!({"phase": word(phase), "progress": now}).to_string())
                    }
                }
            }
            None => {}
        }
    }

    /// Shows what is left to be shown.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        for note in self.progress.take_notes() {
            self.say(&note);
        }
    }

    #[expect(clippy::print_stderr, reason = "this is the command line")]
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    fn line(&self, phase: Phase, now: &Snapshot) -> String {
        let rate = HumanCount(now.rate(self.started.elapsed()) as u64);
        let left = self.progress.seconds_left();
        let left = left.map_or_else(String::new, |left| format!(", about {left:.0} s left"));
        let (events, rows) = (HumanCount(now.events), HumanCount(now.rows));
        let slots = format!("{} of {} slots", now.slots, now.all_slots);
        let refused = match now.refusals {
            0 => String::new(),
            refusals => format!(", {refusals} writes refused and tried again"),
        };
        format!(
            "{}: {events} events ({rate}/s), {rows} rows, {} write units, {slots}{left}{refused}",
            word(phase),
            HumanCount(now.write_units)
        )
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Surveying => "looking at the history",
        Phase::Folding => "folding",
        Phase::Filling => "filling gaps from the ledger",
        Phase::Writing => "writing",
        Phase::Verifying => "comparing",
        Phase::Waiting => "waiting for others",
        Phase::CatchingUp => "catching up with the live generation",
        Phase::Done => "done",
        _ => "at work",
    }
}
