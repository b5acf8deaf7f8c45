//! Filling a new generation: many rows and versions that nobody has written yet.

use bytes::Bytes;
use headwater::Version;
use serde_json::Value;

use super::given::{add, generation, load, one, prepare, row, stream};
use crate::rows::{RowError, Written};
use crate::{Cause, CauseKind, Parked, RowStore, Transaction, VersionWrite};

fn version(id: &str, version: u64) -> Transaction {
    let version = VersionWrite { stream: stream(id), version: Version(version), expect: Version::EMPTY };
    Transaction { rows: Vec::new(), versions: vec![version] }
}

async fn added(store: &dyn RowStore, all: &[Transaction]) -> Vec<Written> {
    let answers = store.add(&generation(), all).await;
    assert_eq!(answers.len(), all.len(), "one answer for each");
    answers.into_iter().map(|answer| answer.expect("the store takes it")).collect()
}

/// More rows than a request holds, with names and keys of any kind. Who is there stays as it is, and is told by its place.
pub async fn rows_are_added_once_and_as_they_are(store: &dyn RowStore) {
    prepare(store, &["n"]).await;
    let odd = [
        r##"{"it's":1,"say \"x\"":2,"#k":3,"back\\slash":4,"n":5,"":6,"ключ":7,"a,b?":8}"##,
        "[1,2]",
        r#"{"n":1.0,"deep":{"list":[1,{"x":null}]}}"#,
        "{}",
    ];
    let fields = |place: usize| {
        odd.get(place % 7).map_or_else(|| format!("{{\"n\":{place}}}"), |odd| (*odd).to_owned())
    };
    let keys: Vec<String> = (0..90).map(|place| format!("{place} 'key' \"?{{")).collect();
    add(store, keys.get(33).expect("it is one of them"), "{\"n\":\"first\"}").await;
    let all = |which: &dyn Fn(usize) -> String| -> Vec<Transaction> {
        keys.iter().enumerate().map(|(place, key)| one(row(key, 0, Some(&which(place))))).collect()
    };
    let answers = added(store, &all(&fields)).await;
    let lost: Vec<usize> = (0..90).filter(|place| answers.get(*place) == Some(&Written::Lost)).collect();
    assert_eq!(lost, [33]);
    assert!(
        added(store, &all(&|_| "{\"n\":\"late\"}".to_owned())).await.iter().all(|one| *one == Written::Lost)
    );
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let loaded = load(store, &names, &[]).await.rows;
    assert_eq!(loaded.len(), keys.len());
    for stored in loaded {
        let place = keys.iter().position(|key| *key == stored.key).expect("it is one of them");
        let expected = if place == 33 { "{\"n\":\"first\"}".to_owned() } else { fields(place) };
        let json = |fields: &[u8]| serde_json::from_slice::<Value>(fields).expect("it is JSON");
        assert_eq!(json(&stored.fields.expect("it has fields")), json(expected.as_bytes()));
    }
}

/// Versions are added as rows are, also beside what is known of a parked stream, which stays.
pub async fn versions_are_added_once_also_to_parked_streams(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let record = Parked {
        stream: stream("1"),
        first_failing: Version(4),
        highest: Version(5),
        cause: Cause { kind: CauseKind::Panic, message: "odd".to_owned() },
        attempts: 1,
    };
    store.park(&generation(), &record).await.expect("the store parks");
    let all: Vec<Transaction> = (0..40).map(|id: u64| version(&id.to_string(), id + 2)).collect();
    assert!(added(store, &all).await.iter().all(|one| *one == Written::Done));
    let others: Vec<Transaction> = (0..40).map(|id: u64| version(&id.to_string(), 100)).collect();
    assert!(added(store, &others).await.iter().all(|one| *one == Written::Lost));
    let ids: Vec<String> = (0..40).map(|id| id.to_string()).collect();
    let loaded = load(store, &[], &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let right = |(stream, version): &(headwater::StreamName, Version)| {
        stream.id().parse().ok() == version.0.checked_sub(2)
    };
    assert!(loaded.versions.len() == 40 && loaded.versions.iter().all(right));
    assert_eq!(loaded.parked, [record]);
}

/// One that cannot be written is refused by itself.
pub async fn what_cannot_be_added_is_refused_alone(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let too_long = "k".repeat(crate::MAX_ROW_KEY_BYTES + 1);
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(300_000));
    let mut all: Vec<Transaction> =
        ["a", "b", &too_long, "c"].map(|key| one(row(key, 0, Some(&large)))).to_vec();
    let not_json = crate::RowWrite { fields: Some(Bytes::from_static(b"{")), ..row("d", 0, None) };
    all.extend([one(not_json), one(row("e", 0, None))]);
    let answers = store.add(&generation(), &all).await;
    let kinds: Vec<&str> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Written::Done) => "done",
            Ok(Written::Lost) => "lost",
            Err(RowError::Invalid { .. } | RowError::Unfit { .. }) => "refused",
            Err(_) => "failed",
        })
        .collect();
    assert_eq!(kinds, ["done", "done", "refused", "done", "refused", "done"]);
    assert_eq!(load(store, &["a", "b", "c", "d", "e"], &[]).await.rows.len(), 4);
    assert!(store.add(&generation(), &[]).await.is_empty());
}
