//! The runtime of a workload.

use std::io;

use super::{Options, decide};

/// Runs a workload: on one thread without others beside it, or on as many as are asked for.
///
/// # Errors
/// When the runtime cannot be started or the line cannot be written.
pub fn run(options: &Options) -> io::Result<()> {
    let mut builder = match options.threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(options.threads.max(1)).enable_all().build()?.block_on(decide::run(options))
}
