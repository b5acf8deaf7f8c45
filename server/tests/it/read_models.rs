//! Read models: the catalogue and rows by key.

use std::time::Duration;

use crate::client::{Client, Reply};

/// Asks until a row has a version, a few seconds at most.
async fn row_at(client: &Client, path: &str, version: u64) -> Reply {
    for _ in 0..500 {
        let reply = client.get(path).await;
        if reply.body["version"].as_u64() >= Some(version) {
            return reply;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} did not reach version {version}");
}

#[tokio::test]
async fn a_row_has_key_version_and_data() {
    let client = Client::new();
    for _ in 0..3 {
        client.post("/v1/streams/counter/a/commands/add", r#"{"amount": 2}"#).await;
    }
    let row = row_at(&client, "/v1/read-models/values/a", 3).await;
    assert_eq!(row.body, serde_json::json!({"key": "a", "version": 3, "data": {"value": 6}}));
    assert_eq!(row.header("etag"), Some("\"g1.3\""));
    client.send("GET", "/v1/read-models/values/a", &[("if-none-match", "\"g1.3\"")], "").await.is(304);
}

#[tokio::test]
async fn a_row_may_be_fed_by_many_streams() {
    let client = Client::new();
    for id in ["a", "b", "c"] {
        client.post(&format!("/v1/streams/counter/{id}/commands/add"), r#"{"amount": 2}"#).await;
    }
    for _ in 0..500 {
        let row = client.get("/v1/read-models/sum/all").await;
        if row.body["data"]["added"] == 6 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the sum was not reached");
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let client = Client::new();
    client.get("/v1/read-models/values/none").await.is_problem(404, "not-found").says("none");
    client.get("/v1/read-models/nothing/a").await.is_problem(404, "not-found").says("values");
    let catalogue = client.get("/v1/read-models").await;
    let names = |model: &serde_json::Value| model["name"].as_str().unwrap().to_owned();
    let names: Vec<_> = catalogue.body["read_models"].as_array().unwrap().iter().map(names).collect();
    assert_eq!(names, ["sore", "sum", "values"]);
    let values = &catalogue.body["read_models"][2];
    assert_eq!(values["indexes"], serde_json::json!(["value"]));
    assert_eq!(values["categories"], serde_json::json!(["counter"]));
    assert_eq!((&values["generation"], &values["version"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn rows_are_listed_by_key_and_by_index_without_hole_or_overlap() {
    let client = Client::new();
    for (id, amount) in [("a", 5), ("b", 3), ("c", 9), ("d", 3), ("e", 7)] {
        client.add(id, amount).await;
        row_at(&client, &format!("/v1/read-models/values/{id}"), 1).await;
    }
    for (query, expected) in [
        ("", "abcde"),
        ("index=value", "bdaec"),
        ("index=value&dir=desc", "ceadb"),
        ("index=value&eq=3", "bd"),
        ("index=value&from=5", "aec"),
        ("index=value&above=5", "ec"),
        ("index=value&from=3&below=7", "bda"),
        ("index=value&to=5&dir=desc", "adb"),
        ("index=value&eq=%223%22", ""),
        ("index=value&eq=three", ""),
    ] {
        for limit in [1, 2, 100] {
            let (mut keys, mut cursor) = (String::new(), String::new());
            loop {
                let path = format!("/v1/read-models/values?limit={limit}&{query}{cursor}");
                let page = client.get(&path).await;
                page.is(200);
                for row in page.body["rows"].as_array().unwrap() {
                    keys.push_str(row["key"].as_str().unwrap());
                }
                match page.body["next"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            // Rows of one value come by key, whichever end comes first.
            let sorted = |text: &str| -> String {
                let mut letters: Vec<_> = text.chars().collect();
                letters.sort_unstable();
                letters.into_iter().collect()
            };
            if query.contains("desc") {
                assert_eq!(sorted(&keys), sorted(expected), "{query} by {limit}");
                assert_eq!(keys.chars().next(), expected.chars().next(), "{query} by {limit}");
            } else {
                assert_eq!(keys, expected, "{query} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn questions_that_make_no_sense_are_named() {
    let client = Client::new();
    for (query, says) in [
        ("index=nothing", "known are: value"),
        ("eq=5", "name the index"),
        ("dir=desc", "name the index"),
        ("index=value&eq=1&from=2", "not both"),
        ("index=value&from=1&above=2", "not both"),
        ("index=value&from=1&to=text", "kind"),
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("cursor=abc", "begin again without a cursor"),
        ("indx=value", "unknown field"),
    ] {
        let reply = client.get(&format!("/v1/read-models/values?{query}")).await;
        reply.is(400).says(says);
    }
}
