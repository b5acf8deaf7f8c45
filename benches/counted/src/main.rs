//! The hot paths of Headwater, step by step: how many instructions each takes.
//!
//! ```sh
//! headwater-counted count execute 20    # instructions of 20 commands
//! headwater-counted repeat execute 2000 # does them, for a profiler to look at
//! ```
//!
//! - `steps.rs`: the steps,
//! - `stepping.rs`: the process that counts, `traced.rs`: the one that is counted, which is this program once more.

mod stepping;
mod steps;
mod traced;

use std::process::ExitCode;

use steps::{Error, repeat};
use tokio::runtime::Builder;
use traced::Traced;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Error> {
    let (step, times, traced) = match words {
        ["count", step, times] => {
            let program = std::env::current_exe()?;
            println!("{}", stepping::count(&program, &["traced", step, times])?);
            return Ok(());
        }
        ["repeat", step, times] => (step, times, Traced::by_nobody()),
        ["traced", step, times] => (step, times, Traced::by_parent()?),
        _ => {
            return Err("say what is to be counted, and how often: headwater-counted count execute 20".into());
        }
    };
    // On one thread: that of this process, which is the one that is counted.
    Builder::new_current_thread().build()?.block_on(repeat(step, times.parse()?, &traced))
}
