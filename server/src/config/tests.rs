//! Settings from a file and from flags; the environment is looked at in tests of the whole binary.

use super::*;

fn load(text: &str, flags: &[Flag]) -> Result<Config, ConfigError> {
    let name = format!("headwater-{}-{:x}.toml", std::process::id(), fingerprint(text));
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, text).unwrap();
    let config = Config::load("bank", Some(&file), flags);
    std::fs::remove_file(&file).unwrap();
    config
}

fn fingerprint(text: &str) -> u64 {
    headwater::key::Fingerprint::of(&[text.as_bytes()]).0
}

#[test]
fn a_flag_counts_more_than_the_file_and_the_file_more_than_a_default() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nrequests = 7\n";
    let flag = Flag { flag: "--listen", setting: "server.listen", value: "127.0.0.1:2".into() };
    let config = load(text, &[flag]).unwrap();
    let Settings { server, limits, aws, .. } = &config.settings;
    assert_eq!(server.listen.to_string(), "127.0.0.1:2");
    assert_eq!((limits.requests, aws.prefix.as_str(), aws.bucket.as_str()), (7, "bank", "bank-archive"));
    let source = |setting: &str| {
        config.show().into_iter().find(|shown| shown.setting == setting).map(|shown| shown.source).unwrap()
    };
    assert_eq!(source("server.listen"), "flag --listen");
    assert!(source("limits.requests").ends_with(".toml"), "{}", source("limits.requests"));
    assert_eq!(source("limits.connections"), "default");
}

#[test]
fn a_setting_that_is_not_known_or_not_valid_is_named_with_what_to_do() {
    let hash = "0".repeat(64);
    let key = |rest: &str| format!("[[auth.keys]]\nname = \"a\"\n{rest}");
    let cases: [(String, &[&str]); 12] = [
        ("[server]\nlisen = \"x\"".into(), &["server.lisen", ".toml", "did you mean server.listen?"]),
        ("[sever]\nlisten = \"x\"".into(), &["sever", "did you mean server?"]),
        ("[limits]\nwombats = 1".into(), &["limits.wombats", "known are connections, requests"]),
        ("[limits]\nrequests = -1".into(), &["limits.requests"]),
        ("[limits]\nrequests = \"many\"".into(), &["limits.requests", "many"]),
        ("[server]\nlisten = \"here\"".into(), &["server.listen"]),
        ("[server\n".into(), &["cannot be read", ".toml"]),
        (key("sha256 = \"00\"\nscopes = [\"admin\"]"), &["auth.keys", "64 hexadecimal digits"]),
        (key(&format!("sha256 = \"{hash}\"\nscopes = []")), &["auth.keys", "no scopes"]),
        (key(&format!("sha256 = \"{hash}\"\nscopes = [\"root\"]")), &["root", "admin:read"]),
        ("[auth.jwt]\naudience = \"a\"".into(), &["auth.jwt", "jwks or secret"]),
        ("[auth.jwt]\naudience = \"a\"\nsecret = \"short\"".into(), &["auth.jwt.secret", "shorter than 32"]),
    ];
    for (text, says) in cases {
        let error = load(&text, &[]).unwrap_err().to_string();
        for say in says {
            assert!(error.contains(say), "{text}\n{error}\ndoes not say {say:?}");
        }
    }
}

#[test]
fn a_secret_is_never_shown() {
    let secret = "a secret of thirty-two bytes or more";
    let text = format!("[client]\nkey = \"{secret}\"\n[auth.jwt]\naudience = \"a\"\nsecret = \"{secret}\"\n");
    let config = load(&text, &[]).unwrap();
    assert_eq!(config.settings.client.key.as_ref().unwrap().reveal(), secret);
    let shown = format!("{:?} {}", config.settings, serde_json::to_string(&config.show()).unwrap());
    assert!(!shown.contains(secret) && shown.contains("(hidden)"), "{shown}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let error = Config::load("bank", Some("/nowhere/headwater.toml".as_ref()), &[]).unwrap_err();
    assert!(error.to_string().contains("--config"), "{error}");
}

#[test]
fn a_binary_that_cannot_send_traces_says_how_to_build_one_that_can() {
    let otlp = Otlp { endpoint: Some("http://127.0.0.1:4318".to_owned()) };
    assert_eq!(otlp.check(true), Ok(()));
    let error = otlp.check(false).unwrap_err();
    assert!(error.contains("--features headwater-server/otlp"), "{error}");
    assert_eq!(Otlp::default().check(false), Ok(()));

    let loaded = load("[otlp]\nendpoint = \"http://127.0.0.1:4318\"\n", &[]);
    assert_eq!(loaded.is_ok(), cfg!(feature = "otlp"));
    let error = load("[otlp]\nendpoint = \"127.0.0.1:4318\"\n", &[]).unwrap_err().to_string();
    assert!(error.contains("otlp.endpoint") && error.contains(".toml"), "{error}");
}
