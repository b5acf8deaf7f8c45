//! The dependency arrows between the packages, and which package may know AWS, HTTP or a runtime.
//!
//! Arrows are normal and build dependencies. A test may use anything.

use serde_json::Value;

use super::violation::Violation;

/// What a package of the workspace may depend on.
struct Layer {
    package: &'static str,
    /// The packages of this workspace it may use.
    may_use: &'static [&'static str],
    /// Whether it may talk to AWS.
    aws: bool,
    /// Whether it may speak HTTP.
    http: bool,
}

const DERIVE: &str = "headwater-derive";
const CORE: &str = "headwater";
const MEMORY: &str = "headwater-store-memory";
const AWS: &str = "headwater-aws";
const KINESIS: &str = "headwater-store-kinesis";
const LOCAL: &str = "headwater-local";
const PROJECTIONS: &str = "headwater-projections";
const ARCHIVE: &str = "headwater-archive";
const PROJECTIONS_DYNAMODB: &str = "headwater-projections-dynamodb";
const SERVER: &str = "headwater-server";

/// The arrows: a package not named here is a violation until somebody decides where it stands.
const LAYERS: [Layer; 11] = [
    Layer { package: DERIVE, may_use: &[], aws: false, http: false },
    Layer { package: CORE, may_use: &[DERIVE], aws: false, http: false },
    Layer { package: MEMORY, may_use: &[CORE], aws: false, http: false },
    Layer { package: AWS, may_use: &[CORE], aws: true, http: false },
    Layer { package: KINESIS, may_use: &[CORE, AWS], aws: true, http: false },
    Layer { package: LOCAL, may_use: &[], aws: false, http: true },
    Layer { package: PROJECTIONS, may_use: &[CORE], aws: false, http: false },
    Layer { package: ARCHIVE, may_use: &[CORE, AWS, PROJECTIONS], aws: true, http: false },
    Layer { package: PROJECTIONS_DYNAMODB, may_use: &[CORE, AWS, PROJECTIONS], aws: true, http: false },
    Layer {
        package: SERVER,
        may_use: &[CORE, MEMORY, AWS, KINESIS, LOCAL, PROJECTIONS, ARCHIVE, PROJECTIONS_DYNAMODB],
        aws: true,
        http: true,
    },
    Layer {
        package: "bank",
        may_use: &[CORE, DERIVE, MEMORY, KINESIS, PROJECTIONS, SERVER],
        aws: false,
        http: true,
    },
];

/// Packages that nothing ships with and that may use what they need.
const FREE: [&str; 6] = [
    "xtask",
    "headwater-account",
    "headwater-benches",
    "headwater-units",
    "headwater-workload",
    "headwater-proof",
];

/// The only feature of core that may switch on a runtime.
const TESTING: &str = "testing";

/// Whether a crate is one of AWS's.
pub(crate) fn is_aws(name: &str) -> bool {
    name.starts_with("aws-")
}

/// Whether a crate speaks HTTP.
pub(crate) fn is_http(name: &str) -> bool {
    let crates = ["axum", "hyper", "hyper-util", "http-body-util", "tower-http", "reqwest"];
    crates.contains(&name) || name.starts_with("axum-")
}

/// Checks the output of `cargo metadata --no-deps`.
///
/// # Errors
/// A sentence, when it is not what cargo prints.
pub(crate) fn check(metadata: &str) -> Result<Vec<Violation>, String> {
    let metadata: Value = serde_json::from_str(metadata)
        .map_err(|reason| format!("the metadata of cargo is not JSON: {reason}"))?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let packages = packages.ok_or("the metadata of cargo names no packages")?;
    let members: Vec<&str> = packages.iter().map(|package| text(package, "name")).collect();
    Ok(packages.iter().flat_map(|package| check_package(package, &members)).collect())
}

