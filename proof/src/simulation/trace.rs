//! What happened, in order: its hash says whether two runs were the same, its end what led to a failure.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// Lines that are kept of a run of many; of a single seed all of them are.
const LINES: usize = 400;

/// What happened.
#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    count: u64,
    lines: VecDeque<String>,
}

impl Trace {
    /// Takes down that something happened.
    pub fn add(&mut self, line: String) {
        self.hash = line.bytes().fold(self.hash ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        self.count += 1;
        if self.lines.len() >= LINES && std::env::var_os("HEADWATER_SEED").is_none() {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The same for two runs in which the same happened, and how much it was.
    #[must_use]
    pub fn sum(&self) -> (u64, u64) {
        (self.hash, self.count)
    }

    /// The last lines.
    #[must_use]
    pub fn end(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let _infallible = writeln!(text, "{line}");
        }
        text
    }
}
