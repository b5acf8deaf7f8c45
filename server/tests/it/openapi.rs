//! The description of the API: what is described exists, what exists is described, and the page stands alone.

use serde_json::Value;

use crate::client::Client;

async fn document(client: &Client) -> Value {
    let reply = client.get("/openapi.json").await;
    assert_eq!(reply.is(200).header("content-type"), Some("application/json"));
    reply.body
}

#[tokio::test]
async fn every_described_operation_exists() {
    let client = Client::new();
    let document = document(&client).await;
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            // Names that nobody has: a route that exists says so itself.
            let mut address = path.clone();
            for (name, value) in [("category", "counter"), ("id", "none"), ("version", "1"), ("slug", "none")]
            {
                address = address.replace(&format!("{{{name}}}"), value);
            }
            let address =
                address.replace("{projection}", "none").replace("{key}", "none").replace("{name}", "none");
            assert!(!address.contains('{'), "{path} has a parameter that this test does not know");
            if method == "head" {
                client.send("HEAD", &address, &[], "").await.is(404);
                continue;
            }
            let status = client.status(&method.to_uppercase(), &address).await;
            let gone = status.1.contains("nothing is at") || status.0 == 405;
            assert!(!gone, "{method} {path} is described and not there: {status:?}");
            for member in ["operationId", "summary", "responses"] {
                assert!(!operation[member].is_null(), "{method} {path} has no {member}");
            }
        }
    }
    assert!(operations > 30, "{operations}");
}

#[tokio::test]
async fn every_reference_of_the_document_leads_somewhere() {
    let client = Client::new();
    let document = document(&client).await;
    let mut references = 0;
    let mut stack = vec![&document];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    references += 1;
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
                }
                stack.extend(members.values());
            }
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    assert!(references > 50, "{references}");
}

#[tokio::test]
async fn types_of_the_application_are_described() {
    let client = Client::new();
    let document = document(&client).await;
    let add = &document["paths"]["/v1/streams/counter/{id}/commands/add"]["post"];
    assert_eq!(
        add["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/counter.add"
    );
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["counter.add"]["properties"]["amount"]["type"], "integer");
    assert_eq!(schemas["counter.Added.v1"]["properties"]["amount"]["type"], "integer");
    let erase = &document["paths"]["/v1/streams/note/{id}/commands/erase"]["post"];
    assert_eq!(erase["x-needs-version"], true);
}

#[tokio::test]
async fn the_page_is_served_from_this_binary_alone() {
    let client = Client::new();
    let redirect = client.raw("/docs").await;
    assert_eq!((redirect.0, redirect.1.get("location").unwrap().to_str().unwrap()), (303, "/docs/"));
    let (status, headers, page) = client.raw("/docs/").await;
    assert_eq!(status, 200);
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    // What the page asks for is here.
    let mut files = 0;
    for part in page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css")) {
        assert!(!part.starts_with("http") && !part.starts_with("//"), "{part} comes from elsewhere");
        let (status, _, body) = client.raw(part).await;
        assert!(status == 200 && !body.is_empty(), "{part}");
        files += 1;
    }
    assert_eq!(files, 2, "{page}");
    for file in ["/docs/page.js", "/docs/page.css"] {
        let text = client.raw(file).await.2;
        assert!(!text.contains("http://") && !text.contains("https://"), "{file} names another place");
    }
    assert_eq!(client.raw("/docs/nothing.js").await.0, 404);
}
