//! Three processes keep two projections over eight shards, under load, while one of them is killed every few seconds and
//! shards split and merge: every row equals a plain fold of the ledger, and nothing is applied twice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::store::Read;
use headwater::testing::counter::{Counter, CounterCommand};
use headwater::{EventStore, EventStoreExt, Executor, Id, StreamName};
use headwater_aws::testing;
use headwater_local::{Local, Options};
use headwater_projections::group::{Checkpoint, LeaseStore};
use headwater_projections::rows::{Generation, List, RowStore};
use headwater_projections_dynamodb::{DynamoLeases, DynamoRows, rows};
use headwater_store_kinesis::{Clients, Config, KinesisStore, Shards, infra};

const PREFIX: &str = "workers";
const SHARDS: u32 = 8;
const WORKERS: usize = 3;
const COUNTERS: usize = 60;
/// How long commands are carried out, and how often a worker is killed meanwhile.
const LOAD: Duration = Duration::from_secs(50);
const KILL_EVERY: Duration = Duration::from_secs(9);
/// How long it may take until every row is up to date.
const PATIENCE: Duration = Duration::from_secs(90);
/// The promise: from a kill until every lease is in living hands, and time to see it.
const TAKEOVER: Duration = Duration::from_secs(8 + 2);

struct Workers {
    urls: [String; 2],
    processes: Vec<Child>,
}

impl Workers {
    fn start_one(&mut self) {
        let test = std::env::current_exe().unwrap();
        let program: PathBuf = test.parent().unwrap().parent().unwrap().join("examples").join("worker");
        assert!(
            program.exists(),
            "examples/worker is not built: `cargo test` and `cargo build --examples` do"
        );
        let mut command = Command::new(program);
        command.args([self.urls[0].as_str(), self.urls[1].as_str(), PREFIX]).stderr(Stdio::null());
        self.processes.push(command.spawn().unwrap());
    }

