//! A page for each kind of problem, at the address that its `type` names, and all of them as one document.

#[cfg(test)]
use std::fmt::Write;

use axum::Json;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::{Problem, ProblemKind};

/// `docs/errors.md`: the catalogue as a page.
#[cfg(test)]
pub(super) fn document() -> String {
    let mut text = "# Errors\n\nEvery error is `application/problem+json` (RFC 9457). `type` is the address of its page on \
                    the server, such as `/problems/not-found`;\n`title`, `status`, `detail` and `retryable` are always \
                    there. The command line ends with the exit code given here.\n\nThis page is made from \
                    `server/src/problem/kind.rs`; a test fails when they differ.\n\n\
                    | type | status | retryable | exit code |\n|---|---|---|---|\n"
        .to_owned();
    for kind in ProblemKind::ALL {
        let (slug, status, exit) = (kind.slug(), kind.status().as_u16(), kind.exit() as u8);
        let again = if kind.retry_helps() { "yes" } else { "no" };
        writeln!(text, "| [{slug}](#{slug}) | {status} | {again} | {exit} |")
            .expect("a text takes what is written to it");
    }
    for kind in ProblemKind::ALL {
        let (slug, title, cause, fix) = (kind.slug(), kind.title(), kind.cause(), kind.fix());
        write!(text, "\n## {slug}\n\n{title}.\n\n**Cause.** {cause}\n\n**What to do.** {fix}\n")
            .expect("a text takes what is written to it");
    }
    text
}

/// All kinds, for programs.
pub(crate) async fn list() -> Json<Value> {
    let kinds: Vec<Value> = ProblemKind::ALL.iter().map(|kind| described(*kind)).collect();
    Json(json!({ "problems": kinds }))
}

/// One kind, for whoever follows the `type` of a problem.
pub(crate) async fn page(Path(slug): Path<String>) -> Response {
    let Some(kind) = ProblemKind::from_slug(&slug) else {
        let known: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        let detail = format!("there is no problem {slug:?}: there are {}", known.join(", "));
        return Problem::not_found(detail).into_response();
    };
    let (title, status, cause, fix) = (kind.title(), kind.status(), kind.cause(), kind.fix());
    let again = if kind.retry_helps() { "may succeed later" } else { "will fail again" };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{slug}</title><h1>{title}</h1>\
         <p>Type <code>/problems/{slug}</code>, status {status}; the same request {again}.</p>\
         <h2>Cause</h2><p>{cause}</p><h2>What to do</h2><p>{fix}</p></html>"
    );
    Html(page).into_response()
}

fn described(kind: ProblemKind) -> Value {
    json!({
        "type": format!("/problems/{}", kind.slug()),
        "title": kind.title(),
        "status": kind.status().as_u16(),
        "retryable": kind.retry_helps(),
        "exit_code": kind.exit() as u8,
        "cause": kind.cause(),
        "fix": kind.fix(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_errors_is_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
        if std::env::var_os("HEADWATER_DOCS").is_some_and(|value| value == "write") {
            std::fs::write(path, document()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == document(), "docs/errors.md is out of date: run this test with HEADWATER_DOCS=write");
    }

    #[test]
    fn slugs_are_distinct_and_lead_back_to_their_kind() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::from_slug(kind.slug()), Some(*kind));
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
        }
        assert_eq!(ProblemKind::from_slug("nothing"), None);
    }
}
