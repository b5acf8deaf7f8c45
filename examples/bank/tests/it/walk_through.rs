//! The walk-through of `docs/backfill.md`, command by command as it stands there.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::process::Dev;
use crate::real_data::{Scratch, commands, run};

/// Lines of the real data that are imported.
const LINES: usize = 400;

/// A command and what it says.
struct Step {
    command: Vec<String>,
    says: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    let inside = text.lines().skip_while(|line| *line != "```walk-through").skip(1);
    for line in inside.take_while(|line| *line != "```") {
        match line.strip_prefix("$ ") {
            Some(command) => {
                let command = command.split_whitespace().map(str::to_owned).collect();
                steps.push(Step { command, says: Vec::new() });
            }
            None => steps.last_mut().unwrap().says.push(line.to_owned()),
        }
    }
    steps
}

fn binary(name: &str) -> &'static str {
    match name {
        "bank" => env!("CARGO_BIN_EXE_bank"),
        "bank-changed" => env!("CARGO_BIN_EXE_bank-changed"),
        other => panic!("{other} is no binary of the walk-through"),
    }
}

fn carry_out(command: &[String], url: &str) -> Output {
    let dev = format!("--dev={}", url.rsplit(':').next().unwrap());
    let mut process = Command::new(binary(&command[0]));
    for argument in &command[1..] {
        process.arg(if argument == "--dev" { &dev } else { argument });
    }
    process.env("BANK_CLIENT__SERVER", url).stdin(Stdio::null()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_through_from_a_change_of_code_to_the_switch_and_back_comes_true() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/backfill.md");
    let steps = steps(&std::fs::read_to_string(page).unwrap());
    assert!(steps.len() > 6, "the walk-through is there");
    let scratch = Scratch::new("walk-through");
    let text = std::fs::read_to_string(commands(&scratch)).unwrap();
    let (data, file) = (scratch.path("data"), scratch.path("bank.ndjson"));
    std::fs::write(&file, text.lines().take(LINES).collect::<Vec<_>>().join("\n")).unwrap();
    let mut dev: Option<Dev> = None;
    for Step { command, says } in steps {
        if command[1] == "dev" {
            // The old process goes before the new one comes: a directory belongs to one.
            drop(dev.take().map(Dev::terminate));
            assert_eq!(command[2..], ["--data-dir", "data"]);
            dev = Some(Dev::of(binary(&command[0]), &["--data-dir", &data]));
            continue;
        }
        let url = dev.as_ref().unwrap().url.clone();
        let output = match command[1].as_str() {
            "import" => run(&["import", &file, "--server", &url]),
            _ => carry_out(&command, &url),
        };
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{command:?}: {said}");
        for line in says {
            assert!(said.contains(line.trim()), "{command:?} does not say {line:?}: {said}");
        }
        if command[1] == "backfill" && !command.iter().any(|word| word == "--dry-run") {
            let account: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
            let account = account["stream"].as_str().unwrap().split_once('/').unwrap().1;
            let url = format!("{url}/v1/read-models/balances/{account}");
            let deadline = Instant::now() + Duration::from_secs(60);
            // The server notices a switch within a round.
            loop {
                let row: serde_json::Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
                if row["data"]["largest"].as_i64() > Some(0) {
                    break;
                }
                assert!(Instant::now() < deadline, "the new field does not come: {row}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
