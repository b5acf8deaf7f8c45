//! Files of the archive with any content: refused by name or read, never a panic.

use std::ops::ControlFlow;
use std::panic;

use bytes::Bytes;
use headwater_proof::fuzz::fuzz;

use crate::decode::{Columns, Decoder};

/// Most events that are read of one input.
const EVENTS: usize = 10_000;

/// The library panics over some broken files, and `decode.rs` makes errors of that: thousands of traces would hide all else.
fn without_traces_of_the_library() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|at| at.file().contains("/parquet-")) {
            usual(info);
        }
    }));
}

#[test]
fn any_file_is_read_or_refused_by_name() {
    without_traces_of_the_library();
    fuzz("parquet", |input| {
        for columns in [Columns::History, Columns::All] {
            let Ok(mut decoder) = Decoder::new(Bytes::copy_from_slice(input), columns) else { continue };
            let mut events = 0;
            loop {
                let read = decoder.row_group(&mut |event| {
                    events += 1;
                    match event.payload.len() > input.len() * 100 || events > EVENTS {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                });
                match read {
                    Ok(Some(ControlFlow::Continue(()))) => {}
                    Ok(Some(ControlFlow::Break(())) | None) | Err(_) => break,
                }
            }
        }
        Ok(())
    });
}
