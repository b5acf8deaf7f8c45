//! The header `Prefer` (RFC 7240): how long to wait, for what, and whether an older row will do.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use crate::Problem;

/// The header.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The longest a client may have a request wait.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

/// What a client prefers. What is not known is ignored, as the RFC has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    /// `wait=5`.
    pub(crate) wait: Duration,
    /// `handling=lenient`.
    pub(crate) lenient: bool,
    /// `applied="name"`, once for each read model.
    pub(crate) applied: Vec<String>,
}

impl Prefer {
    /// Reads every `Prefer` header.
    ///
    /// # Errors
    /// [`Problem`] for a wait that is no number of seconds, or longer than [`MAX_WAIT`].
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut prefer = Self::default();
        for value in headers.get_all(PREFER) {
            let text = value.to_str().map_err(|_| Problem::invalid("header Prefer is not ASCII text"))?;
            for preference in text.split(',') {
                // Parameters after a semicolon say nothing here.
                let preference = preference.split(';').next().unwrap_or_default().trim();
                let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "wait" => prefer.wait = seconds(value)?,
                    "handling" if value.eq_ignore_ascii_case("lenient") => prefer.lenient = true,
                    "applied" if !value.is_empty() => prefer.applied.push(value.to_owned()),
                    _ => {}
                }
            }
        }
        Ok(prefer)
    }
}

fn seconds(value: &str) -> Result<Duration, Problem> {
    let wait = value.parse().ok().map(Duration::from_secs).filter(|wait| *wait <= MAX_WAIT);
    wait.ok_or_else(|| {
        let limit = MAX_WAIT.as_secs();
        Problem::invalid(format!(
            "header Prefer: wait={value:?} is not a whole number of seconds from 0 to {limit}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> Result<Prefer, Problem> {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| {
            headers.append(PREFER, HeaderValue::from_static(line));
        });
        Prefer::from_headers(&headers)
    }

    #[test]
    fn preferences_are_read_in_every_way_they_may_be_written() {
        let expected = Prefer {
            wait: Duration::from_secs(5),
            lenient: true,
            applied: vec!["balances".to_owned(), "daily".to_owned()],
        };
        for lines in [
            &["wait=5, handling=lenient, applied=\"balances\", applied=daily"][..],
            &["Wait = 5", "handling=Lenient; x=y", "applied=balances,return=minimal", "applied=\"daily\""],
        ] {
            assert_eq!(of(lines).unwrap(), expected, "{lines:?}");
        }
        assert_eq!(of(&["handling=strict, respond-async"]).unwrap(), Prefer::default());
    }

    #[test]
    fn a_wait_that_is_no_number_or_too_long_is_refused() {
        for wait in ["wait", "wait=", "wait=-1", "wait=1.5", "wait=31", "wait=99999999999999999999"] {
            assert!(of(&[wait]).unwrap_err().detail.contains("from 0 to 30"), "{wait}");
        }
    }
}
