//! `headwater-peers-servers umadb|sierradb URL RUN CONNECTIONS SECONDS`: appends to an event-store server, one event at
//! a time and only if nobody else has written to the account, from so many connections at once. Each has accounts of its
//! own, so none is refused. Prints what the scripts of `wrk` print: seconds, how many were appended, how many refused,
//! and the latency that half and 99 of 100 had, in microseconds.

mod by_sierradb;
mod by_umadb;

use std::error::Error;
use std::time::{Duration, Instant};

use headwater_workload::percentiles;
use tokio::task::JoinSet;

use by_sierradb::Sierra;
use by_umadb::Uma;

/// Whatever a client says.
type Failure = Box<dyn Error + Send + Sync>;

/// Accounts of a connection, as in the load on Headwater's server.
const ACCOUNTS: u32 = 50;

/// A client with a connection of its own.
trait Client: Send + Sized + 'static {
    fn connect(url: &str) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// Appends an event to an account, if it is where this client left it.
    fn append(&mut self, account: &str, event: Vec<u8>) -> impl Future<Output = Result<(), Failure>> + Send;
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [server, url, run, connections, seconds] = words.as_slice() else {
        return Err("say umadb or sierradb, URL, RUN, CONNECTIONS and SECONDS".into());
    };
    let (connections, seconds) = (connections.parse()?, Duration::from_secs(seconds.parse()?));
    match server.as_str() {
        "umadb" => load::<Uma>(url, run, connections, seconds).await,
        "sierradb" => load::<Sierra>(url, run, connections, seconds).await,
        other => Err(format!("there is no client for {other}").into()),
    }
}

async fn load<C: Client>(url: &str, run: &str, connections: u32, seconds: Duration) -> Result<(), Failure> {
    let mut clients = Vec::new();
    for connection in 0..connections {
        let accounts: Vec<_> =
            (0..ACCOUNTS).map(|account| format!("load{run}-{connection}-{account}")).collect();
        let mut client = C::connect(url).await?;
        client.append(&format!("warm{run}-{connection}"), event(0)).await?;
        clients.push((client, accounts));
    }
    let begun = Instant::now();
    let end = begun + seconds;
    let mut running = JoinSet::new();
    for (client, accounts) in clients {
        running.spawn(append_until(client, accounts, end));
    }
    let mut took = Vec::new();
    while let Some(ended) = running.join_next().await {
        took.extend(ended??);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let appended = took.len();
    let percentiles = percentiles(took);
    let microseconds = |name: &str| percentiles[name].as_f64().map_or(f64::NAN, |ms| ms * 1e3);
    let (p50, p99) = (microseconds("p50_ms"), microseconds("p99_ms"));
    println!("answers {elapsed} {appended} 0 {p50} {p99}");
    Ok(())
}

/// Appends one after the other; gives the seconds that each took.
async fn append_until<C: Client>(
    mut client: C,
    accounts: Vec<String>,
    end: Instant,
) -> Result<Vec<f64>, Failure> {
    let mut took = Vec::new();
    for (number, account) in (0..).zip(accounts.iter().cycle()) {
        let begun = Instant::now();
        if begun >= end {
            break;
        }
        client.append(account, event(number)).await?;
        took.push(begun.elapsed().as_secs_f64());
    }
    Ok(took)
}

/// The event that the floor gets, too.
fn event(number: u64) -> Vec<u8> {
    let text = format!(
        r#"{{"account":"acct-0000007","tx":"0190c5f2-8a3b-7d41-00001-{number}","amount":100,"balance":4200,"at":1767225600000}}"#
    );
    text.into_bytes()
}
