//! Published events stay readable: their schemas are locked in `schemas/`.

use bank::account::Account;
use headwater::schema::SchemaLock;

#[test]
fn published_events_stay_as_they_are() {
    SchemaLock::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas")).aggregate::<Account>().assert();
}
