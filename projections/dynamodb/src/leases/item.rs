//! Workers, leases, generations, the catching up and the documents of a group as items of the control table, and back.
//!
//! | attribute | of | holds |
//! |---|---|---|
//! | `g` | all | the group; partition key |
//! | `k` | all | `worker/`, `lease/`, `generations/` or `document/` and what it is of, or `catch-up`; sort key |
//! | `c` | all | the counter |
//! | `a` | workers | the worker that is asked for a lease, if any |
//! | `o` | leases, catch-up | the owner, if any |
//! | `i` | leases | the incarnation |
//! | `p` | leases | the parents, if any |
//! | `x` | leases | for each generation, its position, or `end` |
//! | `l` | leases | how often a position was lost, if ever |
//! | `m` | generations, documents | all of it, as JSON |
//! | `n` | catch-up | generations that have asked, if any |
//! | `r` | catch-up | generations that read the ledger, if any |
//! | `s` | catch-up | for each segment of the ledger: empty at its start, `end`, or `>` and a cursor |
//! | `d` | catch-up | generations that have read the ledger, if any |
//!
//! A lease of eight projections on Kinesis has less than 1 KB: a renewal is 1 WCU.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use headwater::store::{PartitionId, Position, ScanCursor};
use headwater_aws::control::{GROUP, KEY};
use headwater_projections::group::{
    CatchUp, Checkpoint, Document, Generations, Item, ItemKey, Lease, Segment, Worker, WorkerId,
};

/// What every write is conditional on.
pub(super) const COUNTER: &str = "c";

const ASKS: &str = "a";
const OWNER: &str = "o";
const INCARNATION: &str = "i";
const PARENTS: &str = "p";
const CHECKPOINTS: &str = "x";
const LOSSES: &str = "l";
const MADE: &str = "m";
const ASKED: &str = "n";
const READING: &str = "r";
const SEGMENTS: &str = "s";
const DONE: &str = "d";

/// The checkpoint of who has read everything, and the end of a segment. Positions are digits.
const END: &str = "end";

/// The attributes of an item.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The key of an item.
pub(super) fn key(group: &str, key: &ItemKey) -> Attributes {
    let text = |text: String| AttributeValue::S(text);
    [(GROUP.to_owned(), text(group.to_owned())), (KEY.to_owned(), text(key.to_string()))].into()
}

/// An item with its key.
pub(super) fn encode(group: &str, item: &Item) -> Attributes {
    let mut attributes = key(group, &item.key());
    let mut put = |name: &str, value| drop(attributes.insert(name.to_owned(), value));
    put(COUNTER, number(item.counter()));
    match item {
        Item::Worker(worker) => {
            if let Some(asks) = &worker.asks {
                put(ASKS, text(&asks.0));
            }
        }
        Item::Lease(lease) => {
            if let Some(owner) = &lease.owner {
                put(OWNER, text(&owner.0));
            }
            put(INCARNATION, number(lease.incarnation));
            if !lease.parents.is_empty() {
                let parents = lease.parents.iter().map(|parent| text(&parent.0)).collect();
                put(PARENTS, AttributeValue::L(parents));
            }
            let checkpoint = |checkpoint: &Checkpoint| match checkpoint {
                Checkpoint::At(position) => text(&position.0),
                Checkpoint::End => text(END),
            };
            let checkpoints = lease.checkpoints.iter().map(|(name, at)| (name.to_string(), checkpoint(at)));
            put(CHECKPOINTS, AttributeValue::M(checkpoints.collect()));
            if lease.losses > 0 {
                put(LOSSES, number(lease.losses));
            }
        }
        Item::Generations(generations) => {
            let json = serde_json::to_string(generations).expect("numbers and texts are JSON");
            put(MADE, text(&json));
        }
        Item::Document(document) => put(MADE, text(&document.json)),
        Item::CatchUp(catch_up) => {
            if let Some(owner) = &catch_up.owner {
                put(OWNER, text(&owner.0));
            }
            let sets = [(ASKED, &catch_up.asked), (READING, &catch_up.reading), (DONE, &catch_up.done)];
            for (name, generations) in sets.into_iter().filter(|(_, generations)| !generations.is_empty()) {
                put(name, AttributeValue::L(generations.iter().map(|one| text(one)).collect()));
            }
            put(SEGMENTS, AttributeValue::L(catch_up.segments.iter().map(segment).collect()));
        }
    }
    attributes
}

