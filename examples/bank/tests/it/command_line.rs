//! The command line as people and programs meet it: what it says, where, and with which exit code.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::process::Dev;
use crate::real_data::Scratch;

fn bank(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn says(output: &Output, code: i32, says: &[&str]) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for text in says {
        assert!(out.contains(text) || err.contains(text), "{text:?} is not said:\n{out}{err}");
    }
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn commands_streams_and_their_states_from_the_command_line() {
    let dev = Dev::start(&[]);
    let to =
        |arguments: &[&str]| bank(&[arguments, &["--server", &dev.url, "--output", "json"]].concat(), &[]);
    let open = ["command", "account/7", "open", "--data", r#"{"owner": "ada", "overdraft_limit": 0}"#];
    assert_eq!(json(&to(&open))["version"], 1);
    let deposit =
        ["command", "account/7", "deposit", "--data", r#"{"amount": 5}"#, "--if-match", "1", "--key", "k"];
    assert_eq!(json(&to(&deposit))["version"], 2);
    // The same key again: carried out once.
    assert_eq!(json(&to(&deposit))["version"], 2);
    assert_eq!(json(&to(&["streams", "show", "account/7"]))["version"], 2);
    assert_eq!(json(&to(&["streams", "state", "account/7", "--version", "1"]))["data"]["balance"], 0);
    assert_eq!(
        json(&to(&["streams", "events", "account/7", "--dir", "backward", "--limit", "1"]))["events"][0]["version"],
        2
    );
    let human = bank(&["streams", "show", "account/7", "--server", &dev.url], &[]);
    says(&human, 0, &["stream: account/7\n", "version: 2\n"]);

    says(
        &to(&["command", "account/7", "deposit", "--data", r#"{"amount": 5}"#, "--if-match", "1"]),
        6,
        &["precondition-failed"],
    );
    says(&to(&["command", "account/7", "withdraw", "--data", r#"{"amount": 500}"#]), 1, &["not covered"]);
    says(&to(&["streams", "show", "account/8"]), 5, &["no events"]);
    says(&to(&["streams", "show", "account"]), 2, &["CATEGORY/ID"]);
    says(&to(&["command", "account/7", "deposit", "--data", "{"]), 2, &["--data is not JSON"]);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let output = bank(&["streams", "show", "account/7", "--server", "http://127.0.0.1:1"], &[]);
    says(&output, 4, &["http://127.0.0.1:1"]);
    assert!(output.stdout.is_empty());
    says(&bank(&["streams", "show", "account/7", "--server", "bank"], &[]), 4, &["is no address"]);
}

#[test]
fn every_setting_is_shown_with_where_it_is_from() {
    let scratch = Scratch::new("config");
    let file = scratch.path("headwater.toml");
    std::fs::write(&file, "[limits]\nrequests = 7\nconnections = 8\n").unwrap();
    let variables = [
        ("HEADWATER_LIMITS__CONNECTIONS", "9"),
        ("HEADWATER_SEED", "not ours"),
        ("HEADWATER_CLIENT__KEY", "very secret"),
    ];
    let arguments = [
        "config",
        "show",
        "--sources",
        "--config",
        &file,
        "--output",
        "json",
        "--server",
        "http://127.0.0.1:9",
    ];
    let shown = json(&bank(&arguments, &variables));
    let setting = |name: &str| {
        shown["settings"].as_array().unwrap().iter().find(|shown| shown["setting"] == name).unwrap().clone()
    };
    let cases = [
        ("limits.requests", serde_json::json!(7), file.as_str()),
        ("limits.connections", serde_json::json!(9), "variable HEADWATER_LIMITS__CONNECTIONS"),
        ("client.server", serde_json::json!("http://127.0.0.1:9"), "flag --server"),
        ("client.key", serde_json::json!("(hidden)"), "variable HEADWATER_CLIENT__KEY"),
        ("aws.prefix", serde_json::json!("bank"), "default"),
    ];
    for (name, value, source) in cases {
        assert_eq!(
            (&setting(name)["value"], setting(name)["source"].as_str().unwrap()),
            (&value, source),
            "{name}"
        );
    }
    let wrong = [("HEADWATER_LIMITS__REQESTS", "9")];
    says(
        &bank(&["config", "show"], &wrong),
        3,
        &["limits.reqests", "variable HEADWATER_LIMITS__REQESTS", "did you mean limits.requests?"],
    );
}

#[test]
fn a_new_key_lets_its_owner_in_and_nobody_else() {
    let made = json(&bank(
        &["new-key", "ada", "--scopes", "query,command:account,payload", "--output", "json"],
        &[],
    ));
    let scratch = Scratch::new("keys");
    let file = scratch.path("headwater.toml");
    std::fs::write(&file, made["toml"].as_str().unwrap()).unwrap();
    let dev = Dev::start(&["--config", &file]);
    let ask = |arguments: &[&str], key: &str| {
        bank(&[arguments, &["--server", &dev.url]].concat(), &[("HEADWATER_CLIENT__KEY", key)])
    };
    let key = made["key"].as_str().unwrap();
    let open = ["command", "account/7", "open", "--data", r#"{"owner": "ada", "overdraft_limit": 0}"#];
    says(&ask(&open, "hw_of_somebody_else"), 3, &["unauthenticated"]);
    says(&ask(&open, key), 0, &["account/7"]);
    let file = scratch.path("more.ndjson");
    std::fs::write(&file, "{\"stream\":\"account/7\",\"command\":\"deposit\",\"data\":{\"amount\":1}}\n")
        .unwrap();
    says(&ask(&["import", &file], key), 0, &["1 carried out"]);
    says(&bank(&["streams", "show", "account/7", "--server", &dev.url], &[]), 3, &["unauthenticated"]);
    says(
        &bank(&["serve", &format!("--dev={}", dev.url.rsplit(':').next().unwrap())], &[]),
        4,
        &["client.key"],
    );
}

#[test]
fn completions_are_made_for_shells() {
    says(&bank(&["completions", "bash"], &[]), 0, &["_bank"]);
}
