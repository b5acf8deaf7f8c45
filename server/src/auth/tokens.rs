//! Tokens (JWT): who issued them, for whom, until when, and what they allow.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::jwks::Jwks;
use super::settings::Jwt;
use super::{Principal, Scope, signature};

/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: u64 = 30;
/// Longest token in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Tokens that are accepted.
#[derive(Debug)]
pub(super) struct Tokens {
    audience: String,
    issuer: Option<String>,
    keys: KeySource,
}

enum KeySource {
    Secret(DecodingKey),
    Jwks(Jwks),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret"),
            Self::Jwks(jwks) => jwks.fmt(f),
        }
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is not good.
    Token(String),
    /// It cannot be told, because the keys are not there.
    Keys(String),
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// As OAuth has it: names with spaces between them.
    scope: Option<String>,
    /// As others have it.
    scopes: Option<Vec<String>>,
}

impl Tokens {
    /// Tokens of a configuration that was checked.
    pub(super) fn new(jwt: &Jwt) -> Self {
        signature::install();
        let keys = match (&jwt.secret, &jwt.jwks) {
            (Some(secret), _) => KeySource::Secret(DecodingKey::from_secret(secret.reveal().as_bytes())),
            (None, location) => KeySource::Jwks(Jwks::new(location.as_deref().unwrap_or_default())),
        };
        Self { audience: jwt.audience.clone(), issuer: jwt.issuer.clone(), keys }
    }

    /// Whose token it is.
    pub(super) async fn owner(&self, token: &str) -> Result<Principal, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refused::Token(format!("it is longer than {MAX_TOKEN_BYTES} bytes")));
        }
        let header = decode_header(token).map_err(|error| refused(&error))?;
        let (key, allowed) = match &self.keys {
            KeySource::Secret(key) => (key.clone(), vec![Algorithm::HS256]),
            KeySource::Jwks(jwks) => {
                let jwk = jwks.key(header.kid.as_deref()).await.map_err(Refused::Keys)?;
                let jwk = jwk.ok_or_else(|| Refused::Token("it names a key that is not known".to_owned()))?;
                (DecodingKey::from_jwk(&jwk).map_err(|error| refused(&error))?, algorithms(&jwk))
            }
        };
        // The key says how it is used. What the token says of that is only compared.
        if !allowed.contains(&header.alg) {
            return Err(Refused::Token(format!(
                "it is signed with {:?}, and its key is not for that",
                header.alg
            )));
        }
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "aud", "sub", "iss"]);
        }
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| refused(&error))?.claims;
        let named = claims.scope.iter().flat_map(|scope| scope.split_whitespace());
        let named = named.chain(claims.scopes.iter().flatten().map(String::as_str));
        // A token may be for others as well, and name things that are not ours.
        let scopes: Vec<Scope> = named.filter_map(|scope| scope.parse().ok()).collect();
        Ok(Principal::new(&claims.sub, scopes))
    }
}

/// What a key may be used for.
fn algorithms(jwk: &Jwk) -> Vec<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let possible = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => vec![ES256],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => vec![ES384],
        AlgorithmParameters::OctetKeyPair(_) => vec![EdDSA],
        // A shared secret has no place among public keys.
        _ => Vec::new(),
    };
    let stated = jwk.common.key_algorithm.map(|stated| format!("{stated:?}"));
    possible
        .into_iter()
        .filter(|one| stated.as_ref().is_none_or(|stated| *stated == format!("{one:?}")))
        .collect()
}

fn refused(error: &jsonwebtoken::errors::Error) -> Refused {
    Refused::Token(match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired".to_owned(),
        ErrorKind::ImmatureSignature => "it is not valid yet".to_owned(),
        ErrorKind::InvalidAudience => "it is for somebody else (aud)".to_owned(),
        ErrorKind::InvalidIssuer => "it is from somebody else (iss)".to_owned(),
        ErrorKind::InvalidSignature => "its signature is wrong".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("it says nothing of {claim}"),
        _ => "it is not a token that can be read".to_owned(),
    })
}
