//! What derived commands call.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::decode::OneVariant;
use super::encode::encode_variant;
use super::{CommandError, EncodeError};
use crate::Command;

/// Writes a command: its wire name and its content.
pub fn encode_command<C: Command + Serialize>(command: &C) -> Result<(&'static str, Vec<u8>), EncodeError> {
    let (index, content) =
        encode_variant(command).map_err(|source| EncodeError { what: type_name::<C>(), source })?;
    let name = usize::try_from(index).ok().and_then(|index| C::NAMES.get(index));
    Ok((name.expect("the derive lists every variant, in serde's order"), content))
}

/// Reads a command; no content at all means an object without fields.
pub fn decode_command<C: DeserializeOwned>(
    index: u32,
    name: &str,
    content: &[u8],
) -> Result<C, CommandError> {
    let payload = if content.trim_ascii().is_empty() { b"{}" } else { content };
    serde_path_to_error::deserialize(OneVariant { index, payload }).map_err(|error| {
        // The path begins with the variant, which the name says better.
        let mut path = String::new();
        for segment in error.path().iter().skip_while(|segment| matches!(segment, Segment::Enum { .. })) {
            push(&mut path, segment);
        }
        let mut reason = error.into_inner().to_string();
        if let Some(field) = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(field);
        }
        if path.is_empty() {
            path.push('.');
        } else {
            reason = format!("`{path}`: {reason}");
        }
        CommandError::Content { name: name.to_owned(), path, reason }
    })
}

/// The error for a name that no command has.
#[must_use]
pub fn unknown_command(name: &str, names: &[&str]) -> CommandError {
    CommandError::UnknownName { name: name.to_owned(), known: names.join(", ") }
}

fn push(path: &mut String, segment: &Segment) {
    let dotted = match segment {
        Segment::Seq { index } => return path.push_str(&format!("[{index}]")),
        Segment::Map { key } => key.as_str(),
        Segment::Enum { variant } => variant.as_str(),
        // The JSON itself is broken here; the position says more.
        Segment::Unknown => return,
    };
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(dotted);
}