    fn kill_one(&mut self) {
        let mut victim = self.processes.swap_remove(fastrand::usize(..self.processes.len()));
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for process in &mut self.processes {
            if process.kill().is_ok() {
                process.wait().unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_that_are_killed_over_eight_shards_keep_every_row_exact() {
    let local = Local::start(Options::default()).await.unwrap();
    let clients = Clients {
        dynamodb: testing::dynamodb(local.dynamodb_url()),
        kinesis: testing::kinesis(local.kinesis_url()),
    };
    let mut config = Config::new(PREFIX);
    config.shards = Shards::Provisioned(SHARDS);
    infra::apply(&clients, &config).await.unwrap();
    let store = Arc::new(KinesisStore::open(&clients, &config));
    let leases = DynamoLeases::new(&clients.dynamodb, PREFIX);
    let urls = [local.dynamodb_url().to_owned(), local.kinesis_url().to_owned()];
    let mut workers = Workers { urls, processes: Vec::new() };
    (0..WORKERS).for_each(|_| workers.start_one());

    let load = tokio::spawn(load(Arc::clone(&store)));
    let mut takeovers = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < LOAD {
        tokio::time::sleep(KILL_EVERY).await;
        match takeovers.len() {
            1 => split(&clients, &config.stream()).await,
            3 => merge(&clients, &config.stream()).await,
            _ => {}
        }
        workers.kill_one();
        let killed = Instant::now();
        workers.start_one();
        until_all_leases_live(&leases, killed).await;
        takeovers.push(killed.elapsed());
    }
    let commands = load.await.unwrap();
    println!("{commands} commands; leases in living hands after {takeovers:?}");
    assert!(takeovers.len() >= 4 && takeovers.iter().all(|takeover| *takeover <= TAKEOVER), "{takeovers:?}");
    assert!(commands > 1_000, "{commands} commands are no load");

    let (counted, by_ending) = fold(&store).await;
    let rows = DynamoRows::new(&clients.dynamodb, rows::Config::new(PREFIX));
    exact(&rows, "counted", &counted).await;
    exact(&rows, "by-ending", &by_ending).await;
    assert!(store.close().await);
}

/// Carries out commands on random counters, some of several events. Gives how many.
async fn load(store: Arc<KinesisStore>) -> usize {
    let executor = Executor::new(store as Arc<dyn EventStore>);
    let begun = Instant::now();
    let mut commands = 0;
    while begun.elapsed() < LOAD {
        let together = (0..8).map(|_| {
            let id: Id<Counter> = Id::new(fastrand::usize(..COUNTERS).to_string()).unwrap();
            let command = match fastrand::usize(..4) {
                0 => CounterCommand::Count { times: fastrand::u64(2..5) },
                _ => CounterCommand::Add { amount: fastrand::u64(1..100) },
            };
            let executor = executor.clone();
            async move { executor.execute(&id, command).await.unwrap() }
        });
        commands += futures::future::join_all(together).await.len();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    commands
}

/// Waits until every lease has moved since the kill: a dead worker's leases move when another takes them.
async fn until_all_leases_live(leases: &DynamoLeases, killed: Instant) {
    let at_the_kill = counters(leases).await;
    loop {
        let now = counters(leases).await;
        if at_the_kill.iter().all(|(partition, counter)| now.get(partition) != Some(counter)) {
            return;
        }
        assert!(killed.elapsed() < PATIENCE, "some leases are in nobody's hands: {at_the_kill:?} {now:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The counters of the leases that somebody has to hold.
async fn counters(leases: &DynamoLeases) -> BTreeMap<String, u64> {
    let leases = leases.list("views").await.unwrap().leases.into_values();
    let open = leases.filter(|lease| {
        lease.checkpoints.is_empty()
            || lease.checkpoints.values().any(|checkpoint| *checkpoint != Checkpoint::End)
    });
    open.map(|lease| (lease.partition.to_string(), lease.counter)).collect()
}

async fn split(clients: &Clients, stream: &str) {
    let shard = &open_shards(clients, stream).await[0];
    let range = shard.hash_key_range().unwrap();
    let (low, high): (u128, u128) =
        (range.starting_hash_key().parse().unwrap(), range.ending_hash_key().parse().unwrap());
    let split = clients.kinesis.split_shard().stream_name(stream).shard_to_split(shard.shard_id());
    split.new_starting_hash_key((low / 2 + high / 2).to_string()).send().await.unwrap();
}

async fn merge(clients: &Clients, stream: &str) {
    let mut shards = open_shards(clients, stream).await;
    shards.sort_by_key(|shard| shard.hash_key_range().unwrap().starting_hash_key().parse::<u128>().unwrap());
    let merge = clients.kinesis.merge_shards().stream_name(stream).shard_to_merge(shards[2].shard_id());
    merge.adjacent_shard_to_merge(shards[3].shard_id()).send().await.unwrap();
}

async fn open_shards(clients: &Clients, stream: &str) -> Vec<aws_sdk_kinesis::types::Shard> {
    let shards = clients.kinesis.list_shards().stream_name(stream).send().await.unwrap();
    let open = |shard: &&aws_sdk_kinesis::types::Shard| {
        shard.sequence_number_range().unwrap().ending_sequence_number().is_none()
    };
    shards.shards().iter().filter(open).cloned().collect()
}

type Rows = BTreeMap<String, serde_json::Value>;

/// What the rows have to be, folded from the ledger in a few lines of its own.
async fn fold(store: &KinesisStore) -> (Rows, Rows) {
    let (mut counted, mut by_ending) = (Rows::new(), BTreeMap::<String, (u64, i64)>::new());
    for number in 0..COUNTERS {
        let id = number.to_string();
        let stream = StreamName::new("counter", &id).unwrap();
        let (mut changes, mut value, mut trace) = (0_u64, 0_i64, 0_i64);
        for commit in store.read_all(&stream, Read::all()).await.unwrap() {
            for event in &commit.events {
                let amount =
                    serde_json::from_slice::<serde_json::Value>(&event.payload).unwrap()["amount"].clone();
                let amount = amount.as_i64().unwrap() * if event.name == "Added" { 1 } else { -1 };
                changes += 1;
                value += amount;
                trace = trace.wrapping_mul(31).wrapping_add(amount);
            }
        }
        if changes > 0 {
            let shared = by_ending.entry(id[id.len() - 1..].to_owned()).or_default();
            shared.0 += changes;
            shared.1 += value;
            counted.insert(id, serde_json::json!({ "changes": changes, "value": value, "trace": trace }));
        }
    }
    let shared =
        |(ending, (changes, value))| (ending, serde_json::json!({ "changes": changes, "value": value }));
    (counted, by_ending.into_iter().map(shared).collect())
}

/// Waits until the rows of a projection are these, and no others.
async fn exact(rows: &DynamoRows, projection: &'static str, expected: &Rows) {
    let generation = Generation { projection: projection.into(), number: 1 };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (mut found, mut after) = (Rows::new(), None);
        loop {
            let page = rows.list(&generation, &List { after, limit: 100 }).await.unwrap();
            for row in page.rows {
                found.insert(row.key, serde_json::from_slice(&row.fields.unwrap()).unwrap());
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if found == *expected {
            return;
        }
        let wrong: Vec<_> = expected.iter().filter(|(key, row)| found.get(*key) != Some(row)).collect();
        assert!(Instant::now() < deadline, "{projection}: {wrong:?}, found {found:?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
