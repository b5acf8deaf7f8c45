//! Which form of an answer a client accepts (RFC 9110, `Accept`).

use axum::http::{HeaderMap, header};

use crate::openapi::Form;
use crate::{Problem, ProblemKind};

/// The form a client likes best of those that are offered; the first one when it does not say.
///
/// # Errors
/// [`Problem`] when it accepts none of them.
pub(crate) fn choose(headers: &HeaderMap, offered: &[Form]) -> Result<Form, Problem> {
    let first = *offered.first().expect("something is offered");
    let lines: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if lines.is_empty() {
        return Ok(first);
    }
    let ranges: Vec<(&str, f32)> = lines.iter().flat_map(|line| line.split(',')).map(range).collect();
    let quality = |form: Form| {
        let media = form.media_type();
        let (kind, _) = media.split_once('/').unwrap_or((media, ""));
        // The most precise range counts, whatever the others say.
        let precise = |wanted: &str| ranges.iter().find(|(range, _)| *range == wanted).map(|(_, q)| *q);
        precise(media).or_else(|| precise(&format!("{kind}/*"))).or_else(|| precise("*/*")).unwrap_or(0.0)
    };
    let mut best: Option<(Form, f32)> = None;
    for form in offered {
        let quality = quality(*form);
        if quality > best.map_or(0.0, |(_, best)| best) {
            best = Some((*form, quality));
        }
    }
    best.map(|(form, _)| form).ok_or_else(|| {
        let forms: Vec<_> = offered.iter().map(|form| form.media_type()).collect();
        let detail = format!(
            "Accept: {} leaves nothing to answer with: there is {}",
            lines.join(", "),
            forms.join(", ")
        );
        Problem::new(ProblemKind::NotAcceptable, detail)
    })
}

/// A media range and its quality.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=")?.trim().parse().ok()).unwrap_or(1.0);
    (media, quality)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_form_a_client_likes_best_is_chosen() {
        let offered = [Form::Json, Form::Sse, Form::Ndjson];
        for (accept, expected) in [
            ("", None),
            ("*/*", Some(Form::Json)),
            ("text/event-stream", Some(Form::Sse)),
            ("application/x-ndjson", Some(Form::Ndjson)),
            ("text/*, application/json;q=0.5", Some(Form::Sse)),
            ("application/*;q=0.4, application/x-ndjson;q=0.9, */*;q=0.1", Some(Form::Ndjson)),
            ("text/event-stream;q=0, */*", Some(Form::Json)),
            ("image/png", None),
            ("application/json;q=0", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(choose(&headers, &offered).ok(), expected, "{accept:?}");
        }
        assert_eq!(choose(&HeaderMap::new(), &offered).unwrap(), Form::Json);
    }
}
