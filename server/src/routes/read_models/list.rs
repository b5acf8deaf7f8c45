//! `GET /v1/read-models/{name}`: a page of rows, by key or by a declared index.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use headwater_projections::rows::{Direction, List, MAX_PAGE_ROWS, Query, Range, Scalar};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::consistency::Consistency;
use crate::extract::{PathOf, QueryOf};
use crate::{Problem, Services};

/// Rows of a page unless the client asks for fewer.
const PAGE_ROWS: usize = 100;

/// Which rows are wanted. A value is a number, `true`, `false`, or a text; a text that looks like one of those goes in
/// double quotes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The index: a field that the read model declares. Without one, rows come by key.
    index: Option<String>,
    /// The field has this value.
    eq: Option<String>,
    /// The field has this value or a higher one.
    from: Option<String>,
    /// The field has this value or a lower one.
    to: Option<String>,
    /// The field has a higher value.
    above: Option<String>,
    /// The field has a lower value.
    below: Option<String>,
    /// Which end comes first.
    #[serde(default)]
    dir: Dir,
    /// Most rows of the page: 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
    /// `next` of the page before, with the same question.
    cursor: Option<String>,
}

/// Which end comes first.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Dir {
    /// The lowest value.
    #[default]
    Asc,
    /// The highest value.
    Desc,
}

/// A page of rows.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rows {
    /// The read model.
    read_model: String,
    /// The number of the copy of its rows that answers.
    generation: u32,
    /// The rows. They may be fewer than asked for, even none, though more follow.
    rows: Vec<Row>,
    /// The cursor of the next page, if there may be one.
    next: Option<String>,
}

pub(super) async fn get(
    State(services): State<Services>,
    PathOf(name): PathOf<String>,
    QueryOf(wanted): QueryOf<Wanted>,
    consistency: Consistency,
) -> Result<Response, Problem> {
    let models = &services.read_models;
    let generation = models.generations(&name).await?.live;
    let limit = wanted.limit.unwrap_or(PAGE_ROWS);
    if !(1..=MAX_PAGE_ROWS).contains(&limit) {
        return Err(Problem::invalid(format!("limit {limit} is not valid: give 1 to {MAX_PAGE_ROWS}")));
    }
    let range = wanted.range()?;
    let freshness = consistency.reached(&services, &name).await?;
    let page = match wanted.index {
        Some(index) => {
            let direction = match wanted.dir {
                Dir::Asc => Direction::Ascending,
                Dir::Desc => Direction::Descending,
            };
            let query = Query::new(index).range(range).direction(direction).limit(limit).after(wanted.cursor);
            models.query(&name, &query).await?
        }
        None if range != Range::All || wanted.dir != Dir::Asc => {
            let indexes = models.indexes(&name)?;
            let known = if indexes.is_empty() { "none".to_owned() } else { indexes.join(", ") };
            return Err(Problem::invalid(format!(
                "name the index that eq, from, to, above, below and dir are about: {name} has {known}"
            )));
        }
        None => models.list(&name, &List { after: wanted.cursor, limit }).await?,
    };
    let rows: Vec<Row> =
        page.rows.iter().filter_map(|row| Row::new(&name, row).transpose()).collect::<Result<_, _>>()?;
    let mut response = Json(Rows { read_model: name, generation, rows, next: page.next }).into_response();
    freshness.mark(&mut response);
    Ok(response)
}

impl Wanted {
    fn range(&self) -> Result<Range, Problem> {
        let lower = bound(("from", &self.from), ("above", &self.above))?;
        let upper = bound(("to", &self.to), ("below", &self.below))?;
        match (&self.eq, lower, upper) {
            (None, Bound::Unbounded, Bound::Unbounded) => Ok(Range::All),
            (Some(value), Bound::Unbounded, Bound::Unbounded) => Ok(Range::Equals(scalar(value))),
            (Some(_), _, _) => Err(Problem::invalid("give eq or a range, not both")),
            (None, lower, upper) => Ok(Range::Between(lower, upper)),
        }
    }
}

fn bound(
    (included, inside): (&str, &Option<String>),
    (excluded, outside): (&str, &Option<String>),
) -> Result<Bound<Scalar>, Problem> {
    match (inside, outside) {
        (Some(_), Some(_)) => Err(Problem::invalid(format!("give {included} or {excluded}, not both"))),
        (Some(value), None) => Ok(Bound::Included(scalar(value))),
        (None, Some(value)) => Ok(Bound::Excluded(scalar(value))),
        (None, None) => Ok(Bound::Unbounded),
    }
}

/// A value as it stands in a query.
fn scalar(text: &str) -> Scalar {
    let parsed = serde_json::from_str(text).ok().and_then(|value| Scalar::of(&value));
    parsed.unwrap_or_else(|| Scalar::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers_truth_values_and_texts() {
        for (text, expected) in [
            ("5", Scalar::from(5)),
            ("-12", Scalar::from(-12)),
            ("true", Scalar::from(true)),
            ("\"5\"", Scalar::from("5")),
            ("ada", Scalar::from("ada")),
            ("2026-01-31", Scalar::from("2026-01-31")),
            ("[1]", Scalar::from("[1]")),
            ("", Scalar::from("")),
        ] {
            assert_eq!(scalar(text), expected, "{text}");
        }
    }
}
