//! Rows by index.

use std::ops::Bound;

use super::given::{add, found, generation, one, prepare, row, shows, write};
use crate::RowStore;
use crate::rows::{Direction, Query, Range, RowError, Scalar, Written, index::limits};

/// Every row is named after its value, `n` first when it is a number; in the order of the index.
const VALUES: [(&str, &str); 20] = [
    ("no", "false"),
    ("yes", "true"),
    ("n-1e300", "-1e300"),
    ("n-9007199254740993", "-9007199254740993"),
    ("n-9007199254740992", "-9007199254740992"),
    ("n-100", "-100"),
    ("n-99.5", "-99.5"),
    ("n-2", "-2"),
    ("n-1e-300", "-1e-300"),
    ("n0", "0"),
    ("n0.1", "0.1"),
    ("n2", "2"),
    ("n10", "10.0"),
    ("n9007199254740993", "9007199254740993"),
    ("n1e300", "1e300"),
    ("empty", "\"\""),
    ("B", "\"B\""),
    ("a", "\"a\""),
    ("aa", "\"aa\""),
    ("ä", "\"ä\""),
];

async fn add_values(store: &dyn RowStore) {
    prepare(store, &["field", "other"]).await;
    // Not in their order.
    for place in 0..VALUES.len() {
        let (key, value) = VALUES.get((place * 7) % VALUES.len()).expect("the place is within");
        add(store, key, &format!("{{\"field\":{value},\"other\":\"same\"}}")).await;
    }
}

fn keys(from: usize, until: usize) -> Vec<&'static str> {
    VALUES.iter().map(|(key, _)| *key).take(until).skip(from).collect()
}

async fn finds(store: &dyn RowStore, query: &Query, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|key| (*key).to_owned()).collect();
    shows(&format!("{query:?}"), expected, async || found(store, query).await).await;
}

/// Numbers by size, negative ones too, and not by their digits; texts by bytes; kinds apart.
pub async fn an_index_orders_numbers_as_numbers_and_texts_as_texts(store: &dyn RowStore) {
    add_values(store).await;
    finds(store, &Query::new("field"), &keys(0, 20)).await;
    let backward: Vec<_> = keys(0, 20).into_iter().rev().collect();
    finds(store, &Query::new("field").direction(Direction::Descending), &backward).await;
}

/// Every kind of range gives just the rows whose value lies in it.
pub async fn a_query_gives_the_rows_of_its_range(store: &dyn RowStore) {
    add_values(store).await;
    let number = |json: &str| Scalar::Number(serde_json::from_str(json).expect("the check writes numbers"));
    let text = |text: &str| Scalar::Text(text.to_owned());
    let (included, excluded) = (Bound::Included, Bound::Excluded);
    let cases = [
        (Range::equals("a"), 17..18),
        (Range::equals(""), 15..16),
        (Range::equals("absent"), 0..0),
        (Range::equals(10_i64), 12..13),
        (Range::Equals(number("2.0")), 11..12),
        (Range::Equals(number("-9007199254740992")), 4..5),
        (Range::equals(true), 1..2),
        (Range::from(0_i64), 9..15),
        (Range::below(0_i64), 2..9),
        (Range::between(-100_i64, 2_i64), 5..12),
        (Range::between(2_i64, -100_i64), 0..0),
        (Range::Between(excluded(number("-100")), excluded(number("2"))), 6..11),
        (Range::Between(excluded(number("9007199254740992")), Bound::Unbounded), 13..15),
        (Range::from("a"), 17..20),
        (Range::below("a"), 15..17),
        (Range::Between(excluded(text("a")), included(text("aa"))), 18..19),
        (Range::Between(excluded(text("")), Bound::Unbounded), 16..20),
        (Range::from(false), 0..2),
        (Range::Between(Bound::Unbounded, Bound::Unbounded), 0..20),
    ];
    for (range, places) in cases {
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut expected = keys(places.start, places.end);
            if direction == Direction::Descending {
                expected.reverse();
            }
            let query = Query::new("field").range(range.clone()).direction(direction).limit(3);
            finds(store, &query, &expected).await;
        }
    }
}

