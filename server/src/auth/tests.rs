//! Who is let through, over the real routes.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use headwater::testing::counter::Counter;
use headwater_projections::Runner;
use headwater_projections::rows::MemoryRows;
use headwater_store_memory::MemoryStore;
use http_body_util::BodyExt;
use jsonwebtoken::jwk::JwkSet;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt;

use super::settings::{ApiKey, Jwt};
use super::*;
use crate::App;
use crate::config::Secret;
use crate::services::Surroundings;

/// Every built-in route, and what it needs. One that is added and is not here fails the test of the OpenAPI document.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/v1/streams/counter/a/commands/add", "command:counter"),
    ("GET", "/v1/streams/counter/a", "query"),
    ("GET", "/v1/streams/counter/a/state", "query payload"),
    ("GET", "/v1/streams/counter/a/events", "query payload"),
    ("GET", "/v1/read-models", ""),
    ("GET", "/v1/read-models/values/a", "query:values"),
    ("GET", "/v1/admin/config", "admin:read"),
    ("GET", "/metrics", "admin:read"),
];
const OPEN: &[&str] = &["/livez", "/readyz"];
const SCOPES: &[&str] = &[
    "command",
    "command:counter",
    "command:other",
    "query",
    "query:values",
    "query:other",
    "payload",
    "admin:read",
    "admin",
];

fn router(settings: &AuthSettings, anywhere: bool) -> Router {
    let store = Arc::new(MemoryStore::new());
    let runner = Runner::new(store.clone(), store.clone(), Arc::new(MemoryRows::new()));
    let surroundings =
        Surroundings { auth: Auth::new(settings, anywhere), ..Surroundings::memory("counters") };
    App::new("counters").aggregate::<Counter>().on(surroundings, store, runner).unwrap().0
}

async fn ask(router: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let request =
        headers.iter().fold(Request::builder().method(method).uri(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    let response =
        router.clone().oneshot(request.body(Body::from(r#"{"amount": 1}"#)).unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn key_with(scopes: &[&str]) -> (String, AuthSettings) {
    let (key, sha256) = new_key().unwrap();
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    let keys = vec![ApiKey { name: "ada".to_owned(), sha256: Secret::new(sha256), scopes }];
    (key, AuthSettings { keys, jwt: None })
}

#[tokio::test]
async fn every_route_lets_through_whoever_has_its_scopes_and_nobody_else() {
    for scope in SCOPES {
        let (key, settings) = key_with(&[scope, "payload"]);
        let router = router(&settings, false);
        let bearer = format!("Bearer {key}");
        for (method, path, needs) in ROUTES {
            let (status, body) = ask(&router, method, path, &[("authorization", &bearer)]).await;
            let has: Vec<Scope> = [*scope, "payload"].iter().map(|scope| scope.parse().unwrap()).collect();
            let allowed = needs.split_whitespace().all(|need| {
                let need = need.parse().unwrap();
                has.iter().any(|has| has.covers(&need))
            });
            assert_eq!(status != StatusCode::FORBIDDEN, allowed, "{scope} {method} {path}: {status} {body}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{scope} {method} {path}");
        }
    }
}

#[tokio::test]
async fn payloads_need_a_scope_of_their_own() {
    let (key, settings) = key_with(&["query"]);
    let router = router(&settings, false);
    let bearer = format!("Bearer {key}");
    for (method, path, needs) in ROUTES.iter().filter(|(.., needs)| needs.contains("query")) {
        let (status, body) = ask(&router, method, path, &[("authorization", &bearer)]).await;
        assert_eq!(status == StatusCode::FORBIDDEN, needs.contains("payload"), "{method} {path} {body}");
    }
}

#[tokio::test]
async fn whoever_says_nothing_or_something_wrong_is_not_let_in() {
    let (key, settings) = key_with(&["admin", "command", "query", "payload"]);
    let router = router(&settings, false);
    let (longer, basic) = (format!("Bearer {key}0"), format!("Basic {key}"));
    let wrong: [&[(&str, &str)]; 7] = [
        &[],
        &[("authorization", "")],
        &[("authorization", "Bearer")],
        &[("authorization", "Bearer hw_")],
        &[("authorization", &longer)],
        &[("authorization", &basic)],
        &[("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.")],
    ];
    for headers in wrong {
        for (method, path, _) in ROUTES {
            let (status, body) = ask(&router, method, path, headers).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {headers:?}");
            assert_eq!(body["type"], "/problems/unauthenticated");
        }
        for path in OPEN {
            assert_eq!(ask(&router, "GET", path, headers).await.0, StatusCode::OK, "{path}");
        }
    }
    let good = format!("bearer {key}");
    for (method, path, _) in ROUTES {
        let (status, body) = ask(&router, method, path, &[("authorization", &good)]).await;
        assert!(status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN, "{path} {body}");
    }
}

#[tokio::test]
async fn a_page_of_somebody_else_cannot_ask_a_server_of_this_machine() {
    let router = router(&AuthSettings::default(), false);
    for headers in [[("host", "evil.example")], [("origin", "https://evil.example")], [("origin", "null")]] {
        let (status, body) = ask(&router, "GET", "/v1/read-models", &headers).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(body["detail"].as_str().unwrap().contains("this machine"), "{body}");
    }
    for headers in [[("host", "localhost:8080")], [("origin", "http://127.0.0.1:8080")]] {
        assert_eq!(ask(&router, "GET", "/v1/read-models", &headers).await.0, StatusCode::OK, "{headers:?}");
    }
}

const SECRET: &str = "a secret of thirty-two bytes or more";

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for letter in 0..=chunk.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * letter)) as usize & 63]));
        }
    }
    text
}

