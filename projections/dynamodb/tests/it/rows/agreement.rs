//! Any writes and any questions: the rows in DynamoDB answer as those in memory do.

use std::ops::Bound;

use headwater_projections::rows::{Direction, Generation, List, Query, Range, RowPage, Scalar};
use headwater_projections::{Expect, MemoryRows, Revision, RowStore, RowWrite, Transaction};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use super::backend::rows;

/// Generations that are filled and asked.
const CASES: u32 = 12;

/// A row's key, and what its field is to be; `None` for a row without fields.
type Change = (String, Option<&'static str>);

fn change() -> impl Strategy<Value = Change> {
    let field = prop::sample::select(vec![
        "-7", "-1.5", "0", "0.5", "3", "12", "\"\"", "\"a\"", "\"ab\"", "true", "null",
    ]);
    ("[a-cé]{1,2}", prop::option::weighted(0.9, field))
}

fn bound() -> impl Strategy<Value = Bound<Scalar>> {
    let number = prop::sample::select(vec!["-7", "-2", "0.0", "3", "20"]);
    let number = number.prop_map(|json| Scalar::Number(serde_json::from_str(json).unwrap()));
    prop_oneof![
        Just(Bound::Unbounded),
        number.clone().prop_map(Bound::Included),
        number.prop_map(Bound::Excluded),
        prop::sample::select(vec!["", "a", "b"]).prop_map(|text| Bound::Included(text.into())),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let value = prop::sample::select(vec![Scalar::from(3), Scalar::from("a"), Scalar::from(true)]);
    let range = prop_oneof![
        Just(Range::All),
        value.prop_map(Range::Equals),
        (bound(), bound()).prop_map(|(from, until)| Range::Between(from, until)),
    ];
    let direction = prop::sample::select(vec![Direction::Ascending, Direction::Descending]);
    (range, direction, 1_usize..6).prop_map(|(range, direction, limit)| {
        Query::new("field").range(range).direction(direction).limit(limit)
    })
}

async fn write(store: &dyn RowStore, generation: &Generation, changes: &[Change]) {
    for (revision, (key, field)) in (1..).zip(changes) {
        let before = changes.iter().take(revision - 1).rposition(|(other, _)| other == key);
        let row = RowWrite {
            key: key.clone(),
            fields: field.map(|field| format!("{{\"field\":{field}}}").into()),
            revision: Revision(revision as u64),
            expect: before.map_or(Expect::Absent, |before| Expect::Revision(Revision(before as u64 + 1))),
        };
        let written = store.write(generation, &Transaction { rows: vec![row], versions: Vec::new() }).await;
        assert_eq!(written.unwrap(), headwater_projections::rows::Written::Done);
    }
}

/// The keys and fields of all pages; nothing for a question that is refused.
async fn answer(
    mut page: impl AsyncFnMut(Option<String>) -> Result<RowPage, headwater_projections::rows::RowError>,
) -> Option<Vec<(String, Value)>> {
    let (mut answer, mut after) = (Vec::new(), None);
    loop {
        let page = page(after).await.ok()?;
        answer.extend(
            page.rows.into_iter().map(|row| (row.key, serde_json::from_slice(&row.fields.unwrap()).unwrap())),
        );
        after = page.next;
        if after.is_none() {
            return Some(answer);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_dynamodb_answer_as_rows_in_memory_do() {
    let (backend, memory) = (rows().await, MemoryRows::new());
    let runtime = tokio::runtime::Handle::current();
    let property = move || {
        let number = std::sync::atomic::AtomicU32::new(1);
        let given = (prop::collection::vec(change(), 0..40), prop::collection::vec(query(), 1..8));
        let mut runner =
            TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&given, |(changes, queries)| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let generation = Generation::new("agreement", number);
            runtime.block_on(async {
                let stores: [&dyn RowStore; 2] = [&backend.rows, &memory];
                let mut answers = Vec::new();
                for store in stores {
                    store.prepare(&generation, &["field"]).await.unwrap();
                    write(store, &generation, &changes).await;
                    let list = async |after| store.list(&generation, &List { after, limit: 3 }).await;
                    let mut all = vec![answer(list).await];
                    for query in &queries {
                        let ask = async |after| store.query(&generation, &query.clone().after(after)).await;
                        all.push(answer(ask).await);
                    }
                    answers.push(all);
                }
                prop_assert_eq!(&answers[0], &answers[1]);
                Ok(())
            })
        });
        outcome.map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(property).await.unwrap().unwrap();
}
