//! Tests of the publisher: its plain parts for any order of things, the task over a sink with paused time, and the
//! whole on a Kinesis look-alike behind a wire that loses and refuses.

mod fake;
mod kinesis;
mod pace;
mod queue;
mod task;