fn token(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message =
        format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let signature = base64(&sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn hs256(message: &[u8]) -> Vec<u8> {
    ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes()), message)
        .as_ref()
        .to_vec()
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn claims(change: &Value) -> Value {
    let mut claims = json!({"sub": "ada", "aud": "bank", "iss": "https://id.example", "exp": now() + 600, "scope": "query openid"});
    claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn a_token_is_accepted_when_everything_about_it_is_right() {
    let jwt = Jwt {
        audience: "bank".to_owned(),
        issuer: Some("https://id.example".to_owned()),
        jwks: None,
        secret: Some(Secret::new(SECRET)),
    };
    let router = router(&AuthSettings { keys: Vec::new(), jwt: Some(jwt) }, false);
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let path = "/v1/streams/counter/a";
    let good = [json!({}), json!({"scope": null, "scopes": ["query"]}), json!({"aud": ["other", "bank"]})];
    for change in good {
        let bearer = format!("Bearer {}", token(&header, &claims(&change), hs256));
        let (status, body) = ask(&router, "GET", path, &[("authorization", &bearer)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{change} {body}");
    }
    let bad = [
        (json!({"exp": now() - 600}), "expired"),
        (json!({"exp": "never"}), ""),
        (json!({"nbf": now() + 600}), "not valid yet"),
        (json!({"aud": "other"}), "aud"),
        (json!({"aud": null}), ""),
        (json!({"iss": "https://evil.example"}), "iss"),
        (json!({"sub": null}), ""),
    ];
    for (change, says) in bad {
        let bearer = format!("Bearer {}", token(&header, &claims(&change), hs256));
        let (status, body) = ask(&router, "GET", path, &[("authorization", &bearer)]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{change} {body}");
        assert!(body["detail"].as_str().unwrap().contains(says), "{change} {body}");
    }
    let forged = [
        token(&header, &claims(&json!({})), |_| vec![0; 32]),
        token(&json!({"alg": "none"}), &claims(&json!({})), |_| Vec::new()),
        token(&json!({"alg": "HS384"}), &claims(&json!({})), hs256),
        "a.b.c".to_owned(),
        "x".repeat(20_000),
    ];
    for token in forged {
        let bearer = format!("Bearer {token}");
        let (status, body) = ask(&router, "GET", path, &[("authorization", &bearer)]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
    }
    let bearer = format!("Bearer {}", token(&header, &claims(&json!({})), hs256));
    let (status, _) = ask(&router, "GET", "/v1/admin/config", &[("authorization", &bearer)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_signed_with_a_published_key_is_accepted_and_the_key_is_no_shared_secret() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
        "x": base64(&point[1..33]), "y": base64(&point[33..])}]});
    serde_json::from_value::<JwkSet>(jwks.clone()).unwrap();
    let file = std::env::temp_dir().join(format!("headwater-jwks-{}.json", std::process::id()));
    std::fs::write(&file, jwks.to_string()).unwrap();
    let jwt = Jwt {
        audience: "bank".to_owned(),
        issuer: None,
        jwks: Some(file.display().to_string()),
        secret: None,
    };
    let router = router(&AuthSettings { keys: Vec::new(), jwt: Some(jwt) }, false);
    let es256 = |message: &[u8]| pair.sign(&random, message).unwrap().as_ref().to_vec();
    let with_point = |message: &[u8]| {
        ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, point), message).as_ref().to_vec()
    };
    type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let cases: [(Value, Sign<'_>, StatusCode); 5] = [
        (json!({"alg": "ES256", "kid": "k1"}), &es256, StatusCode::NOT_FOUND),
        (json!({"alg": "ES256"}), &es256, StatusCode::NOT_FOUND),
        (json!({"alg": "ES256", "kid": "k2"}), &es256, StatusCode::UNAUTHORIZED),
        (json!({"alg": "HS256", "kid": "k1"}), &with_point, StatusCode::UNAUTHORIZED),
        (json!({"alg": "ES384", "kid": "k1"}), &es256, StatusCode::UNAUTHORIZED),
    ];
    for (header, sign, expected) in cases {
        let bearer = format!("Bearer {}", token(&header, &claims(&json!({})), sign));
        let (status, body) =
            ask(&router, "GET", "/v1/streams/counter/a", &[("authorization", &bearer)]).await;
        assert_eq!(status, expected, "{header} {body}");
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn keys_that_cannot_be_loaded_are_not_the_fault_of_a_token() {
    let jwt = Jwt {
        audience: "bank".to_owned(),
        issuer: None,
        jwks: Some("/nowhere/jwks.json".to_owned()),
        secret: None,
    };
    let router = router(&AuthSettings { keys: Vec::new(), jwt: Some(jwt) }, false);
    let bearer = format!("Bearer {}", token(&json!({"alg": "ES256"}), &claims(&json!({})), hs256));
    let (status, body) = ask(&router, "GET", "/v1/streams/counter/a", &[("authorization", &bearer)]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
}