/// Pages of any size, also over rows of one value, which come by key.
pub async fn pages_of_a_query_hold_every_row_once_in_either_direction(store: &dyn RowStore) {
    add_values(store).await;
    let mut by_key = keys(0, 20);
    by_key.sort_unstable();
    for limit in [1, 7, 20] {
        finds(store, &Query::new("field").limit(limit), &keys(0, 20)).await;
        let same = Query::new("other").range(Range::equals("same")).limit(limit);
        finds(store, &same, &by_key).await;
        let backward: Vec<_> = by_key.iter().rev().copied().collect();
        finds(store, &same.direction(Direction::Descending), &backward).await;
    }
}

/// An index follows its rows: a new value, no value, no row.
pub async fn a_row_is_in_the_index_as_it_was_last_written(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    let changes = [
        (Some(r#"{"n":1}"#), &["1"][..]),
        (Some(r#"{"n":1,"more":2}"#), &["1"]),
        (Some(r#"{"n":2}"#), &["2"]),
        (Some(r#"{"n":"2"}"#), &["text"]),
        (Some(r#"{"n":null}"#), &[]),
        (Some(r#"{"n":1}"#), &["1"]),
        (Some("{}"), &[]),
        (Some(r#"{"n":2}"#), &["2"]),
        (None, &[]),
        (Some(r#"{"n":1}"#), &["1"]),
    ];
    for (before, (fields, expected)) in (0..).zip(changes) {
        assert_eq!(write(store, &one(row("a", before, fields))).await, Written::Done);
        for (name, range) in
            [("1", Range::equals(1_i64)), ("2", Range::equals(2_i64)), ("text", Range::equals("2"))]
        {
            let wanted: &[&str] = if expected.contains(&name) { &["a"] } else { &[] };
            finds(store, &Query::new("n").range(range), wanted).await;
        }
        let all: &[&str] = if expected.is_empty() { &[] } else { &["a"] };
        finds(store, &Query::new("n"), all).await;
    }
}

/// Null, a list and a map are not in the index, and a row without fields is not, either.
pub async fn rows_without_the_field_are_not_in_the_index(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    for (key, fields) in [
        ("none", "{}"),
        ("null", r#"{"n":null}"#),
        ("list", r#"{"n":[1]}"#),
        ("map", r#"{"n":{"n":1}}"#),
        ("other", r#"{"m":1}"#),
        ("no map", "[1]"),
        ("there", r#"{"n":1}"#),
    ] {
        add(store, key, fields).await;
    }
    assert_eq!(write(store, &one(row("gone", 0, None))).await, Written::Done);
    finds(store, &Query::new("n"), &["there"]).await;
}

/// Texts longer than what an index holds are still equal only to themselves, and ranges hold just their texts.
pub async fn texts_that_begin_alike_are_told_apart(store: &dyn RowStore) {
    prepare(store, &["text"]).await;
    let text = |end: &str| "x".repeat(limits::TEXT_BYTES) + end;
    for end in ["", "a", "b", "c"] {
        add(store, &format!("row{end}"), &format!("{{\"text\":\"{}\"}}", text(end))).await;
    }
    for end in ["", "a", "b", "c"] {
        let key = format!("row{end}");
        finds(store, &Query::new("text").range(Range::equals(text(end))), &[&key]).await;
    }
    let (a, c) = (Scalar::Text(text("a")), Scalar::Text(text("c")));
    let inside = Range::Between(Bound::Excluded(a.clone()), Bound::Excluded(c.clone()));
    finds(store, &Query::new("text").range(inside), &["rowb"]).await;
    finds(store, &Query::new("text").range(Range::between(a, c)).limit(1), &["rowa", "rowb", "rowc"]).await;
}

/// An unknown index names the known ones; bounds of two kinds are refused.
pub async fn a_query_that_cannot_be_answered_is_refused(store: &dyn RowStore) {
    prepare(store, &["one", "two"]).await;
    let refused = store.query(&generation(), &Query::new("three")).await;
    let Err(RowError::Invalid { reason }) = &refused else { panic!("got {refused:?}") };
    assert!(["three", "one", "two"].iter().all(|name| reason.contains(name)), "{reason}");
    let mixed = Range::Between(Bound::Included(1_i64.into()), Bound::Excluded("a".into()));
    let refused = store.query(&generation(), &Query::new("one").range(mixed)).await;
    assert!(matches!(refused, Err(RowError::Invalid { .. })), "got {refused:?}");
}
