//! The storms.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::clients::Clients;
use super::history::{Outcome, check};
use super::proxy::{Weather, instead_of};
use crate::process::Dev;
use crate::real_data::Scratch;

/// How long a storm lasts.
fn seconds() -> u64 {
    std::env::var("HEADWATER_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(15)
}

fn signal(process: &Dev, name: &str) {
    let pid = process.process.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

async fn open_accounts(clients: &Clients) {
    let until = Instant::now() + Duration::from_secs(60);
    for account in 0..clients.accounts {
        let data = json!({"owner": format!("client {account}"), "overdraft_limit": 500});
        let opened = clients.ask(account, "open", &data, "open", until).await;
        assert_eq!(opened, Outcome::Done(1));
    }
}

/// Servers over the look-alikes of a `dev`; a proxy between.
struct Servers {
    dev: Dev,
    admin: String,
    running: Vec<Option<Dev>>,
    clients: Clients,
}

impl Servers {
    fn start(&mut self, slot: usize) {
        if self.running[slot].is_none() {
            self.running[slot] = Some(Dev::serve_on(&self.admin, &[]));
            self.tell();
        }
    }

    /// Tells the clients where servers are: all but those that are dead.
    fn tell(&self) {
        let urls = self.running.iter().flatten().map(|server| server.url.clone());
        *self.clients.servers.lock().unwrap() = urls.collect();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_storm_every_answer_is_true() {
    let weather = Weather::default();
    let dev = Dev::start(&[]);
    let admin = instead_of(&dev.url, &weather).await.to_string();
    let clients = Clients::new(5);
    let mut servers = Servers { dev, admin, running: vec![None, None], clients: clients.clone() };
    (0..2).for_each(|slot| servers.start(slot));
    open_accounts(&clients).await;

    let end = Instant::now() + Duration::from_secs(seconds());
    let last = end + Duration::from_secs(60);
    let working: Vec<_> =
        (0..4).map(|number| tokio::spawn(clients.clone().work(number, end, last))).collect();
    let (mut killed, mut stopped) = (0, 0);
    while Instant::now() < end {
        weather.set([0, 10, 30][weather.below(3) as usize]);
        tokio::time::sleep(Duration::from_millis(500 + weather.below(1_500))).await;
        let slot = weather.below(2) as usize;
        match weather.below(4) {
            0 => {
                killed += 1;
                if let Some(server) = servers.running[slot].take() {
                    server.kill();
                }
                servers.tell();
                weather.set(0);
                servers.start(slot);
            }
            1 => {
                stopped += 1;
                let Some(server) = &servers.running[slot] else { continue };
                signal(server, "-STOP");
                tokio::time::sleep(Duration::from_millis(500 + weather.below(3_500))).await;
                signal(server, "-CONT");
            }
            _ => {}
        }
    }
    weather.set(0);
    let mut history = Vec::new();
    for client in working {
        history.extend(client.await.unwrap());
    }
    let count = |wanted: fn(&Outcome) -> bool| history.iter().filter(|entry| wanted(&entry.outcome)).count();
    let done = count(|outcome| matches!(outcome, Outcome::Done(_)));
    let refused = count(|outcome| *outcome == Outcome::Refused);
    println!(
        "chaos storm: {} commands, {done} done, {refused} refused, {killed} kills, {stopped} stops",
        history.len()
    );
    assert!(done > 20 && refused > 0, "too little has happened");
    assert_eq!(
        count(|outcome| *outcome == Outcome::Unknown),
        0,
        "after the storm every command has an answer"
    );
    check(clients.http(), &servers.dev.url, clients.accounts, &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    let scratch = Scratch::new("full");
    let data = scratch.path("data");
    let clients = Clients::new(3);
    // Files of at most this many blocks of 512 bytes, as if the disk were full.
    let dev = Dev::start_with_limit(8_000, &["--data-dir", &data]);
    *clients.servers.lock().unwrap() = vec![dev.url.clone()];
    open_accounts(&clients).await;
    let mut history = Vec::new();
    let purpose = "x".repeat(30_000);
    for turn in 0..400 {
        let account = turn % clients.accounts;
        let name = format!("full-{turn}-{purpose}");
        let data = json!({"amount": 1, "purpose": name});
        let until = Instant::now() + Duration::from_secs(3);
        let outcome = clients.ask(account, "deposit", &data, &format!("full-{turn}"), until).await;
        history.push(super::history::Entry { name, account, outcome });
        if outcome == Outcome::Unknown {
            break;
        }
    }
    let full = history.iter().filter(|entry| entry.outcome == Outcome::Unknown).count();
    let done = history.len() - full;
    println!("chaos full disk: {done} commands done before it was full");
    assert!(full == 1 && done > 10, "{done} done, {full} were not answered");
    dev.kill();

    // With room again everything that was acknowledged is there, and work goes on.
    let dev = Dev::start(&["--data-dir", &data]);
    *clients.servers.lock().unwrap() = vec![dev.url.clone()];
    let until = Instant::now() + Duration::from_secs(30);
    let data = json!({"amount": 5, "purpose": "after"});
    let outcome = clients.ask(0, "deposit", &data, "after", until).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    history.push(super::history::Entry { name: "after".to_owned(), account: 0, outcome });
    check(clients.http(), &dev.url, clients.accounts, &history).await;
}
