//! The examples of `docs/http.md`, sent over a real socket in the order they stand there.

use std::collections::BTreeMap;

use serde_json::Value;

/// What may stand for anything.
const ANYTHING: &str = "…";

struct Example {
    line: usize,
    request: Vec<String>,
    expected: Vec<String>,
}

/// The blocks marked `http`.
fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        match line {
            "```http" => {
                inside = true;
                examples.push(Example { line: index + 1, request: Vec::new(), expected: Vec::new() });
            }
            "```" => inside = false,
            _ if inside => {
                let example = examples.last_mut().unwrap();
                if let Some(sent) = line.strip_prefix('>') {
                    example.request.push(sent.trim_start().to_owned());
                } else if let Some(expected) = line.strip_prefix('<') {
                    example.expected.push(expected.trim_start().to_owned());
                }
            }
            _ => {}
        }
    }
    examples
}

/// Whether a document has everything that is expected; lists may go on.
fn fits(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::String(text), _) if text == ANYTHING => !got.is_null(),
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(name, value)| got.get(name).is_some_and(|got| fits(value, got)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            let some = got.len() >= expected.len() && (got.is_empty() || !expected.is_empty());
            some && expected.iter().zip(got).all(|(expected, got)| fits(expected, got))
        }
        (expected, got) => expected == got,
    }
}

#[tokio::test]
async fn the_examples_of_the_page_about_http_come_true() {
    let (router, runner) = bank::app().in_memory().unwrap();
    tokio::spawn(runner.run(std::future::pending::<()>()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    let http = reqwest::Client::new();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/http.md")).unwrap();
    let examples = examples(&text);
    assert!(examples.len() >= 18, "{} examples were found", examples.len());
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for Example { line, request, expected } in examples {
        let filled = |text: &str| {
            kept.iter()
                .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let (method, path) = request[0].split_once(' ').unwrap();
        let mut builder = http.request(method.parse().unwrap(), format!("{url}{path}"));
        let head = request.iter().skip(1).take_while(|line| !line.is_empty());
        for (name, value) in head.map(|line| line.split_once(": ").unwrap()) {
            builder = builder.header(name, filled(value));
        }
        let body: Vec<_> = request.iter().skip_while(|line| !line.is_empty()).cloned().collect();
        let reply = builder.body(body.join("\n")).send().await.unwrap();
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body: Value = reply.json().await.unwrap_or_default();
        assert_eq!(status.to_string(), expected[0], "example of line {line}: {body}");
        for expected in &expected[1..] {
            if expected.starts_with('{') {
                let expected: Value = serde_json::from_str(expected).unwrap();
                assert!(fits(&expected, &body), "example of line {line}: {body} does not fit {expected}");
                continue;
            }
            let (name, value) = expected.split_once(": ").unwrap();
            let got = headers.get(name).unwrap_or_else(|| panic!("example of line {line}: no {name}"));
            let got = got.to_str().unwrap();
            match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
                Some(name) => {
                    kept.insert(name.to_owned(), got.to_owned());
                }
                None => assert!(value == ANYTHING || value == got, "example of line {line}: {name}: {got}"),
            }
        }
    }
}
