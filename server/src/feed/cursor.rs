//! Cursors: where a subscriber is in every partition, as a text that clients hand back and do not look into.
//!
//! The digit 1, then base64 of: a seal that tells a broken one, and an entry for each partition, which is the digest of
//! its id, a kind, and a time or the digits of a position, two a byte.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use headwater::Timestamp;
use headwater::key::Fingerprint;
use headwater::store::{PartitionId, Position};

use super::limits::{CURSOR_BYTES, CURSOR_PARTITIONS};
use super::place::Place;
use crate::{Problem, ProblemKind};

/// The version of the layout.
const LAYOUT: char = '1';

const BEGIN: u8 = 0;
const SINCE: u8 = 1;
const AFTER: u8 = 2;

/// The digest by which a cursor names a partition.
pub(super) fn digest(partition: &PartitionId) -> u64 {
    Fingerprint::of(&[b"partition", partition.0.as_bytes()]).0
}

/// The cursor of these places.
pub(super) fn write<'a>(places: impl Iterator<Item = (u64, &'a Place)>) -> String {
    let mut bytes = Vec::with_capacity(256);
    for (partition, place) in places {
        bytes.extend(partition.to_be_bytes());
        match place {
            Place::Begin => bytes.push(BEGIN),
            Place::Since(time) => {
                bytes.push(SINCE);
                bytes.extend(time.as_microsecond().to_be_bytes());
            }
            Place::After(position) => {
                let digits = position.0.as_bytes();
                bytes.extend([AFTER, u8::try_from(digits.len()).unwrap_or(u8::MAX)]);
                let nibble = |digit: Option<&u8>| digit.map_or(0, |digit| digit.wrapping_sub(b'0') & 0x0f);
                bytes.extend(digits.chunks(2).map(|pair| nibble(pair.first()) << 4 | nibble(pair.get(1))));
            }
        }
    }
    let mut sealed = seal(&bytes).to_be_bytes().to_vec();
    sealed.extend(bytes);
    format!("{LAYOUT}{}", URL_SAFE_NO_PAD.encode(sealed))
}

/// The places of a cursor, by digest of their partitions.
pub(super) fn read(cursor: &str) -> Result<Vec<(u64, Place)>, Problem> {
    let refused = || {
        let detail = "the cursor is broken or was made by another version of this program: hand cursors back as they \
                      came, or begin again without one";
        Problem::new(ProblemKind::InvalidCursor, detail)
    };
    if cursor.len() > CURSOR_BYTES {
        return Err(refused());
    }
    let sealed = cursor.strip_prefix(LAYOUT).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let sealed = sealed.ok_or_else(refused)?;
    let (expected, mut bytes) = sealed.split_first_chunk::<8>().ok_or_else(refused)?;
    if u64::from_be_bytes(*expected) != seal(bytes) {
        return Err(refused());
    }
    let mut places = Vec::new();
    while !bytes.is_empty() {
        let (entry, rest) = entry(bytes).ok_or_else(refused)?;
        places.push(entry);
        bytes = rest;
    }
    let allowed = (1..=CURSOR_PARTITIONS).contains(&places.len());
    if allowed { Ok(places) } else { Err(refused()) }
}

fn entry(bytes: &[u8]) -> Option<((u64, Place), &[u8])> {
    let (partition, rest) = bytes.split_first_chunk::<8>()?;
    let (kind, rest) = rest.split_first()?;
    let (place, rest) = match *kind {
        BEGIN => (Place::Begin, rest),
        SINCE => {
            let (time, rest) = rest.split_first_chunk::<8>()?;
            (Place::Since(Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?), rest)
        }
        AFTER => {
            let (count, rest) = rest.split_first()?;
            let count = usize::from(*count);
            let (packed, rest) = rest.split_at_checked(count.div_ceil(2))?;
            let digits = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).take(count);
            let digits: Option<String> = digits.map(|digit| char::from_digit(digit.into(), 10)).collect();
            (Place::After(Position(digits.filter(|digits| !digits.is_empty())?.into())), rest)
        }
        _ => return None,
    };
    Some(((u64::from_be_bytes(*partition), place), rest))
}

fn seal(bytes: &[u8]) -> u64 {
    Fingerprint::of(&[b"cursor", bytes]).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Vec<(u64, Place)> {
        let long = "4".repeat(56);
        let after = |digits: &str| Place::After(Position(digits.into()));
        let time = Timestamp::from_microsecond(1_764_000_000_123_456).unwrap();
        vec![
            (7, Place::Begin),
            (8, Place::Since(time)),
            (u64::MAX, after("9")),
            (9, after(&long)),
            (1, after("10")),
        ]
    }

    #[test]
    fn a_cursor_gives_its_places_back() {
        let places = places();
        let cursor = write(places.iter().map(|(partition, place)| (*partition, place)));
        assert_eq!(read(&cursor).unwrap(), places);
        assert!(cursor.bytes().all(|b| b.is_ascii_graphic()), "it survives a header and a query: {cursor}");
    }

    #[test]
    fn a_broken_cursor_is_refused_by_kind() {
        let places = places();
        let cursor = write(places.iter().map(|(partition, place)| (*partition, place)));
        let mut broken: Vec<String> = (0..cursor.len()).map(|end| cursor[..end].to_owned()).collect();
        broken.extend([format!("{cursor}A"), cursor.replacen('1', "2", 1), "ü".repeat(9)]);
        broken.extend([write(std::iter::empty()), "A".repeat(CURSOR_BYTES + 1)]);
        for cursor in broken {
            assert_eq!(read(&cursor).unwrap_err().kind, ProblemKind::InvalidCursor, "{cursor}");
        }
    }
}
