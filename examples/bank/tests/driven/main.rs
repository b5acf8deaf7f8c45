//! The HTTP API, driven from its OpenAPI description with generated good and bad requests by a program that is not ours.
//!
//! `cargo xtask test` installs it and runs this test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::{Command, Stdio};

/// How long it may generate requests, in seconds.
const BUDGET_SECONDS: &str = "90";

/// What every answer is held against: none is a mistake of the server, each is described with its status, type, headers
/// and body, and methods that are not described are refused.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,unsupported_method,\
                      allow_header_conformance";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_good_and_bad_requests_as_it_is_described() {
    let program = std::env::var("HEADWATER_SCHEMATHESIS").unwrap_or_else(|_| {
        panic!(
            "HEADWATER_SCHEMATHESIS does not say where schemathesis is: run the tests with `cargo xtask test`"
        )
    });
    let (router, runner) = bank::app().in_memory().unwrap();
    tokio::spawn(runner.run(std::future::pending::<()>()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    // Something to be found.
    let http = reqwest::Client::new();
    for id in ["0", "a"] {
        let open = format!("{url}/v1/streams/account/{id}/commands/open");
        let opened = http.post(open).body(r#"{"owner": "Ada", "overdraft_limit": 0}"#).send().await.unwrap();
        assert_eq!(opened.status(), 201);
    }
    let mut command = Command::new(program);
    command
        .args(["run", &format!("{url}/openapi.json"), "--checks", CHECKS, "--max-time", BUDGET_SECONDS])
        .args(["--max-examples", "40", "--seed", "7", "--no-shrink", "--request-timeout", "35"])
        .args(["--phases", "coverage,fuzzing", "--suppress-health-check", "all", "--warnings", "off"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{printed}");
}
