//! How JSON is written: compact, and never anything that could not be read back.

use std::cell::Cell;
use std::io;

use serde_json::ser::Formatter;

/// How deep the JSON of an event or command may be nested; `serde_json` reads no deeper.
pub const MAX_DEPTH: usize = 127;

/// Compact JSON that refuses to nest deeper than [`MAX_DEPTH`] and notes whether a `null` was written.
///
/// A `null` may stand for a number that JSON does not have (`f64::NAN`); whoever asked for the bytes checks it.
#[derive(Debug)]
pub(super) struct Careful<'a> {
    depth: usize,
    nulls: &'a Cell<bool>,
}

impl<'a> Careful<'a> {
    pub(super) fn new(nulls: &'a Cell<bool>) -> Self {
        Self { depth: 0, nulls }
    }

    /// For what stands in an object that was opened by somebody else.
    pub(super) fn inside_an_object(nulls: &'a Cell<bool>) -> Self {
        Self { depth: 1, nulls }
    }

    fn deeper(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(io::Error::other(format!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }
}

impl Formatter for Careful<'_> {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.deeper()?;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.deeper()?;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        writer.write_all(b"}")
    }

    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.nulls.set(true);
        writer.write_all(b"null")
    }
}
