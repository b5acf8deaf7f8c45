//! What derived events call.

use std::any::type_name;
use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::decode::decode_variant;
use super::encode::encode_noting_nulls;
use super::{DecodeError, EncodeError};
use crate::{Decoded, Event, EventData, EventType};

/// Writes an event. What could not be read back is refused: better no event than one that blocks its stream.
pub fn encode_event<E: Event + Serialize + DeserializeOwned>(event: &E) -> Result<EventData, EncodeError> {
    let failed = |source| EncodeError { what: type_name::<E>(), source };
    let (index, payload, nulls) = encode_noting_nulls(event).map_err(failed)?;
    if nulls {
        decode_variant::<E>(index, &payload).map_err(failed)?;
    }
    let of = usize::try_from(index).ok().and_then(|index| E::TYPES.get(index));
    let EventType { name, schema } = of.expect("the derive lists every variant, in serde's order");
    Ok(EventData { name: Cow::Borrowed(name), schema: *schema, payload })
}

/// Reads an event whose payload has today's shape.
pub fn decode_current<E: DeserializeOwned>(
    index: u32,
    name: &str,
    schema: u32,
    payload: &[u8],
) -> Result<Decoded<E>, DecodeError> {
    decode_variant(index, payload).map(Decoded::One).map_err(|source| misfit(name, schema, source))
}

/// Reads an older payload and turns it into today's event.
pub fn decode_old<Old, E>(name: &str, schema: u32, payload: &[u8]) -> Result<Decoded<E>, DecodeError>
where
    Old: DeserializeOwned,
    E: From<Old>,
{
    let old: Old = serde_json::from_slice(payload).map_err(|source| misfit(name, schema, source))?;
    Ok(Decoded::One(old.into()))
}

/// Reads a payload of a retired type and turns it into whatever took its place.
pub fn decode_retired<Old, E>(name: &str, schema: u32, payload: &[u8]) -> Result<Decoded<E>, DecodeError>
where
    Old: DeserializeOwned,
    Vec<E>: From<Old>,
{
    let old: Old = serde_json::from_slice(payload).map_err(|source| misfit(name, schema, source))?;
    Ok(Decoded::Many(old.into()))
}

/// The error for a type, or a version of it, that is not among the readable ones.
#[must_use]
pub fn unknown_event(name: &str, schema: u32, readable: &[EventType]) -> DecodeError {
    let newest = readable.iter().filter(|known| known.name == name).map(|known| known.schema).max();
    if let Some(newest) = newest {
        return DecodeError::UnknownSchema { name: name.to_owned(), schema, newest };
    }
    let mut known: Vec<&str> = Vec::new();
    for EventType { name, .. } in readable {
        if !known.contains(name) {
            known.push(name);
        }
    }
    DecodeError::UnknownType { name: name.to_owned(), known: known.join(", ") }
}

fn misfit(name: &str, schema: u32, source: serde_json::Error) -> DecodeError {
    DecodeError::Payload { name: name.to_owned(), schema, source }
}
