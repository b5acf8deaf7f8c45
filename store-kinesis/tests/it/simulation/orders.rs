//! What clients want to be written.

use headwater::store::{Append, Check, Consistency};
use headwater::{CommitId, EventData, Expected, StreamName, Timestamp, Version};
use headwater_proof::simulation::{Random, lock};

use super::aws::Aws;
use super::clients::Story;

/// The category of the streams that these clients write.
pub(crate) const TILL: &str = "till";
/// Streams of events that are written all the time.
const STREAMS: u64 = 5;
/// For how many milliseconds clients want what is to be written only if a stream is there that somebody makes then.
const AWAITED: u64 = 8_000;
/// The wall clock at the beginning, in milliseconds since 1970.
const BEGINNING: u64 = 1_790_000_000_000;

/// What a client wants to be written together.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) made: u64,
    pub(crate) appends: Vec<Append>,
    pub(crate) checks: Vec<Check>,
    /// Whether the client folds the stream first and appends to what it has seen, sometimes with a snapshot.
    pub(crate) folds: Option<(Consistency, bool)>,
    /// After how many milliseconds the client hangs up.
    pub(crate) patience: Option<u64>,
}

impl Order {
    /// Some order. Wall clocks of clients differ by some seconds.
    pub(crate) fn some(random: &mut Random, aws: &Aws) -> Self {
        let made = aws.air.now();
        if random.one_in(6) {
            let awaited = till(&format!("awaited-{}", made / AWAITED + random.below(2)));
            let expected = [Expected::NoStream, Expected::Any, Expected::Exists][random.index(3)];
            return match random.below(4) {
                0 => Self::one(random, aws, awaited, expected),
                _ => {
                    let patience = random.one_in(4).then(|| random.below(60));
                    Self { patience, ..Self::awaits(random, aws, awaited) }
                }
            };
        }
        let mut streams: Vec<u64> = (0..STREAMS).collect();
        let count = if random.one_in(6) { 2 + random.index(2) } else { 1 };
        let mut stream =
            |random: &mut Random| till(&streams.swap_remove(random.index(streams.len())).to_string());
        let mut appends = Vec::new();
        for _ in 0..count {
            let stream = stream(random);
            let expected = expected(random, aws, &stream);
            let amounts: Vec<u64> = (0..=random.below(3)).map(|_| random.below(100)).collect();
            appends.push(append(random, made, stream, expected, &amounts));
        }
        let mut checks = Vec::new();
        if count > 1 && random.one_in(3) {
            let stream = stream(random);
            let known = lock(&aws.book).known.get(&stream).copied().unwrap_or_default();
            checks.push(Check { stream, expected: Expected::Exact(known) });
        }
        let consistency = if random.one_in(2) { Consistency::Eventual } else { Consistency::Strong };
        let folds = (count == 1 && random.one_in(2)).then(|| (consistency, random.one_in(2)));
        let patience = random.one_in(10).then(|| random.below(60));
        Self { made, appends, checks, folds, patience }
    }

    /// The first commit of a stream that nobody else writes, if another stream is there.
    pub(crate) fn awaits(random: &mut Random, aws: &Aws, awaited: StreamName) -> Self {
        let own = till(&format!("own-{}", random.draw()));
        let order = Self::one(random, aws, own, Expected::NoStream);
        let checks = vec![Check { stream: awaited, expected: Expected::Exists }];
        Self { checks, ..order }
    }

    /// One commit to a stream.
    pub(crate) fn one(random: &mut Random, aws: &Aws, stream: StreamName, expected: Expected) -> Self {
        let made = aws.air.now();
        let appends = vec![append(random, made, stream, expected, &[1])];
        Self { made, appends, checks: Vec::new(), folds: None, patience: None }
    }

    /// Whether clients may rely on it that it is not carried out.
    pub(crate) fn is_refused(&self, aws: &Aws) -> bool {
        let book = lock(&aws.book);
        let stories = self.appends.iter().filter_map(|append| book.stories.get(&append.id));
        self.appends.len() == stories.filter(|story| story.tries.is_refused()).count()
    }

    /// Whether no client has heard yet what it came to.
    pub(crate) fn is_open(&self, aws: &Aws) -> bool {
        let book = lock(&aws.book);
        let unheard = |story: &Story| story.acknowledged.is_none() && !story.tries.is_refused();
        self.appends.iter().all(|append| book.stories.get(&append.id).is_none_or(unheard))
    }
}

/// A stream that these clients write.
pub(crate) fn till(id: &str) -> StreamName {
    StreamName::new(TILL, id).unwrap()
}

/// What a client expects of a stream: mostly what it knows, sometimes what cannot be.
fn expected(random: &mut Random, aws: &Aws, stream: &StreamName) -> Expected {
    let known = lock(&aws.book).known.get(stream).copied().unwrap_or_default();
    match random.below(12) {
        0..=5 => Expected::Exact(known),
        6 => Expected::Exact(Version(known.0.saturating_sub(1 + random.below(2)))),
        7 => Expected::Exact(known.plus(1 + random.below(2))),
        8 => Expected::NoStream,
        9 => Expected::Exists,
        _ => Expected::Any,
    }
}

fn append(random: &mut Random, made: u64, stream: StreamName, expected: Expected, amounts: &[u64]) -> Append {
    let millisecond = BEGINNING + made + random.below(10_000);
    let (one, other) = (random.draw().to_be_bytes(), random.draw().to_be_bytes());
    let mut chance = [0; 10];
    chance.iter_mut().zip(one.into_iter().chain(other)).for_each(|(to, from)| *to = from);
    let id = uuid::Builder::from_unix_timestamp_millis(millisecond, &chance).into_uuid();
    let event = |amount: &u64| EventData {
        name: "Paid".into(),
        schema: 1,
        payload: amount.to_string().into_bytes().into(),
    };
    let mut append = Append::new(stream, expected, amounts.iter().map(event).collect());
    append.id = CommitId(id);
    append.recorded_at = Timestamp::from_millisecond(millisecond as i64).unwrap();
    append
}

/// What an event adds.
pub(crate) fn amount(event: &EventData) -> u64 {
    std::str::from_utf8(&event.payload).unwrap().parse().unwrap()
}
