//! The consistency token: which versions of which streams a client has written. Opaque to clients.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use headwater::key::Fingerprint;
use headwater::{StreamName, Version};

use crate::{Problem, ProblemKind};

/// The header of tokens, of answers to commands and of queries.
pub(crate) const CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("consistency-token");

/// Most streams of a token; a command over more gives none.
pub const MAX_TOKEN_STREAMS: usize = 16;

/// Most bytes of a token: every stream with a name as long as one can be.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The version of the layout.
const LAYOUT: &str = "1";

/// What a client has written: versions of streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsistencyToken(BTreeMap<StreamName, Version>);

impl ConsistencyToken {
    /// The token of one stream.
    #[must_use]
    pub fn of(stream: StreamName, version: Version) -> Self {
        Self(BTreeMap::from([(stream, version)]))
    }

    /// The token of several streams, unless they are more than [`MAX_TOKEN_STREAMS`].
    #[must_use]
    pub fn of_all(streams: impl IntoIterator<Item = (StreamName, Version)>) -> Option<Self> {
        let mut token = Self::default();
        streams.into_iter().for_each(|(stream, version)| token.add(stream, version));
        (token.0.len() <= MAX_TOKEN_STREAMS).then_some(token)
    }

    /// The streams and versions.
    pub fn streams(&self) -> impl ExactSizeIterator<Item = (&StreamName, Version)> {
        self.0.iter().map(|(stream, version)| (stream, *version))
    }

    fn add(&mut self, stream: StreamName, version: Version) {
        let known = self.0.entry(stream).or_default();
        *known = version.max(*known);
    }

    /// The tokens of a request, as one. Several may be sent, separated by commas.
    ///
    /// # Errors
    /// [`Problem`] when one is broken, or they name too many streams.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut all = Self::default();
        for value in headers.get_all(CONSISTENCY_TOKEN) {
            let text = value.to_str().map_err(|_| broken("it is not ASCII text"))?;
            for token in text.split(',').map(str::trim).filter(|token| !token.is_empty()) {
                let Self(streams) = token.parse()?;
                streams.into_iter().for_each(|(stream, version)| all.add(stream, version));
                if all.0.len() > MAX_TOKEN_STREAMS {
                    let reason = format!(
                        "it names more than {MAX_TOKEN_STREAMS} streams; send the newest tokens only"
                    );
                    return Err(broken(&reason));
                }
            }
        }
        Ok(all)
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.to_string()).expect("base64 is a header value")
    }
}

impl fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|(stream, version)| format!("{version}@{stream}")).collect();
        let text = lines.join("\n");
        let sealed = format!("{LAYOUT}{:016x}{text}", seal(&text));
        f.write_str(&URL_SAFE_NO_PAD.encode(sealed))
    }
}

impl FromStr for ConsistencyToken {
    type Err = Problem;

    fn from_str(token: &str) -> Result<Self, Problem> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(broken(&format!("it is longer than {MAX_TOKEN_BYTES} bytes")));
        }
        let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parsed = text.as_deref().and_then(|text| {
            let (digits, lines) = text.strip_prefix(LAYOUT)?.split_at_checked(16)?;
            (u64::from_str_radix(digits, 16).ok()? == seal(lines)).then_some(lines)
        });
        let lines = parsed.ok_or_else(|| broken("it is not one that this server gave"))?;
        let entry = |line: &str| {
            let (version, stream) = line.split_once('@')?;
            Some((StreamName::parse(stream).ok()?, Version(version.parse().ok()?)))
        };
        let streams = lines.lines().map(entry).collect::<Option<BTreeMap<_, _>>>();
        let streams = streams.filter(|streams| streams.len() <= MAX_TOKEN_STREAMS);
        streams.map(Self).ok_or_else(|| broken("it is not one that this server gave"))
    }
}

fn seal(text: &str) -> u64 {
    Fingerprint::of(&[b"consistency-token", text.as_bytes()]).0
}

fn broken(reason: &str) -> Problem {
    Problem::new(
        ProblemKind::InvalidToken,
        format!("header Consistency-Token: {reason}; hand tokens back as commands gave them"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(streams: usize) -> ConsistencyToken {
        let stream = |n: usize| StreamName::new("account", &format!("ключ {n}")).unwrap();
        ConsistencyToken((0..streams).map(|n| (stream(n), Version(n as u64 + 1))).collect())
    }

    #[test]
    fn a_token_gives_its_streams_back() {
        for streams in [1, 2, MAX_TOKEN_STREAMS] {
            let token = token(streams);
            assert_eq!(token.to_string().parse::<ConsistencyToken>().unwrap(), token);
        }
    }

    #[test]
    fn a_token_that_was_changed_is_refused_by_kind() {
        let whole = token(2).to_string();
        let mut broken: Vec<String> = (0..whole.len()).map(|end| whole[..end].to_owned()).collect();
        broken.extend([format!("{whole}AA"), whole.to_uppercase(), token(17).to_string(), "ü".repeat(9)]);
        broken.push("A".repeat(MAX_TOKEN_BYTES + 1));
        for token in broken {
            let problem = token.parse::<ConsistencyToken>().unwrap_err();
            assert_eq!(problem.kind, ProblemKind::InvalidToken, "{token}");
        }
    }

    #[test]
    fn several_tokens_are_one_with_the_highest_versions() {
        let stream = StreamName::new("account", "a").unwrap();
        let [older, newer] = [3, 5].map(|version| ConsistencyToken::of(stream.clone(), Version(version)));
        let mut headers = HeaderMap::new();
        headers.append(CONSISTENCY_TOKEN, HeaderValue::from_str(&format!("{newer}, {older}")).unwrap());
        headers.append(CONSISTENCY_TOKEN, older.header());
        assert_eq!(ConsistencyToken::from_headers(&headers).unwrap(), newer);
        headers.append(CONSISTENCY_TOKEN, token(MAX_TOKEN_STREAMS).header());
        assert!(ConsistencyToken::from_headers(&headers).unwrap_err().detail.contains("16"));
    }
}
