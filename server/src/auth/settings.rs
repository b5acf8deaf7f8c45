//! Keys and tokens that are accepted, as they are configured.

use serde::{Deserialize, Serialize};

use super::Scope;
use crate::config::Secret;

/// Fewest bytes of a secret that tokens are signed with.
const MIN_SECRET_BYTES: usize = 32;

/// Who is accepted. Without any of it nobody is asked who they are, and only this machine may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSettings {
    /// API keys.
    pub(crate) keys: Vec<ApiKey>,
    /// Tokens.
    pub(crate) jwt: Option<Jwt>,
}

/// An API key, of which only the hash is known here. `auth new-key` makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKey {
    /// Whose it is.
    pub(crate) name: String,
    /// The SHA-256 of the key in hexadecimal digits.
    pub(crate) sha256: Secret,
    /// What its owner may do.
    pub(crate) scopes: Vec<Scope>,
}

/// Tokens (JWT) that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Jwt {
    /// For whom a token must be: its `aud`.
    pub(crate) audience: String,
    /// Who must have issued it: its `iss`.
    pub(crate) issuer: Option<String>,
    /// The file or the address of the keys (JWKS) it may be signed with.
    pub(crate) jwks: Option<String>,
    /// The secret it may be signed with instead (HS256).
    pub(crate) secret: Option<Secret>,
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthMistake {
    #[error("setting auth.keys: two keys have the name {name:?}: give each one of its own")]
    NameTwice { name: String },
    #[error(
        "setting auth.keys: sha256 of {name:?} is not 64 hexadecimal digits: make a key with `auth new-key {name}`"
    )]
    Hash { name: String },
    #[error("setting auth.keys: {name:?} has no scopes: name what it may do")]
    NoScopes { name: String },
    #[error("setting auth.jwt: give jwks or secret, one of the two")]
    KeySource,
    #[error("setting auth.jwt.secret is shorter than {MIN_SECRET_BYTES} bytes: make a longer one")]
    ShortSecret,
    #[error("setting auth.jwt.audience is empty: name for whom tokens are")]
    NoAudience,
}

impl AuthSettings {
    /// Whether everybody is let through.
    pub(crate) fn is_open(&self) -> bool {
        self.keys.is_empty() && self.jwt.is_none()
    }

    /// Checks what types cannot.
    pub(crate) fn check(&self) -> Result<(), AuthMistake> {
        let mut names = std::collections::BTreeSet::new();
        for ApiKey { name, sha256, scopes } in &self.keys {
            if !names.insert(name) {
                return Err(AuthMistake::NameTwice { name: name.clone() });
            }
            if super::keys::digest_of(sha256.reveal()).is_none() {
                return Err(AuthMistake::Hash { name: name.clone() });
            }
            if scopes.is_empty() {
                return Err(AuthMistake::NoScopes { name: name.clone() });
            }
        }
        let Some(jwt) = &self.jwt else { return Ok(()) };
        match (&jwt.jwks, &jwt.secret) {
            (Some(_), None) => {}
            (None, Some(secret)) if secret.reveal().len() >= MIN_SECRET_BYTES => {}
            (None, Some(_)) => return Err(AuthMistake::ShortSecret),
            _ => return Err(AuthMistake::KeySource),
        }
        if jwt.audience.is_empty() {
            return Err(AuthMistake::NoAudience);
        }
        Ok(())
    }
}