fn check_package(package: &Value, members: &[&str]) -> Vec<Violation> {
    let name = text(package, "name");
    if FREE.contains(&name) {
        return Vec::new();
    }
    let Some(layer) = LAYERS.iter().find(|layer| layer.package == name) else {
        let message = "this package has no place in the arrows: add it to LAYERS in xtask/src/tidy/arrows.rs and to \
                       ARCHITECTURE.md";
        return vec![Violation::new(name, message)];
    };
    let dependencies = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let shipped = dependencies.filter(|dependency| text(dependency, "kind") != "dev");
    let mut messages: Vec<String> =
        shipped.filter_map(|dependency| check_dependency(layer, dependency, members)).collect();
    if name == CORE {
        messages.extend(check_features(package));
    }
    messages.into_iter().map(|message| Violation::new(name, message)).collect()
}

fn check_dependency(layer: &Layer, dependency: &Value, members: &[&str]) -> Option<String> {
    let name = text(dependency, "name");
    let optional = dependency.get("optional").and_then(Value::as_bool).unwrap_or_default();
    if members.contains(&name) && !layer.may_use.contains(&name) {
        let allowed = if layer.may_use.is_empty() { "none".to_owned() } else { layer.may_use.join(", ") };
        return Some(format!(
            "it depends on {name}, against the arrows; of this workspace it may use: {allowed}. Move the code to \
             the side that may know both, or put a trait into core"
        ));
    }
    if is_aws(name) && !layer.aws {
        let allowed = LAYERS.iter().filter(|layer| layer.aws).map(|layer| layer.package);
        let allowed = allowed.collect::<Vec<_>>().join(", ");
        return Some(format!("it depends on {name}; only these talk to AWS: {allowed}. Move the call there"));
    }
    if is_http(name) && !layer.http {
        return Some(format!(
            "it depends on {name}; only {SERVER} and the examples speak HTTP: move the code there"
        ));
    }
    if layer.package == CORE && name == "tokio" && !optional {
        return Some(format!(
            "it depends on tokio; make it optional and let only feature `{TESTING}` switch it on"
        ));
    }
    None
}

