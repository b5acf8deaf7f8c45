//! Cursors: where a page ended, as a text that callers hand back and do not look into.
//!
//! A cursor is the digit 1, its version; sixteen hexadecimal digits that bind it to one generation and one order of
//! its rows and tell a broken one; and the place itself in hexadecimal digits.

use std::fmt::Write;

use headwater::key::Fingerprint;

use super::{Direction, Generation, RowError};

/// The version of the layout.
const VERSION: char = '1';

/// Longest place in bytes: the key of a row, or an entry of an index.
const MAX_PLACE_BYTES: usize = 2_048;

/// What a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    generation: &'a Generation,
    /// The name of the index, or of what else is paged.
    order: &'a str,
    direction: Direction,
}

impl<'a> Scope<'a> {
    /// Pages of rows by key.
    #[must_use]
    pub fn keys(generation: &'a Generation) -> Self {
        // A field may have any name but this one, which has no letter.
        Self { generation, order: " ", direction: Direction::Ascending }
    }

    /// Pages of rows by an index.
    #[must_use]
    pub fn index(generation: &'a Generation, index: &'a str, direction: Direction) -> Self {
        Self { generation, order: index, direction }
    }

    /// Pages of audit entries.
    #[must_use]
    pub fn audit(generation: &'a Generation) -> Self {
        Self { generation, order: "  ", direction: Direction::Descending }
    }

    /// The cursor of a place.
    #[must_use]
    pub fn cursor(&self, place: &[u8]) -> String {
        let mut cursor = format!("{VERSION}{:016x}", self.seal(place));
        for byte in place {
            write!(cursor, "{byte:02x}").expect("a text takes what is written to it");
        }
        cursor
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// [`RowError::Invalid`] when it is broken, or was made for another question.
    pub fn place(&self, cursor: &str) -> Result<Vec<u8>, RowError> {
        let refused = |what: &str| RowError::Invalid {
            reason: format!(
                "the cursor {what}: take `next` of the page before as it is, with the same projection, index and \
                 direction, or begin again without a cursor"
            ),
        };
        let Some(rest) = cursor.strip_prefix(VERSION) else {
            return Err(refused("is broken or was made by another version of this program"));
        };
        let parsed = rest.split_at_checked(16).and_then(|(seal, place)| {
            let place = (place.len() <= 2 * MAX_PLACE_BYTES).then(|| bytes(place)).flatten()?;
            Some((u64::from_str_radix(seal, 16).ok()?, place))
        });
        let (seal, place) = parsed.ok_or_else(|| refused("is broken"))?;
        if seal != self.seal(&place) {
            return Err(refused("is broken or belongs to another question"));
        }
        Ok(place)
    }

    fn seal(&self, place: &[u8]) -> u64 {
        let direction = self.direction.to_string();
        let Generation { projection, number } = self.generation;
        let number = number.to_be_bytes();
        let parts = [projection.as_bytes(), &number, self.order.as_bytes(), direction.as_bytes(), place];
        Fingerprint::of(&parts).0
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_place_back_and_no_other_scope_takes_it() {
        let generations = [Generation::new("a", 1), Generation::new("a", 2), Generation::new("b", 1)];
        let mut scopes = Vec::new();
        for generation in &generations {
            scopes.extend([Scope::keys(generation), Scope::audit(generation)]);
            for direction in [Direction::Ascending, Direction::Descending] {
                scopes.extend(["x", "y"].map(|index| Scope::index(generation, index, direction)));
            }
        }
        for (place, scope) in scopes.iter().enumerate() {
            let cursor = scope.cursor(b"here \xff");
            for (other, judge) in scopes.iter().enumerate() {
                let got = judge.place(&cursor);
                assert_eq!(got.is_ok(), place == other, "{judge:?}");
                assert!(got.is_err() || got.is_ok_and(|got| got == b"here \xff"));
            }
        }
    }

    #[test]
    fn a_broken_cursor_is_refused_with_what_to_do() {
        let generation = Generation::new("a", 1);
        let scope = Scope::keys(&generation);
        let cursor = scope.cursor("ключ".as_bytes());
        let mut broken: Vec<String> = (0..cursor.len()).map(|end| cursor[..end].to_owned()).collect();
        broken.extend([format!("{cursor}0"), format!("{cursor}00"), cursor.replace('1', "2"), "ü".repeat(9)]);
        broken.push(format!("1{}", "+f".repeat(20)));
        for cursor in broken {
            let error = scope.place(&cursor).unwrap_err().to_string();
            assert!(error.contains("begin again without a cursor"), "{cursor:?}: {error}");
        }
    }
}
