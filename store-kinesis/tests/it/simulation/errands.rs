//! Clients that have commands carried out by the real executor of whichever process they meet, alone and together, with
//! and without keys. They hang up, ask again under the same key, and sometimes use a key that was another's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::execute::ErasedRefusal;
use headwater::{Batch, CommandKey, ExecuteError, Executor, Expected, Id, Options, StreamName, Version};
use headwater_proof::simulation::{Random, lock};

use super::answers::{self, Done};
use super::aws::Aws;
use super::purse::{Purse, PurseCommand};
use super::purses::{Purses, Tale};
use super::tries::{Tries, Try};

/// Purses there are.
const PURSES: u64 = 3;

/// What a client wants carried out.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    pub(crate) number: u64,
    pub(crate) made: u64,
    pub(crate) commands: Vec<(Id<Purse>, PurseCommand)>,
    pub(crate) key: Option<CommandKey>,
    expected: Expected,
    /// After how many milliseconds the client hangs up.
    patience: Option<u64>,
}

/// What was so when a try began.
#[derive(Debug)]
pub(crate) struct Began {
    pub(crate) this: Try,
    /// Whether the errand was carried out already.
    pub(crate) there: bool,
    pub(crate) heads: BTreeMap<StreamName, Version>,
}

impl Errand {
    /// Some errand; `others` were given before it.
    pub(crate) fn some(random: &mut Random, aws: &Aws, number: u64, others: &[Self]) -> Self {
        let mut left: Vec<u64> = (0..PURSES).collect();
        let mut purse = |random: &mut Random| {
            let id = left.swap_remove(random.index(left.len()));
            Id::<Purse>::new(id.to_string()).unwrap()
        };
        let first = purse(random);
        let amount = 1 + random.below(60);
        let commands = match random.below(12) {
            0..=3 => {
                let amounts = (0..=random.below(2)).map(|_| 1 + random.below(60)).collect();
                vec![(first, PurseCommand::Give { errand: number, amounts })]
            }
            4..=7 => vec![(first, PurseCommand::Take { errand: number, amount })],
            8 | 9 => vec![(first, PurseCommand::TakeAll { errand: number })],
            10 => {
                let give = PurseCommand::Give { errand: number, amounts: vec![amount] };
                vec![(first, PurseCommand::Take { errand: number, amount }), (purse(random), give)]
            }
            _ => {
                let give = PurseCommand::Give { errand: number, amounts: vec![amount] };
                vec![(first, PurseCommand::TakeAll { errand: number }), (purse(random), give)]
            }
        };
        let key = (!random.one_in(4)).then(|| CommandKey::new(format!("k{number}")).unwrap());
        // Some client takes a key that another has used on this purse.
        let anothers = others.iter().rev().find(|other| other.commands.len() == 1 && commands.len() == 1);
        let anothers = anothers.filter(|other| other.commands[0].0 == commands[0].0);
        let key = match anothers.and_then(|other| other.key.clone()) {
            Some(used) if random.one_in(6) => Some(used),
            _ => key,
        };
        let known = lock(&aws.purses).known.get(commands[0].0.stream()).copied().unwrap_or_default();
        let expected = match random.below(10) {
            0..=2 if commands.len() == 1 => Expected::Exact(known),
            3 if commands.len() == 1 => Expected::NoStream,
            4 => Expected::Exists,
            _ => Expected::Any,
        };
        let patience = random.one_in(8).then(|| random.below(60));
        Self { number, made: aws.air.now(), commands, key, expected, patience }
    }

    /// Whether a client may ask for it again: under its key only, and who has heard has seldom reason to.
    pub(crate) fn again(&self, random: &mut Random, aws: &Aws) -> bool {
        let purses = lock(&aws.purses);
        let heard = |tale: &Tale| tale.acknowledged || tale.tries.is_refused();
        self.key.is_some() && (!purses.tales.get(&self.number).is_some_and(heard) || random.one_in(4))
    }

