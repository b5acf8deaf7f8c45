//! Administration: how projections are doing, parked streams, partitions, the model.

use serde_json::json;

use crate::client::Client;

async fn parked() -> Client {
    let client = Client::new();
    for id in ["x", "y", "z"] {
        client.post(&format!("/v1/streams/note/{id}/commands/write"), r#"{"text": "a"}"#).await.is(201);
        let path = format!("/v1/streams/note/{id}/commands/erase");
        let erased = client.post_with(&path, &[("if-match", "*")], "").await;
        let headers =
            [("consistency-token", erased.header("consistency-token").unwrap()), ("prefer", "wait=20")];
        client
            .send("GET", &format!("/v1/read-models/sore/{id}"), &headers, "")
            .await
            .is_problem(409, "stream-parked");
    }
    client
}

#[tokio::test]
async fn parked_streams_are_listed_and_grouped_by_their_error() {
    let client = parked().await;
    let list = client.get("/v1/admin/parked?projection=sore&limit=2").await;
    assert_eq!(list.is(200).body["parked"][0]["stream"], "note/x");
    assert_eq!(
        (&list.body["parked"][0]["first_failing"], &list.body["parked"][0]["kind"]),
        (&2.into(), &"panic".into())
    );
    assert_eq!(list.body["parked"][0]["message"], "this hurts");
    let rest = client.get("/v1/admin/parked?projection=sore&after=note/y").await;
    assert_eq!((&list.body["next"], rest.body["parked"].as_array().unwrap().len()), (&"note/y".into(), 1));
    let groups = client.get("/v1/admin/parked/groups?projection=sore").await;
    let group = &groups.is(200).body["groups"][0];
    assert_eq!(
        (&group["streams"], &group["events"], &groups.body["complete"]),
        (&3.into(), &3.into(), &true.into())
    );
    let shown = client.get("/v1/admin/projections/sore").await;
    assert_eq!(shown.is(200).body["parked"], json!({"streams": 3, "complete": true}));
}

#[tokio::test]
async fn an_order_counts_first_and_is_carried_out_when_the_count_is_confirmed() {
    let client = parked().await;
    let discard = "/v1/admin/parked/discard";
    let counted = client.post(discard, r#"{"projection": "sore", "reason": "a test"}"#).await;
    assert_eq!((&counted.is(200).body["count"], &counted.body["confirmed"]), (&3.into(), &false.into()));
    let wrong =
        client.post(discard, r#"{"projection": "sore", "reason": "a test", "confirm_count": 2}"#).await;
    wrong.is_problem(409, "count-changed").says("3 parked streams match");
    let retried = client
        .post("/v1/admin/parked/retry", r#"{"projection": "sore", "reason": "hope", "confirm_count": 3}"#)
        .await;
    assert_eq!(retried.is(200).body["outcomes"], json!({"parked": 3}), "the code is as it was");
    let one =
        json!({"projection": "sore", "stream": "note/y", "reason": "a test", "confirm_count": 1}).to_string();
    assert_eq!(client.post(discard, &one).await.is(200).body["outcomes"], json!({"applied": 1}));
    let groups = client.get("/v1/admin/parked/groups?projection=sore").await;
    let fingerprint = groups.body["groups"][0]["fingerprint"].as_str().unwrap();
    let rest =
        json!({"projection": "sore", "fingerprint": fingerprint, "reason": "a test", "confirm_count": 2});
    assert_eq!(client.post(discard, &rest.to_string()).await.is(200).body["outcomes"], json!({"applied": 2}));
    assert_eq!(client.get("/v1/admin/parked?projection=sore").await.body["parked"], json!([]));
    assert_eq!(client.get("/v1/read-models/sore/x").await.is(200).body["version"], 2);
}

#[tokio::test]
async fn orders_that_make_no_sense_are_named_and_change_nothing() {
    let client = parked().await;
    for (path, body, status, slug) in [
        ("discard", r#"{"projection": "sore"}"#, 400, "invalid-request"),
        ("discard", r#"{"projection": "sore", "reason": " "}"#, 400, "invalid-request"),
        ("discard", r#"{"projection": "none", "reason": "r"}"#, 404, "not-found"),
        ("discard", r#"{"projection": "sore", "reason": "r", "until": 5}"#, 400, "invalid-request"),
        (
            "retry",
            r#"{"projection": "sore", "reason": "r", "stream": "note/x", "until": 5}"#,
            400,
            "invalid-request",
        ),
        ("retry", r#"{"projection": "sore", "reason": "r", "fingerprint": "zz"}"#, 400, "invalid-request"),
        ("retry", r#"{"projection": "sore", "reason": "r", "stream": "x"}"#, 400, "invalid-request"),
        ("retry", r#"{"projection": "sore", "reason": "r", "confirm": 3}"#, 400, "invalid-request"),
    ] {
        client.post(&format!("/v1/admin/parked/{path}"), body).await.is_problem(status, slug);
    }
    for query in ["", "projection=sore&limit=0", "projection=sore&after=x", "projection=sore&x=1"] {
        client.get(&format!("/v1/admin/parked?{query}")).await.is_problem(400, "invalid-request");
    }
    client.get("/v1/admin/parked?projection=none").await.is_problem(404, "not-found");
    client.get("/v1/admin/projections/none").await.is_problem(404, "not-found");
    client.post("/v1/admin/projections/none/pause", r#"{"reason": "r"}"#).await.is_problem(404, "not-found");
    client.post("/v1/admin/projections/sore/pause", "{}").await.is_problem(400, "invalid-request");
    assert_eq!(client.get("/v1/admin/parked/groups?projection=sore").await.body["groups"][0]["streams"], 3);
}

#[tokio::test]
async fn projections_and_partitions_tell_how_they_are() {
    let client = Client::new();
    let token = client.add("a", 1).await.header("consistency-token").unwrap().to_owned();
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=20")];
    client.send("GET", "/v1/read-models/values/a", &headers, "").await.is(200);
    let paused = client.post("/v1/admin/projections/values/pause", r#"{"reason": "a test"}"#).await;
    assert_eq!(paused.is(200).body["state"], "paused");
    let list = client.get("/v1/admin/projections").await;
    let states: Vec<_> =
        list.is(200).body["projections"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(states, ["values", "sum", "sore"], "in the order of the application");
    assert_eq!(list.body["projections"][2]["partitions"], json!(null), "a list is short");
    let partitions = client.get("/v1/admin/partitions").await;
    assert_eq!(partitions.is(200).body["partitions"].as_array().unwrap().len(), 16);
    let one = client.get("/v1/admin/projections/sum").await;
    assert_eq!(one.is(200).body["partitions"].as_array().unwrap().len(), 16);
}

#[tokio::test]
async fn the_model_is_described_with_its_schemas() {
    let client = Client::new();
    let model = client.get("/v1/admin/describe").await;
    let counter = &model.is(200).body["aggregates"][0];
    assert_eq!((&counter["category"], &counter["snapshot"]["every"]), (&"counter".into(), &10.into()));
    assert_eq!(counter["commands"][0]["name"], "add");
    assert_eq!(counter["commands"][0]["schema"]["properties"]["amount"]["type"], "integer");
    assert_eq!(counter["events"][0]["type"], "Added");
    let note = &model.body["aggregates"][1]["commands"];
    assert_eq!((&note[1]["name"], &note[1]["needs_version"]), (&"erase".into(), &true.into()));
    assert_eq!(model.body["projections"][2]["indexes"], json!(["value"]));
}

#[tokio::test]
async fn generations_are_promoted_and_gone_back_from_when_there_are_any() {
    let client = Client::new();
    let token = client.add("a", 1).await.header("consistency-token").unwrap().to_owned();
    let (promote, rollback) = ("/v1/admin/projections/sum/promote", "/v1/admin/projections/sum/rollback");
    // The directory knows the first generation once the runner has deployed it.
    let headers = [("consistency-token", token.as_str()), ("prefer", "wait=20")];
    client.send("GET", "/v1/read-models/values/a", &headers, "").await.is(200);
    let order = |generation: u32| json!({"generation": generation, "reason": "a test"}).to_string();
    let live = client.post(promote, &order(1)).await;
    assert_eq!((&live.is(200).body["live"], &live.body["projection"]), (&1.into(), &"sum".into()));
    assert_eq!(
        live.body["generations"],
        json!([{"generation": 1, "version": 1, "live": true, "filling": false}])
    );
    client.post(promote, &order(7)).await.is_problem(404, "not-found").says("no generation 7");
    let back = client.post(rollback, r#"{"reason": "a test"}"#).await;
    back.is_problem(409, "not-switched").says("no generation before 1");
    for (path, body) in [
        (promote, r#"{"reason": "r"}"#),
        (promote, r#"{"generation": 1}"#),
        (promote, r#"{"generation": 1, "reason": " "}"#),
        (promote, r#"{"generation": -1, "reason": "r"}"#),
        (rollback, "{}"),
        (rollback, r#"{"reason": "r", "generation": 1}"#),
    ] {
        client.post(path, body).await.is_problem(400, "invalid-request");
    }
    for verb in ["promote", "rollback"] {
        let body = if verb == "promote" { order(1) } else { r#"{"reason": "r"}"#.to_owned() };
        client.post(&format!("/v1/admin/projections/none/{verb}"), &body).await.is_problem(404, "not-found");
    }
}
