//! What is asked of the rows of a generation besides single keys, and the pages that answer.

use std::fmt;
use std::ops::Bound;

use serde_json::{Number, Value};

use super::{RowError, StoredRow};

/// Most rows or parked streams of one page.
pub const MAX_PAGE_ROWS: usize = 1_000;

/// A page of rows that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The cursor of the page before; `None` for the first.
    pub after: Option<String>,
    /// Most rows of the page, up to [`MAX_PAGE_ROWS`].
    pub limit: usize,
}

/// A page of live rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowPage {
    /// The rows; each has fields. They may be fewer than asked for, even none, though more follow.
    pub rows: Vec<StoredRow>,
    /// Where the next page starts, if there may be one. Opaque, and good for the same question only.
    pub next: Option<String>,
}

/// Rows that are asked for by an index.
///
/// ```
/// use headwater_projections::rows::{Direction, Query, Range};
///
/// let overdrawn = Query::new("balance").range(Range::below(0)).direction(Direction::Descending).limit(20);
/// let of_alice = Query::new("owner").range(Range::equals("Alice"));
/// # assert_ne!(overdrawn, of_alice);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The index: the name of a field that the projection declares with `index(…)`.
    pub index: String,
    /// The values of the field that are wanted.
    pub range: Range,
    /// Which end of the range comes first.
    pub direction: Direction,
    /// The cursor of the page before; `None` for the first.
    pub after: Option<String>,
    /// Most rows of the page, up to [`MAX_PAGE_ROWS`].
    pub limit: usize,
}

/// Which end of a range comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The lowest value.
    #[default]
    Ascending,
    /// The highest value.
    Descending,
}

/// Values of an indexed field. A bound of one kind admits values of that kind only: from 5 on means numbers from 5 on.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Range {
    /// Every value: `false` and `true`, then numbers, then texts.
    #[default]
    All,
    /// One value. 1 and 1.0 are the same number.
    Equals(Scalar),
    /// Values between two bounds, of which both or one may be missing.
    Between(Bound<Scalar>, Bound<Scalar>),
}

/// A value by which rows can be found. A row whose field is anything else, null or missing is not in the index.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `false` or `true`.
    Bool(bool),
    /// A number, ordered as numbers are, whatever its digits.
    Number(Number),
    /// A text, ordered by its bytes in UTF-8.
    Text(String),
}

impl Query {
    /// The first page of all rows in an index, lowest value first.
    #[must_use]
    pub fn new(index: impl Into<String>) -> Self {
        Self {
            index: index.into(),
            range: Range::All,
            direction: Direction::Ascending,
            after: None,
            limit: 100,
        }
    }

    /// The same for these values only.
    #[must_use]
    pub fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// The same in this direction.
    #[must_use]
    pub fn direction(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// The same after the page that ended with this cursor.
    #[must_use]
    pub fn after(self, cursor: Option<String>) -> Self {
        Self { after: cursor, ..self }
    }

    /// The same with at most so many rows.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

impl Range {
    /// One value.
    pub fn equals(value: impl Into<Scalar>) -> Self {
        Self::Equals(value.into())
    }

    /// Values from this one on.
    pub fn from(value: impl Into<Scalar>) -> Self {
        Self::Between(Bound::Included(value.into()), Bound::Unbounded)
    }

    /// Values up to this one and not this one.
    pub fn below(value: impl Into<Scalar>) -> Self {
        Self::Between(Bound::Unbounded, Bound::Excluded(value.into()))
    }

    /// Values from one to another, both included.
    pub fn between(from: impl Into<Scalar>, to: impl Into<Scalar>) -> Self {
        Self::Between(Bound::Included(from.into()), Bound::Included(to.into()))
    }
}

impl Scalar {
    /// The value of a field, if it can be in an index.
    #[must_use]
    pub fn of(field: &Value) -> Option<Self> {
        match field {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// What it is, in a word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
        }
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for Scalar {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Scalar {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Number> for Scalar {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        })
    }
}

/// Refuses a limit of a page that is 0 or too large.
///
/// # Errors
/// [`RowError::Invalid`].
pub fn check_limit(limit: usize) -> Result<(), RowError> {
    if (1..=MAX_PAGE_ROWS).contains(&limit) {
        return Ok(());
    }
    Err(RowError::Invalid { reason: format!("a page has 1 to {MAX_PAGE_ROWS} rows, {limit} were asked for") })
}
