//! Rows by key, in pages.

use super::given::{generation, list, one, prepare, row, shows, write};
use crate::RowStore;
use crate::rows::{Direction, Generation, List, MAX_PAGE_ROWS, Query, RowError, Written};

/// Tiny pages give all live rows, each once, ordered by the bytes of the key.
pub async fn pages_hold_every_live_row_once_by_key(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let mut keys =
        ["b", "a", "ä", "B", "10", "9", "gone", "z", "a\0", "😀", "\u{ffee}"].map(str::to_owned).to_vec();
    keys.extend((0..40).map(|n| format!("row {n}")));
    for key in &keys {
        let fields = (key != "gone").then_some("{}");
        assert_eq!(write(store, &one(row(key, 0, fields))).await, Written::Done);
    }
    keys.retain(|key| key != "gone");
    keys.sort_unstable();
    for limit in [2, 7, keys.len(), keys.len() + 1] {
        let all = async || {
            let (mut got, mut after) = (Vec::new(), None);
            loop {
                let page = list(store, after, limit).await;
                assert!(page.rows.len() <= limit && page.rows.iter().all(|row| row.fields.is_some()));
                got.extend(page.rows.into_iter().map(|row| row.key));
                after = page.next;
                if after.is_none() {
                    return got;
                }
            }
        };
        shows("every key once, in order", keys.clone(), all).await;
    }
}

/// Limits of pages are checked.
pub async fn a_page_of_no_rows_or_too_many_is_refused(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    for limit in [0, MAX_PAGE_ROWS + 1] {
        let page = store.list(&generation(), &List { after: None, limit }).await;
        assert!(matches!(page, Err(RowError::Invalid { .. })), "got {page:?}");
        let page = store.query(&generation(), &Query::new("n").limit(limit)).await;
        assert!(matches!(page, Err(RowError::Invalid { .. })), "got {page:?}");
        let parked = store.parked(&generation(), None, limit).await;
        assert!(matches!(parked, Err(RowError::Invalid { .. })), "got {parked:?}");
        let audits = store.audits(&generation(), &List { after: None, limit }).await;
        assert!(matches!(audits, Err(RowError::Invalid { .. })), "got {audits:?}");
    }
}

/// A cursor of another generation, index or direction is refused, and so is a broken one.
pub async fn a_cursor_is_good_for_its_own_question_only(store: &dyn RowStore) {
    let other = Generation::new("conformance", 2);
    prepare(store, &["n", "m"]).await;
    store.prepare(&other, &["n", "m"]).await.expect("the store makes the generation");
    for key in ["a", "b", "c"] {
        assert_eq!(write(store, &one(row(key, 0, Some(r#"{"n":1,"m":2}"#)))).await, Written::Done);
    }
    let query = Query::new("n").limit(1);
    let by_key = async || list(store, None, 1).await.next.is_some();
    shows("a cursor of the list", true, by_key).await;
    let first = async || store.query(&generation(), &query).await.expect("the store answers").next.is_some();
    shows("a cursor of the query", true, first).await;
    let by_key = list(store, None, 1).await.next;
    let by_n = store.query(&generation(), &query).await.expect("the store answers").next;
    let broken = by_n.clone().map(|cursor| cursor + "0");
    let answers = [
        store.list(&other, &List { after: by_key.clone(), limit: 1 }).await,
        store.list(&generation(), &List { after: by_n.clone(), limit: 1 }).await,
        store.list(&generation(), &List { after: Some("a".to_owned()), limit: 1 }).await,
        store.query(&other, &query.clone().after(by_n.clone())).await,
        store.query(&generation(), &query.clone().after(by_key)).await,
        store.query(&generation(), &Query::new("m").limit(1).after(by_n.clone())).await,
        store.query(&generation(), &query.clone().direction(Direction::Descending).after(by_n)).await,
        store.query(&generation(), &query.after(broken)).await,
    ];
    for (place, answer) in answers.iter().enumerate() {
        let Err(RowError::Invalid { reason }) = answer else { panic!("answer {place} is {answer:?}") };
        assert!(reason.contains("begin again without a cursor"), "{reason}");
    }
}
