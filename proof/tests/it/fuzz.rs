//! Snapshots, payloads, cursors and names with any content.

use std::sync::Arc;

use headwater::key::CommandKey;
use headwater::store::{Append, PartitionId, Position, Scan, ScanCursor, StoreError};
use headwater::testing::counter::{Counter, CounterCommand, CounterEvent};
use headwater::{Event, EventFeed, EventStore, Executor, Expected, Id, Snapshot, StreamName, check_category};
use headwater_projections::rows::{Direction, Generation, List, Query, RowError};
use headwater_projections::{MemoryRows, RowStore};
use headwater_proof::fuzz::fuzz;
use headwater_store_memory::MemoryStore;

fn now<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("a store in memory does not wait")
}

/// Whatever a snapshot holds: if it is no state, it is as if it were not there (L8).
#[test]
fn any_snapshot_is_a_state_or_absent() {
    let id = Id::<Counter>::new("a").unwrap();
    fuzz("snapshot", |input| {
        let store = Arc::new(MemoryStore::new());
        let event = CounterEvent::Added { amount: 2 };
        let schema = <Counter as headwater::Aggregate>::SNAPSHOT.map_or(1, |policy| policy.version);
        let mut append = Append::new(id.stream().clone(), Expected::NoStream, vec![event.encode().unwrap()]);
        append.snapshot = Some(Box::new(Snapshot { schema, state: input.to_vec().into(), keys: Vec::new() }));
        now(store.append(append)).unwrap();
        let executor = Executor::new(store as Arc<dyn EventStore>);
        let state = now(executor.state(&id)).map_err(|error| error.to_string())?;
        let decodes = serde_json::from_slice::<Counter>(input).is_ok();
        if !decodes && format!("{:?}", state.state) != "Counter { value: 2, changes: 1 }" {
            return Err(format!("the state is {:?}", state.state));
        }
        if !decodes {
            let executed = now(executor.execute(&id, CounterCommand::Add { amount: 1 }));
            executed.map_err(|error| error.to_string())?;
        }
        Ok(())
    });
}

#[test]
fn any_payload_is_an_event_or_refused_by_name() {
    fuzz("payload", |input| {
        for name in ["Added", "Subtracted", "Multiplied"] {
            for schema in [0, 1, u32::MAX] {
                let Ok(decoded) = CounterEvent::decode(name, schema, input) else { continue };
                for event in decoded.as_slice() {
                    let data = event.encode().map_err(|error| error.to_string())?;
                    let again = CounterEvent::decode(&data.name, data.schema, &data.payload);
                    let again = again.map_err(|error| error.to_string())?;
                    if again.as_slice() != std::slice::from_ref(event) {
                        return Err(format!("{event:?} is read back as {again:?}"));
                    }
                }
            }
        }
        Ok(())
    });
}

/// Cursors of rows, positions of a feed, cursors of a scan, names and keys: texts that come back from outside.
#[test]
fn any_text_from_outside_is_good_or_refused_by_name() {
    let (rows, store) = (MemoryRows::new(), MemoryStore::new());
    let generation = Generation::new("values", 1);
    now(rows.prepare(&generation, &["value"])).unwrap();
    let event = CounterEvent::Added { amount: 2 }.encode().unwrap();
    let stream = StreamName::new("counter", "a").unwrap();
    now(store.append(Append::new(stream, Expected::Any, vec![event]))).unwrap();
    let partitions = now(store.partitions()).unwrap();
    fuzz("cursor", |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let list = List { after: Some(text.clone()), limit: 10 };
        let listed =
            [now(rows.list(&generation, &list)).map(drop), now(rows.audits(&generation, &list)).map(drop)];
        let mut query = Query::new("value");
        query.direction = Direction::Descending;
        query.after = Some(text.clone());
        let queried = now(rows.query(&generation, &query)).map(drop);
        for answer in listed.into_iter().chain([queried]) {
            if let Err(error) = answer
                && !matches!(error, RowError::Invalid { .. })
            {
                return Err(format!("a cursor gives {error}"));
            }
        }
        for partition in &partitions {
            let position = Position(text.as_str().into());
            match now(store.read_after(&partition.id, Some(&position), 10)) {
                Ok(_) | Err(StoreError::Position { .. } | StoreError::Invalid(_)) => {}
                Err(error) => return Err(format!("a position gives {error}")),
            }
        }
        let unknown = now(store.read_after(&PartitionId(text.as_str().into()), None, 10));
        if unknown.is_ok() && partitions.iter().all(|partition| *partition.id.0 != *text) {
            return Err("a partition that does not exist is read".to_owned());
        }
        let scan = Scan::all().after(ScanCursor(text.as_str().into()));
        match now(store.scan(scan)) {
            Ok(_) | Err(StoreError::Invalid(_)) => {}
            Err(error) => return Err(format!("a cursor of a scan gives {error}")),
        }
        let _key = CommandKey::new(text.as_str());
        let _category = check_category(&text);
        if let Ok(stream) = StreamName::parse(&text)
            && StreamName::new(stream.category(), stream.id()).ok().as_ref() != Some(&stream)
        {
            return Err("a name is not what its parts make".to_owned());
        }
        Ok(())
    });
}
