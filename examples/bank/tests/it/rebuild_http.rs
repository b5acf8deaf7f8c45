//! Rebuilds asked for over HTTP: during an import, cancelled, over the death and the end of the server, and at a process
//! that only answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::process::Dev;
use crate::real_data::{Scratch, commands, run, summary};
use crate::rebuild::{start, watch};
use crate::rebuild_archive::{exact, fold};

/// How long a rebuild may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(240);
/// Lines of the real data that are imported, half of them during a rebuild.
const IMPORTED: usize = 12_000;
/// Lines that are imported where the import is not what is looked at.
const LINES: usize = 2_500;
/// The command that goes on with a slow rebuild.
const GO_ON: &str = "backfill balances --source ledger --memory 1MiB --budget 20 --verify all";

/// The operations of a server.
struct Rebuilds {
    url: String,
    client: reqwest::Client,
}

impl Rebuilds {
    fn of(server: &Dev) -> Self {
        Self { url: server.url.clone(), client: reqwest::Client::new() }
    }

    async fn send(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        let (status, place) = (answer.status().as_u16(), answer.headers().get("location").cloned());
        let body: Value = answer.json().await.unwrap();
        if let Some(place) = place {
            let expected = format!("/v1/admin/operations/{}", body["id"].as_str().unwrap());
            assert_eq!(place.to_str().unwrap(), expected);
        }
        (status, body)
    }

    /// Asks for a rebuild.
    async fn ask(&self, projection: &str, options: &Value) -> (u16, Value) {
        let mut body = json!({"reason": "the tests want it"});
        body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        self.send(&format!("/v1/admin/projections/{projection}/rebuilds"), &body).await
    }

