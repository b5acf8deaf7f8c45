//! `import`: sends commands from a file to a server. Streams run side by side, each stream in the order of the file.

mod line;
mod progress;
mod run;
mod send;

pub(crate) use run::{Options, run};
