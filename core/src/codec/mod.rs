//! Between types and bytes: an event or command is an enum, at rest it is a name and the JSON of one variant's fields.
//!
//! The derives hold the tables (which name is which variant) and call the functions here; application code calls
//! [`Event::encode`] and [`Event::decode`] instead. Two small serde adaptors do the work: [`encode_variant`] takes
//! the variant's number and its fields apart, [`decode_variant`] puts them together again. Neither builds a value
//! tree, and serde's own names of variants never reach the wire.

mod command;
mod decode;
mod encode;
mod error;
mod event;
mod formatter;

#[doc(hidden)]
pub use command::{decode_command, encode_command, unknown_command};
pub use decode::decode_variant;
pub use encode::encode_variant;
pub use error::{CommandError, DecodeError, EncodeError, UndecodableEvent};
#[doc(hidden)]
pub use event::{decode_current, decode_old, decode_retired, encode_event, unknown_event};
pub use formatter::MAX_DEPTH;

#[cfg(doc)]
use crate::Event;
