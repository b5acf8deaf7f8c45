//! Parked streams, and what was ordered about them.

use headwater::{Timestamp, Version};

use super::given::{generation, load, prepare, shows, stream};
use crate::rows::{List, RowError, Written};
use crate::{
    AuditAction, AuditEntry, AuditTarget, Cause, CauseKind, MAX_AUDIT_BYTES, MAX_CAUSE_BYTES, Parked,
    RowStore,
};

fn parked(id: &str, first_failing: u64, highest: u64, attempts: u32) -> Parked {
    Parked {
        stream: stream(id),
        first_failing: Version(first_failing),
        highest: Version(highest),
        cause: Cause { kind: CauseKind::Panic, message: format!("a number was odd at try {attempts}") },
        attempts,
    }
}

async fn park(store: &dyn RowStore, record: &Parked) {
    store.park(&generation(), record).await.expect("the store keeps it");
}

/// Parking again never lowers the highest version or the attempts; the cause is that of the later attempt.
pub async fn a_parked_stream_keeps_the_highest_version(store: &dyn RowStore) {
    prepare(store, &[]).await;
    for record in [parked("1", 2, 5, 1), parked("1", 2, 3, 2), parked("1", 2, 4, 1), parked("2", 2, 2, 1)] {
        park(store, &record).await;
    }
    let kept = Parked { highest: Version(5), ..parked("1", 2, 3, 2) };
    assert_eq!(load(store, &[], &["1", "3"]).await.parked, [kept]);
    let long = Cause { message: "ü".repeat(MAX_CAUSE_BYTES / 2), kind: CauseKind::TooLarge };
    let record = Parked { cause: long, ..parked("3", u64::MAX, u64::MAX, u32::MAX) };
    park(store, &record).await;
    assert_eq!(load(store, &[], &["3"]).await.parked, [record]);
}

/// A stream only moves on: a later failure replaces the record, an earlier one is out of date. What was seen of the stream
/// stays seen.
pub async fn a_record_that_failed_further_on_replaces_the_one_before(store: &dyn RowStore) {
    prepare(store, &[]).await;
    for (record, kept) in [
        (parked("1", 2, 9, 7), parked("1", 2, 9, 7)),
        (parked("1", 4, 6, 1), parked("1", 4, 9, 1)),
        (parked("1", 3, 12, 8), parked("1", 4, 9, 1)),
        (parked("1", 10, 10, 1), parked("1", 10, 10, 1)),
    ] {
        park(store, &record).await;
        assert_eq!(load(store, &[], &["1"]).await.parked, [kept]);
    }
}

/// A record that another owner has replaced stays; one that is gone is lost, too.
pub async fn a_stream_is_unparked_only_where_it_failed(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let unpark = async |version| {
        store.unpark(&generation(), &stream("1"), Version(version)).await.expect("the store answers")
    };
    assert_eq!(unpark(2).await, Written::Lost);
    park(store, &parked("1", 2, 2, 1)).await;
    park(store, &parked("2", 2, 2, 1)).await;
    assert_eq!(unpark(1).await, Written::Lost);
    assert_eq!(unpark(3).await, Written::Lost);
    assert_eq!(load(store, &[], &["1"]).await.parked, [parked("1", 2, 2, 1)]);
    assert_eq!(unpark(2).await, Written::Done);
    assert_eq!(load(store, &[], &["1", "2"]).await.parked, [parked("2", 2, 2, 1)]);
    assert_eq!(unpark(2).await, Written::Lost);
    park(store, &parked("1", 2, 3, 1)).await;
    assert_eq!(load(store, &[], &["1"]).await.parked, [parked("1", 2, 3, 1)]);
}

/// Tiny pages give every parked stream once, by name; those that were taken out are gone.
pub async fn parked_streams_are_listed_by_name_in_pages(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let mut names = Vec::new();
    for n in 0..30 {
        let record = parked(&n.to_string(), 2, 2, 1);
        park(store, &record).await;
        names.push(record.stream);
    }
    let gone = names.remove(17);
    assert_eq!(store.unpark(&generation(), &gone, Version(2)).await.expect("it is taken out"), Written::Done);
    names.sort_unstable();
    for limit in [1, 7, 29, 100] {
        let all = async || {
            let (mut got, mut after) = (Vec::new(), None);
            loop {
                let page = store.parked(&generation(), after.as_ref(), limit).await.expect("the store lists");
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { return got };
                after = Some(last.stream.clone());
                got.extend(page.into_iter().map(|parked| parked.stream));
            }
        };
        shows("every parked stream once", names.clone(), all).await;
    }
}

/// Orders are kept as they were given and listed in pages, the newest first.
pub async fn what_was_ordered_is_listed_newest_first(store: &dyn RowStore) {
    prepare(store, &[]).await;
    let entry = |n: i64| AuditEntry {
        at: Timestamp::from_microsecond(1_700_000_000_000_000 + n).expect("the time exists"),
        who: format!("operator {n}"),
        action: if n % 2 == 0 { AuditAction::Retry } else { AuditAction::Discard },
        target: match n % 3 {
            0 => AuditTarget::Group {
                fingerprint: parked("1", 2, 2, 1).fingerprint("conformance"),
                streams: 3,
            },
            _ => AuditTarget::Stream { stream: stream("1"), from: Version(2), until: Version(u64::MAX) },
        },
        reason: "fixed in ünï \"1.2\"\n".to_owned(),
    };
    for n in 0..10 {
        store.audit(&generation(), &entry(n)).await.expect("the store keeps it");
    }
    let newest: Vec<_> = (0..10).rev().map(entry).collect();
    for limit in [1, 3, 10, 11] {
        let all = async || {
            let (mut got, mut list) = (Vec::new(), List { after: None, limit });
            loop {
                let page = store.audits(&generation(), &list).await.expect("the store lists");
                assert!(page.entries.len() <= limit);
                got.extend(page.entries);
                list.after = page.next;
                if list.after.is_none() {
                    return got;
                }
            }
        };
        shows("every order once", newest.clone(), all).await;
    }
    let long = AuditEntry { reason: "x".repeat(MAX_AUDIT_BYTES), ..entry(1) };
    let refused = store.audit(&generation(), &long).await;
    assert!(matches!(refused, Err(RowError::Invalid { .. })), "got {refused:?}");
}