/// Core's features: a runtime only by `testing`, and `testing` by no other feature.
fn check_features(package: &Value) -> Vec<String> {
    let features = package.get("features").and_then(Value::as_object).into_iter().flatten();
    let others = features.filter(|(feature, _)| !["tokio", TESTING].contains(&feature.as_str()));
    let switches = others.flat_map(|(feature, on)| {
        let on = on.as_array().into_iter().flatten().filter_map(Value::as_str);
        on.map(move |on| (feature, on))
    });
    switches
        .filter(|(_, on)| ["dep:tokio", "tokio", TESTING].contains(on) || on.starts_with("tokio/"))
        .map(|(feature, on)| {
            format!("its feature `{feature}` switches on `{on}`; only `{TESTING}` may bring a runtime")
        })
        .collect()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every violation in a workspace of bare packages and one package with dependencies and features.
    fn violations(package: &str, dependencies: &Value, features: &Value) -> Vec<String> {
        let names = LAYERS.iter().map(|layer| layer.package).filter(|name| *name != package);
        let mut packages: Vec<Value> = names.map(|name| json!({"name": name})).collect();
        packages.push(json!({"name": package, "dependencies": dependencies, "features": features}));
        let violations = check(&json!({"packages": packages}).to_string()).expect("it is metadata");
        violations.iter().map(ToString::to_string).collect()
    }

    /// A package with one normal dependency breaks a rule whose message holds these words; no words, no violation.
    fn check_one(package: &str, dependency: &str, words: &[&str]) {
        let found = violations(package, &json!([{"name": dependency, "kind": null}]), &json!({}));
        assert_eq!(found.len(), usize::from(!words.is_empty()), "{package} -> {dependency}: {found:?}");
        let text = found.concat();
        assert!(words.iter().all(|word| text.contains(word)), "{package} -> {dependency}: {text}");
    }

    #[test]
    fn the_arrows_of_the_design_are_allowed() {
        for (from, to) in [
            (CORE, DERIVE),
            (MEMORY, CORE),
            (AWS, CORE),
            (KINESIS, CORE),
            (KINESIS, AWS),
            (PROJECTIONS, CORE),
            (PROJECTIONS_DYNAMODB, PROJECTIONS),
            (ARCHIVE, PROJECTIONS),
            (SERVER, ARCHIVE),
            (PROJECTIONS_DYNAMODB, AWS),
            (SERVER, PROJECTIONS),
            ("bank", SERVER),
            ("bank", MEMORY),
        ] {
            check_one(from, to, &[]);
        }
    }

    #[test]
    fn any_other_arrow_is_refused() {
        check_one(DERIVE, CORE, &["headwater-derive: it depends on headwater,", "may use: none"]);
        check_one(CORE, MEMORY, &["headwater: it depends on headwater-store-memory"]);
        check_one(MEMORY, KINESIS, &["against the arrows"]);
        check_one(KINESIS, MEMORY, &["against the arrows"]);
        check_one(PROJECTIONS, SERVER, &["against the arrows"]);
        check_one(PROJECTIONS, PROJECTIONS_DYNAMODB, &["against the arrows"]);
        check_one(PROJECTIONS_DYNAMODB, KINESIS, &["against the arrows"]);
        check_one(ARCHIVE, KINESIS, &["against the arrows"]);
        check_one(MEMORY, DERIVE, &["against the arrows"]);
    }

    #[test]
    fn aws_stays_in_the_backends_and_the_server() {
        for package in [AWS, KINESIS, ARCHIVE, PROJECTIONS_DYNAMODB, SERVER] {
            check_one(package, "aws-sdk-dynamodb", &[]);
        }
        for package in [CORE, MEMORY, LOCAL, PROJECTIONS, "bank"] {
            check_one(package, "aws-sdk-s3", &["only these talk to AWS", KINESIS, PROJECTIONS_DYNAMODB]);
        }
    }

    #[test]
    fn http_stays_in_the_server_and_the_examples() {
        check_one(SERVER, "axum", &[]);
        check_one("bank", "reqwest", &[]);
        check_one(CORE, "hyper", &["speak HTTP"]);
        check_one(PROJECTIONS, "reqwest", &["speak HTTP"]);
        check_one(MEMORY, "axum-extra", &["speak HTTP"]);
    }

    #[test]
    fn core_brings_a_runtime_only_for_tests() {
        check_one(CORE, "tokio", &["make it optional"]);
        let tokio = json!([{"name": "tokio", "kind": null, "optional": true}]);
        assert!(violations(CORE, &tokio, &json!({"testing": ["dep:tokio"]})).is_empty());
        let by_default = violations(CORE, &tokio, &json!({"testing": ["dep:tokio"], "default": ["testing"]}));
        assert!(by_default.concat().contains("`default` switches on `testing`"), "{by_default:?}");
        let other = violations(CORE, &tokio, &json!({"timers": ["tokio/time"]}));
        assert!(other.concat().contains("`timers` switches on `tokio/time`"), "{other:?}");
    }

    #[test]
    fn tests_may_use_anything() {
        let dependencies = json!([{"name": MEMORY, "kind": "dev"}, {"name": "reqwest", "kind": "dev"}]);
        assert!(violations(PROJECTIONS, &dependencies, &json!({})).is_empty());
    }

    #[test]
    fn a_package_without_a_place_is_refused_and_a_free_one_is_not() {
        let free = violations("headwater-benches", &json!([{"name": MEMORY, "kind": null}]), &json!({}));
        assert!(free.is_empty());
        let unknown = violations("headwater-new", &json!([]), &json!({}));
        assert!(unknown.concat().contains("has no place in the arrows"), "{unknown:?}");
    }

    #[test]
    fn metadata_that_is_none_is_an_error() {
        assert!(check("error: no such command").is_err());
        assert!(check("{}").is_err());
    }
}
