//! Changes of an input: of its bytes, and of the JSON it may be.

use serde_json::{Number, Value};

/// Numbers from a seed. SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        usize::try_from(z % bound.max(1) as u64).unwrap_or_default()
    }

    fn choose<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}

/// Texts that have broken decoders before.
const TEXTS: [&str; 12] = [
    "",
    "\0",
    "../../x",
    "a/b/c",
    "\u{202e}\u{feff}é",
    "9223372036854775808",
    "-0",
    "1e999",
    "2026-02-30T25:61:61Z",
    "00000000-0000-0000-0000-000000000000",
    "null",
    "\"",
];

/// Numbers at the edges of types.
const NUMBERS: [f64; 8] = [0.0, -1.0, 0.5, 255.0, 4_294_967_296.0, 9_007_199_254_740_993.0, 1e300, -1e-300];
const WHOLE: [u64; 5] = [0, 1, u32::MAX as u64, i64::MAX as u64, u64::MAX];

/// An input after a few changes.
pub(super) fn mutate(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(3) {
        bytes = match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut value) if random.below(2) == 0 => {
                change(&mut value, random);
                serde_json::to_vec(&value).unwrap_or_default()
            }
            _ => change_bytes(&bytes, other, random),
        };
    }
    bytes
}

fn change_bytes(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let at = random.below(input.len() + 1);
    let (head, tail) = input.split_at(at);
    let mut bytes = head.to_vec();
    match random.below(6) {
        // Cut.
        0 => {}
        // A byte changed.
        1 => {
            let byte = u8::try_from(random.below(256)).unwrap_or_default();
            bytes.push(byte);
            bytes.extend(tail.iter().skip(1));
        }
        // Some left out.
        2 => bytes.extend(tail.iter().skip(1 + random.below(8))),
        // Some twice.
        3 => {
            let length = random.below(16).min(tail.len());
            bytes.extend(tail.iter().take(length));
            bytes.extend(tail);
        }
        // A text put in.
        4 => {
            bytes.extend(random.choose(&TEXTS).map_or(&b""[..], |text| text.as_bytes()));
            bytes.extend(tail);
        }
        // The end of another input.
        _ => bytes.extend(other.iter().skip(random.below(other.len() + 1))),
    }
    bytes
}

/// Changes one place in a value.
fn change(value: &mut Value, random: &mut Random) {
    let deeper = random.below(4) != 0;
    match value {
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = random.below(fields.len());
            if let Some(field) = fields.values_mut().nth(at) {
                change(field, random);
            }
        }
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = random.below(items.len());
            if let Some(item) = items.get_mut(at) {
                change(item, random);
            }
        }
        Value::Object(fields) if random.below(2) == 0 => {
            let name = fields.keys().nth(random.below(fields.len())).cloned();
            if let Some(value) = name.and_then(|name| fields.remove(&name))
                && random.below(2) == 0
            {
                fields.insert((*random.choose(&TEXTS).unwrap_or(&"")).to_owned(), value);
            }
        }
        Value::Array(items) if random.below(2) == 0 => {
            let copy = items.clone();
            items.extend(copy);
        }
        other => *other = any(random),
    }
}

fn any(random: &mut Random) -> Value {
    match random.below(7) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => Value::Number(random.choose(&WHOLE).copied().unwrap_or_default().into()),
        3 => random
            .choose(&NUMBERS)
            .and_then(|number| Number::from_f64(*number))
            .map_or(Value::Null, Value::Number),
        4 => Value::String((*random.choose(&TEXTS).unwrap_or(&"")).to_owned()),
        5 => (0..200).fold(Value::Null, |inside, _| Value::Array(vec![inside])),
        _ => Value::Object(serde_json::Map::new()),
    }
}
