//! Writing one variant of an enum: its number, and its fields as JSON.

use std::cell::Cell;

use bytes::Bytes;
use serde::ser::{Error as _, Impossible, Serialize, SerializeStructVariant, Serializer};
use serde_json::Error;

use super::formatter::Careful;

/// Most payloads fit; longer ones grow the buffer.
const PAYLOAD_BYTES: usize = 128;

/// The largest buffer that a thread keeps for the next payload.
const KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    /// The buffer in which a thread writes payloads of events, before they are copied to where they stay: a buffer made for
    /// each would have to be grown, and shrunk again, because nobody knows how long a payload gets.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The number of an enum's variant and the JSON of its fields: an object, or whatever the one value of a variant
/// like `Opened(Details)` is written as. A variant without fields is `{}`.
///
/// # Errors
/// When the value is not an enum, the variant is a tuple, or a field cannot be written as JSON.
pub fn encode_variant<T: Serialize>(value: &T) -> Result<(u32, Vec<u8>), Error> {
    let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
    let (index, _) = write(value, &mut payload)?;
    Ok((index, payload))
}

/// The number of an enum's variant, the JSON of its fields in as many bytes as it has, and whether a `null` was written.
pub(super) fn encode_noting_nulls<T: Serialize>(value: &T) -> Result<(u32, Bytes, bool), Error> {
    // Taken out while it is used: what a field does while it is written may encode something else.
    let mut buffer = BUFFER.take();
    buffer.clear();
    let written = write(value, &mut buffer);
    let encoded = written.map(|(index, nulls)| (index, Bytes::copy_from_slice(&buffer), nulls));
    if buffer.capacity() <= KEPT_BYTES {
        BUFFER.set(buffer);
    }
    encoded
}

/// Writes the fields, and answers with the number of the variant and whether a `null` was written.
fn write<T: Serialize>(value: &T, payload: &mut Vec<u8>) -> Result<(u32, bool), Error> {
    let nulls = Cell::new(false);
    let index = value.serialize(OneVariant { payload, nulls: &nulls })?;
    Ok((index, nulls.get()))
}

/// A serializer that takes enums only and answers with the variant's number.
struct OneVariant<'p> {
    payload: &'p mut Vec<u8>,
    nulls: &'p Cell<bool>,
}

/// The fields of a struct variant on their way into an object. Its braces and keys are written here: there are many of
/// them in every event, and `serde_json` would look for something to escape in each.
struct Fields<'p> {
    index: u32,
    payload: &'p mut Vec<u8>,
    nulls: &'p Cell<bool>,
    /// What comes before the next key.
    before: u8,
}

impl SerializeStructVariant for Fields<'_> {
    type Ok = u32;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.payload.push(self.before);
        self.before = b',';
        if key.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            self.payload.push(b'"');
            self.payload.extend_from_slice(key.as_bytes());
            self.payload.extend_from_slice(b"\":");
        } else {
            serde_json::to_writer(&mut *self.payload, key)?;
            self.payload.push(b':');
        }
        let careful = Careful::inside_an_object(self.nulls);
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut *self.payload, careful))
    }

    fn end(self) -> Result<u32, Error> {
        if self.before == b'{' {
            self.payload.push(b'{');
        }
        self.payload.push(b'}');
        Ok(self.index)
    }
}

fn not_an_enum<T>() -> Result<T, Error> {
    Err(Error::custom("only enums with struct or unit variants are events and commands"))
}

/// The methods of a serializer that refuse what is not an enum.
macro_rules! refuse {
    ($($method:ident($($kind:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $(_: $kind),*) -> Result<$ok, Error> {
            not_an_enum()
        }
    )*};
}

impl<'p> Serializer for OneVariant<'p> {
    type Ok = u32;
    type Error = Error;
    type SerializeSeq = Impossible<u32, Error>;
    type SerializeTuple = Impossible<u32, Error>;
    type SerializeTupleStruct = Impossible<u32, Error>;
    type SerializeTupleVariant = Impossible<u32, Error>;
    type SerializeMap = Impossible<u32, Error>;
    type SerializeStruct = Impossible<u32, Error>;
    type SerializeStructVariant = Fields<'p>;

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Ok(Fields { index, payload: self.payload, nulls: self.nulls, before: b'{' })
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<u32, Error> {
        self.payload.extend_from_slice(b"{}");
        Ok(index)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<u32, Error> {
        let careful = Careful::new(self.nulls);
        value.serialize(&mut serde_json::Serializer::with_formatter(self.payload, careful))?;
        Ok(index)
    }

    refuse! {
        serialize_bool(bool) -> u32;
        serialize_i8(i8) -> u32;
        serialize_i16(i16) -> u32;
        serialize_i32(i32) -> u32;
        serialize_i64(i64) -> u32;
        serialize_u8(u8) -> u32;
        serialize_u16(u16) -> u32;
        serialize_u32(u32) -> u32;
        serialize_u64(u64) -> u32;
        serialize_f32(f32) -> u32;
        serialize_f64(f64) -> u32;
        serialize_char(char) -> u32;
        serialize_str(&str) -> u32;
        serialize_bytes(&[u8]) -> u32;
        serialize_none() -> u32;
        serialize_unit() -> u32;
        serialize_unit_struct(&'static str) -> u32;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
    }

    fn serialize_some<T: ?Sized + Serialize>(self, _: &T) -> Result<u32, Error> {
        not_an_enum()
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, _: &T) -> Result<u32, Error> {
        not_an_enum()
    }
}