    fn begin(&self, aws: &Aws) -> Began {
        let mut purses = lock(&aws.purses);
        let key = self.key.as_ref().map(|key| key.as_str().to_owned());
        let takes_all = |(_, command): &&_| matches!(command, PurseCommand::TakeAll { .. });
        let together = self.commands.len() - self.commands.iter().filter(takes_all).count();
        let tale = Tale { key, tries: Tries::default(), acknowledged: false, together };
        let this = purses.tales.entry(self.number).or_insert(tale).tries.begin();
        Began { this, there: purses.deeds_of(self.number) > 0, heads: heads(&purses) }
    }

    fn batch(&self) -> Batch {
        let batch = self.commands.iter().cloned();
        batch.fold(Batch::new(), |batch, (id, command)| batch.command(&id, command))
    }
}

/// The versions of all purses.
fn heads(purses: &Purses) -> BTreeMap<StreamName, Version> {
    purses.all().into_iter().map(|purse| (purse.clone(), purses.head(&purse))).collect()
}

/// A call that is under way, until this is dropped.
struct UnderWay {
    aws: Arc<Aws>,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(tale) = lock(&self.aws.purses).tales.get_mut(&self.number) {
            tale.tries.end();
        }
    }
}

/// Runs an errand on a process. A client that hangs up, or whose process dies, hears nothing.
pub(crate) async fn run(aws: Arc<Aws>, executor: Executor, process: usize, errand: Errand) {
    let began = errand.begin(&aws);
    let _until_it_ends = UnderWay { aws: Arc::clone(&aws), number: errand.number };
    let patience = Duration::from_millis(errand.patience.unwrap_or(u64::from(u32::MAX)));
    let Ok(answer) = tokio::time::timeout(patience, carry_out(&executor, &errand)).await else { return };
    let word = match &answer {
        Ok(done) if done.replayed => "done before".to_owned(),
        Ok(done) => format!("done {:?}", done.events),
        Err(ExecuteError::Store(error)) => format!("{:?}", error.kind()),
        Err(error) => error.to_string(),
    };
    aws.air.note(&format!("{process} answers errand {}: {word}", errand.number));
    if let Err(broken) = answers::judge(&mut lock(&aws.purses), &errand, &began, answer) {
        aws.air.broke(format!("{broken}, errand {}", errand.number));
    }
}

async fn carry_out(executor: &Executor, errand: &Errand) -> Result<Done, ExecuteError<ErasedRefusal>> {
    let mut options = Options::new().expected(errand.expected);
    options.key.clone_from(&errand.key);
    match errand.commands.as_slice() {
        [(id, command)] => {
            let executed = executor.execute_with(id, command.clone(), &options).await;
            let executed =
                executed.map_err(|error| error.map_refusal(|refusal| ErasedRefusal::new(&refusal)))?;
            let versions = vec![(executed.stream, executed.version)];
            Ok(Done { versions, events: Some(executed.events), replayed: executed.replayed })
        }
        _ => {
            let executed = executor.execute_all(errand.batch(), &options).await?;
            Ok(Done { versions: executed.streams, events: None, replayed: executed.replayed })
        }
    }
}

/// A client looks into some purse.
pub(crate) async fn look(aws: Arc<Aws>, executor: Executor, number: u64) {
    let id = Id::<Purse>::new((number % PURSES).to_string()).unwrap();
    let least = lock(&aws.purses).head(id.stream());
    match executor.state(&id).await {
        Ok(fold) => {
            let sum = lock(&aws.purses).sum_at(id.stream(), fold.version);
            let whole = fold.state.changes == fold.version.0;
            if fold.version < least || Some(fold.state.sum) != sum || !whole {
                let (version, state) = (fold.version, fold.state);
                aws.air
                    .broke(format!("L8: {id} with {sum:?} is seen as {state:?} at {version}, from {least}"));
            }
        }
        Err(ExecuteError::Store(error)) if error.retry_helps() => {}
        Err(error) => aws.air.broke(format!("L1: {id} cannot be seen: {error}")),
    }
}