    async fn get(&self, id: &str) -> Value {
        let url = format!("{}/v1/admin/operations/{id}", self.url);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Looks until it is as it should be. Numbers never go back.
    async fn until(&self, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        let (begun, mut last) = (Instant::now(), [0; 4]);
        loop {
            let operation = self.get(id).await;
            let names = ["events", "rows", "write_units", "slots"];
            let now = names.map(|name| operation["progress"][name].as_u64().unwrap());
            assert!(now.iter().zip(last).all(|(now, last)| *now >= last), "{last:?} became {now:?}");
            last = now;
            if is(&operation) {
                return operation;
            }
            assert!(begun.elapsed() < PATIENCE, "{operation}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn until_done(&self, id: &str) -> Value {
        let ended = |operation: &Value| {
            !["queued", "running", "waiting-for-switch"].contains(&operation["state"].as_str().unwrap())
        };
        let done = self.until(id, ended).await;
        assert_eq!(done["state"], "done", "{done}");
        done
    }

    /// Asks for one that takes long, and looks until it has written some rows.
    /// It is gone on with by [`GO_ON`].
    async fn begin_slow(&self) -> String {
        let slow = json!({"budget": "20", "memory_mib": 1, "source": "ledger", "verify": "all"});
        let (status, asked) = self.ask("balances", &slow).await;
        assert_eq!(status, 202, "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        self.until(&id, |operation| operation["progress"]["rows"].as_u64() > Some(0)).await;
        id
    }
}

/// Every row becomes what the lines give: the last of them may still be on their way.
async fn follows(url: &str, client: &reqwest::Client, accounts: &BTreeMap<String, (i64, u64)>) {
    let begun = Instant::now();
    for (account, (balance, transactions)) in accounts {
        loop {
            let row = client.get(format!("{url}/v1/read-models/balances/{account}")).send().await.unwrap();
            let row: Value = row.json().await.unwrap();
            let data = &row["data"];
            if (data["balance"].as_i64(), data["transactions"].as_u64())
                == (Some(*balance), Some(*transactions))
            {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{balance} after {transactions}: {row}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn generations(url: &str) -> Vec<(u64, bool)> {
    let at = format!("--dev={}", url.rsplit(':').next().unwrap());
    let listed = summary(&run(&["projections", "generations", &at, "--output", "json"]));
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let of_balances = listed.iter().filter(|row| row["projection"] == "balances");
    of_balances.map(|row| (row["generation"].as_u64().unwrap(), row["live"] == true)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_over_http_during_an_import_is_exact_and_no_query_fails() {
    let scratch = Scratch::new("rebuild-http");
    let file = commands(&scratch);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().take(IMPORTED).collect();
    let (first, second) = lines.split_at(IMPORTED / 2);
    let halves = [scratch.path("first.ndjson"), scratch.path("second.ndjson")];
    std::fs::write(&halves[0], first.join("\n")).unwrap();
    std::fs::write(&halves[1], second.join("\n")).unwrap();
    let dev = Dev::start(&[]);
    let api = dev.serve(&["--role", "api"]);
    summary(&run(&["import", &halves[0], "--server", &dev.url]));
    let line: Value = serde_json::from_str(lines[0]).unwrap();
    let account = line["stream"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    let (here, elsewhere) = (Rebuilds::of(&dev), Rebuilds::of(&api));
    let row = format!("{}/v1/read-models/balances/{account}", dev.url);
    while here.client.get(&row).send().await.unwrap().status() != 200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let watching = watch(&dev, &account, Arc::clone(&stop));
    let mut import = start(&["import", &halves[1], "--server", &dev.url]);

    // Whichever process is asked, one that keeps read models carries it out, and all of them show it.
    let (status, asked) = elsewhere.ask("balances", &json!({"memory_mib": 2, "verify": "all"})).await;
    assert_eq!((status, &asked["state"]), (202, &json!("queued")), "{asked}");
    let id = asked["id"].as_str().unwrap();
    let (status, again) = here.ask("balances", &json!({"promote": "manual"})).await;
    assert_eq!((status, &again["id"], &again["promote"]), (200, &asked["id"], &json!("auto")), "{again}");
    let (status, other) = here.ask("daily-totals", &json!({"promote": "manual"})).await;
    assert_eq!(status, 202, "{other}");
    here.until(id, |operation| operation["state"] == "running").await;
    let queued = here.get(other["id"].as_str().unwrap()).await;
    assert_eq!(queued["state"], "queued", "one at a time");
    let listed = summary(&run(&["operations", "list", "--server", &api.url, "--output", "json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let ids: Vec<_> = listed["operations"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&asked["id"], &other["id"]]);

    let done = elsewhere.until_done(id).await;
    assert_eq!((&done["live"], &done["progress"]["generation"]), (&json!(true), &json!(2)), "{done}");
    assert!(done["compared"].as_u64() > Some(0) && done["go_on"].is_null(), "{done}");
    let built = here.until_done(other["id"].as_str().unwrap()).await;
    assert_eq!(
        (&built["live"], &built["go_on"]),
        (&json!(false), &json!("projections promote daily-totals 2"))
    );
    assert!(import.wait().unwrap().success());
    follows(&dev.url, &here.client, &fold(&lines)).await;
    stop.store(true, Ordering::Relaxed);
    assert_eq!(watching.await.unwrap(), ["g1", "g2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_cancelled_killed_and_interrupted_goes_on_and_ends_exact() {
    let scratch = Scratch::new("rebuild-http-kills");
    let (data, file) = (scratch.path("data"), commands(&scratch));
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    std::fs::write(scratch.path("some.ndjson"), lines.join("\n")).unwrap();
    let dev = Dev::start(&["--data-dir", &data]);
    summary(&run(&["import", &scratch.path("some.ndjson"), "--server", &dev.url]));

    let rebuilds = Rebuilds::of(&dev);
    let id = rebuilds.begin_slow().await;
    let cancel =
        ["operations", "cancel", &id, "--reason", "too slow", "--server", &dev.url, "--output", "json"];
    let cancelled: Value = serde_json::from_str(&summary(&run(&cancel))).unwrap();
    assert_eq!(cancelled["cancelled_by"], "anybody");
    let cancelled = rebuilds.until(&id, |operation| operation["state"] == "cancelled").await;
    assert_eq!(cancelled["go_on"], GO_ON);
    assert_eq!(run(&cancel).status.code(), Some(6), "it has ended");
    assert_eq!(generations(&dev.url), [(1, true), (2, false)], "nothing was switched");

    // The server dies in the middle, and the one that follows knows that it did.
    let id = rebuilds.begin_slow().await;
    dev.kill();
    let dev = Dev::start(&["--data-dir", &data]);
    let rebuilds = Rebuilds::of(&dev);
    let killed = rebuilds.get(&id).await;
    assert_eq!((&killed["state"], &killed["go_on"]), (&json!("interrupted"), &json!(GO_ON)));

    // It ends in good order in the middle.
    let id = rebuilds.begin_slow().await;
    let (code, said) = dev.terminate();
    assert_eq!(code, Some(0), "{said:?}");
    let audited = |line: &&String| line.contains("headwater::audit") && line.contains("/rebuilds");
    let line = said.iter().find(audited).unwrap_or_else(|| panic!("{said:?}"));
    assert!(line.contains("anybody") && line.contains("the tests want it"), "{line}");
    let dev = Dev::start(&["--data-dir", &data]);
    let rebuilds = Rebuilds::of(&dev);
    assert_eq!(rebuilds.get(&id).await["state"], "interrupted");
    assert_eq!(generations(&dev.url), [(1, true), (2, false)], "nothing was switched");

    let (status, asked) = rebuilds.ask("balances", &json!({"source": "ledger", "verify": "all"})).await;
    assert_eq!(status, 202, "{asked}");
    let done = rebuilds.until_done(asked["id"].as_str().unwrap()).await;
    assert!(done["notes"].to_string().contains("going on with generation 2"), "{done}");
    assert_eq!(generations(&dev.url), [(1, false), (2, true)]);
    exact(&dev.url, &rebuilds.client, &fold(&lines)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_releases_the_slots_of_its_rebuild_and_says_so() {
    let scratch = Scratch::new("rebuild-http-end");
    let file = commands(&scratch);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().take(LINES).collect();
    std::fs::write(scratch.path("some.ndjson"), lines.join("\n")).unwrap();
    let cloud = Cloud::start().await;
    let server = cloud.serve(&[]);
    summary(&run(&["import", &scratch.path("some.ndjson"), "--server", &server.url]));
    let id = Rebuilds::of(&server).begin_slow().await;
    let held = |slots: &headwater_projections::group::Items| {
        slots.leases.values().filter(|slot| slot.owner.is_some()).count()
    };
    assert_eq!(held(&cloud.group("backfill/balances-g2").await), 1);
    let (code, said) = server.terminate();
    assert_eq!(code, Some(0), "{said:?}");
    let slots = cloud.group("backfill/balances-g2").await;
    assert!(!slots.leases.is_empty() && held(&slots) == 0, "{slots:?}");
    let operations = cloud.group("operations/views").await.documents;
    let left: Value = serde_json::from_str(&operations[&*id].json).unwrap();
    assert_eq!(left["state"], "interrupted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_built_anew_is_named_and_nothing_is_asked_for() {
    let dev = Dev::start(&[]);
    let rebuilds = Rebuilds::of(&dev);
    for (projection, options, status, says) in [
        ("wires", json!({}), 404, "reactor"),
        ("nothing", json!({}), 404, "known are"),
        ("balances", json!({"source": "paper"}), 400, "archive"),
        ("balances", json!({"memory_mib": 0}), 400, "1 to 256"),
        ("balances", json!({"memory_mib": 257}), 400, "limits.rebuild_memory_mib"),
        ("balances", json!({"budget": "101%"}), 400, "50%"),
        ("balances", json!({"verify": "some"}), 400, "sample"),
        ("balances", json!({"promote": "later"}), 400, "manual"),
        ("balances", json!({"reason": " "}), 400, "say why"),
        ("balances", json!({"only": "ada"}), 400, "unknown field"),
    ] {
        let (got, problem) = rebuilds.ask(projection, &options).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(got == status && detail.contains(says), "{projection} {options}: {got} {problem}");
    }
    let url = format!("{}/v1/admin/operations", dev.url);
    let listed: Value = rebuilds.client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed, json!({"operations": []}));
    assert_eq!(generations(&dev.url), [(1, true)]);

    // What only the rebuild itself can find out is told by the operation.
    let (status, asked) = rebuilds.ask("balances", &json!({"source": "archive"})).await;
    assert_eq!(status, 202);
    let id = asked["id"].as_str().unwrap();
    let failed = rebuilds.until(id, |operation| operation["state"] == "failed").await;
    assert!(failed["problem"].as_str().unwrap().contains("the archive has no files"), "{failed}");
    let (status, problem) =
        rebuilds.send("/v1/admin/operations/balances-9/cancel", &json!({"reason": "r"})).await;
    assert!(status == 404 && problem["type"] == "/problems/not-found", "{problem}");
}
