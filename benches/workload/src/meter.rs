//! Wall clock, processor time and memory of a measured section, from /proc.

use std::fs;
use std::io::{self, Write};
use std::time::Instant;

use serde_json::{Value, json};

use crate::Options;

/// Ticks of processor time a second: what Linux shows to programs, on every machine.
const TICKS: f64 = 100.0;

/// A section that is being measured.
#[derive(Debug)]
pub struct Meter {
    begin: Instant,
    processor_seconds: f64,
    resident_mib: f64,
}

/// What a section took.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// By the wall clock.
    pub wall_seconds: f64,
    /// Of processor time, over all threads.
    pub processor_seconds: f64,
    /// Memory of the process when it began.
    pub resident_mib: f64,
    /// The most memory of the process meanwhile.
    pub peak_mib: f64,
}

impl Meter {
    /// Begins, with the high-water mark of memory at what is used now.
    #[must_use]
    pub fn start() -> Self {
        // Where it is not allowed, the mark is that of the whole process: higher, never lower.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let (processor_seconds, resident_mib) = (processor_seconds_of("self"), resident_mib());
        Self { begin: Instant::now(), processor_seconds, resident_mib }
    }

    /// Ends.
    #[must_use]
    pub fn stop(self) -> Outcome {
        Outcome {
            wall_seconds: self.begin.elapsed().as_secs_f64(),
            processor_seconds: processor_seconds_of("self") - self.processor_seconds,
            resident_mib: self.resident_mib,
            peak_mib: peak_mib(),
        }
    }
}

/// Appends the line of a section: to the file that was asked for, else to standard error.
///
/// # Errors
/// When the line cannot be written.
pub fn emit(
    options: &Options,
    variant: &str,
    operations: usize,
    outcome: &Outcome,
    more: &Value,
) -> io::Result<()> {
    let each = 1e6 / operations as f64;
    let mut line = json!({
        "workload": options.workload.name(),
        "peer": options.peer,
        "variant": variant,
        "n": operations,
        "wall_s": outcome.wall_seconds,
        "per_s": operations as f64 / outcome.wall_seconds,
        "us_per_op": outcome.wall_seconds * each,
        "cpu_us_per_op": outcome.processor_seconds * each,
        "rss_before_mib": outcome.resident_mib,
        "peak_mib": outcome.peak_mib,
        "args": { "threads": options.threads.to_string() },
    });
    if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
        line.extend(more.clone());
    }
    match &options.out {
        Some(path) => writeln!(fs::OpenOptions::new().create(true).append(true).open(path)?, "{line}"),
        None => writeln!(io::stderr(), "{line}"),
    }
}

/// Middle and tail of times in seconds, as milliseconds.
#[must_use]
pub fn percentiles(mut seconds: Vec<f64>) -> Value {
    seconds.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (seconds.len().saturating_sub(1) as f64 * share).round() as usize;
        seconds.get(place).map(|seconds| seconds * 1e3)
    };
    json!({"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0)})
}

/// The processor time that a process has used: its number, or `self`.
#[must_use]
pub fn processor_seconds_of(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in front may hold spaces; what follows it does not.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / TICKS
}

/// The most memory that this process has had, or has had since a [`Meter`] was started.
#[must_use]
pub fn peak_mib() -> f64 {
    status_mib("self", "VmHWM")
}

/// The memory that this process takes.
#[must_use]
pub fn resident_mib() -> f64 {
    resident_mib_of("self")
}

/// The memory that a process takes: its number, or `self`.
#[must_use]
pub fn resident_mib_of(process: &str) -> f64 {
    status_mib(process, "VmRSS")
}

fn status_mib(process: &str, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
