//! Making generations and dropping them.

use headwater::Version;

use super::given::{add, generation, load, one, prepare, row, stream};
use crate::rows::{Generation, LoadedRows, RowError, Wanted, Written};
use crate::{RowStore, Transaction, VersionWrite};

/// Making a generation that is made changes nothing; sixteen processes may make it at once.
pub async fn a_generation_is_prepared_again_and_again(store: &dyn RowStore) {
    let generation = generation();
    let made = futures::future::join_all((0..16).map(|_| store.prepare(&generation, &["n", "text"]))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    add(store, "a", r#"{"n":1}"#).await;
    prepare(store, &["text"]).await;
    prepare(store, &["n", "text"]).await;
    assert_eq!(load(store, &["a"], &[]).await.rows.len(), 1);
}

/// An index over rows that are not in it would be wrong without a word.
pub async fn an_index_that_was_not_there_from_the_beginning_is_refused(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    add(store, "a", r#"{"n":1,"late":1}"#).await;
    let refused = store.prepare(&generation(), &["n", "late"]).await;
    let Err(RowError::Invalid { reason }) = &refused else { panic!("got {refused:?}") };
    assert!(reason.contains("late") && reason.contains("raise the version"), "{reason}");
    prepare(store, &["n"]).await;
}

/// Rows of one generation are not rows of another, nor are those of another projection.
pub async fn generations_are_apart(store: &dyn RowStore) {
    prepare(store, &[]).await;
    add(store, "a", "{}").await;
    for other in [Generation::new("conformance", 2), Generation::new("conformance-2", 1)] {
        store.prepare(&other, &[]).await.expect("the store makes the generation");
        let wanted = Wanted { rows: ["a".to_owned()].into(), ..Wanted::default() };
        let loaded = store.load(&other, &wanted).await.expect("the store loads");
        assert_eq!(loaded, LoadedRows::default());
        let written = store.write(&other, &one(row("a", 0, Some("{}")))).await;
        assert_eq!(written.expect("the store takes the write"), Written::Done);
    }
}

/// A generation that was dropped and made anew is empty, and may have other indexes. Others are untouched.
pub async fn a_dropped_generation_is_gone_with_all_it_held(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let kept = Generation::new("conformance", 2);
    store.prepare(&kept, &[]).await.expect("the store makes the generation");
    let version = VersionWrite { stream: stream("1"), version: Version(3), expect: Version(0) };
    let transaction = Transaction { rows: vec![row("a", 0, Some("{}"))], versions: vec![version] };
    for generation in [&generation(), &kept] {
        let written = store.write(generation, &transaction).await.expect("the store takes the write");
        assert_eq!(written, Written::Done);
    }
    for _ in 0..2 {
        store.drop_generation(&generation()).await.expect("the store drops the generation");
    }
    prepare(store, &["n"]).await;
    assert_eq!(load(store, &["a"], &["1"]).await, LoadedRows::default());
    let wanted = Wanted { rows: ["a".to_owned()].into(), streams: [stream("1")].into() };
    let loaded = store.load(&kept, &wanted).await.expect("the store loads");
    assert_eq!((loaded.rows.len(), loaded.versions.len()), (1, 1));
    add(store, "a", r#"{"n":1}"#).await;
}