/// An item from its attributes.
///
/// # Errors
/// What names it, and what is wrong with it.
pub(super) fn decode(attributes: &Attributes) -> Result<Item, (String, String)> {
    let name = attributes.get(KEY).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let read = || match name.split_once('/') {
        Some(("worker", id)) => Ok(Item::Worker(Worker {
            id: WorkerId(id.into()),
            counter: needed(attributes, COUNTER)?,
            asks: optional_text(attributes, ASKS)?.map(WorkerId),
        })),
        Some(("lease", partition)) => Ok(Item::Lease(Lease {
            partition: PartitionId(partition.into()),
            parents: texts(attributes, PARENTS)?.into_iter().map(PartitionId).collect(),
            owner: optional_text(attributes, OWNER)?.map(WorkerId),
            counter: needed(attributes, COUNTER)?,
            incarnation: needed(attributes, INCARNATION)?,
            checkpoints: checkpoints(attributes)?,
            losses: optional(attributes, LOSSES)?.unwrap_or_default(),
        })),
        Some(("generations", _)) => generations(attributes).map(Item::Generations),
        Some(("document", name)) => Ok(Item::Document(Document {
            name: name.into(),
            counter: needed(attributes, COUNTER)?,
            json: made(attributes)?,
        })),
        None if name == ItemKey::CatchUp.to_string() => Ok(Item::CatchUp(CatchUp {
            owner: optional_text(attributes, OWNER)?.map(WorkerId),
            counter: needed(attributes, COUNTER)?,
            asked: texts(attributes, ASKED)?.into_iter().collect(),
            reading: texts(attributes, READING)?.into_iter().collect(),
            segments: texts(attributes, SEGMENTS)?.iter().map(read_segment).collect::<Result<_, _>>()?,
            done: texts(attributes, DONE)?.into_iter().collect::<BTreeSet<_>>(),
        })),
        _ => Err("it is no worker, lease, generations or document, nor does it say how the group catches up"
            .to_owned()),
    };
    read().map_err(|reason| (name.clone(), reason))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn wrong(name: &str) -> String {
    format!("attribute {name:?} is not of the expected type")
}

fn optional(attributes: &Attributes, name: &str) -> Result<Option<u64>, String> {
    let Some(value) = attributes.get(name) else { return Ok(None) };
    let number = value.as_n().ok().and_then(|number| u64::from_str(number).ok());
    number.map(Some).ok_or_else(|| wrong(name))
}

fn needed(attributes: &Attributes, name: &str) -> Result<u64, String> {
    optional(attributes, name)?.ok_or_else(|| format!("attribute {name:?} is missing"))
}

fn optional_text(attributes: &Attributes, name: &str) -> Result<Option<Arc<str>>, String> {
    let Some(value) = attributes.get(name) else { return Ok(None) };
    value.as_s().map(|text| Some(text.as_str().into())).map_err(|_| wrong(name))
}

fn made(attributes: &Attributes) -> Result<Arc<str>, String> {
    optional_text(attributes, MADE)?.ok_or_else(|| format!("attribute {MADE:?} is missing"))
}

fn generations(attributes: &Attributes) -> Result<Generations, String> {
    let json = made(attributes)?;
    let generations: Generations =
        serde_json::from_str(&json).map_err(|error| format!("attribute {MADE:?} cannot be read: {error}"))?;
    // What the condition of the next write is about is the attribute.
    Ok(Generations { counter: needed(attributes, COUNTER)?, ..generations })
}

/// A list of texts; one that is not there is empty.
fn texts(attributes: &Attributes, name: &str) -> Result<Vec<Arc<str>>, String> {
    let Some(value) = attributes.get(name) else { return Ok(Vec::new()) };
    let list = value.as_l().map_err(|_| wrong(name))?;
    list.iter().map(|value| value.as_s().map(|text| text.as_str().into()).map_err(|_| wrong(name))).collect()
}

fn segment(segment: &Segment) -> AttributeValue {
    match segment {
        Segment::Start => text(""),
        Segment::After(cursor) => AttributeValue::S(format!(">{cursor}")),
        Segment::End => text(END),
    }
}

fn read_segment(text: &Arc<str>) -> Result<Segment, String> {
    match (&**text, text.strip_prefix('>')) {
        ("", _) => Ok(Segment::Start),
        (END, _) => Ok(Segment::End),
        (_, Some(cursor)) => Ok(Segment::After(ScanCursor(cursor.into()))),
        _ => Err(format!("{text:?} is not a place in a segment")),
    }
}

fn checkpoints(attributes: &Attributes) -> Result<BTreeMap<Arc<str>, Checkpoint>, String> {
    let value = attributes.get(CHECKPOINTS).ok_or_else(|| format!("attribute {CHECKPOINTS:?} is missing"))?;
    let map = value.as_m().map_err(|_| wrong(CHECKPOINTS))?;
    let checkpoint = |(generation, at): (&String, &AttributeValue)| {
        let at = match at.as_s().map(String::as_str) {
            Ok(END) => Checkpoint::End,
            Ok(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Checkpoint::At(Position(digits.into()))
            }
            _ => return Err(format!("the checkpoint of {generation} is not a position")),
        };
        Ok((generation.as_str().into(), at))
    };
    map.iter().map(checkpoint).collect()
}
