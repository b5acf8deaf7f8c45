//! API keys: random, long, and known to the server by their hash alone. A key is too long to be guessed, so a plain hash
//! keeps it.

use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Principal;
use super::settings::ApiKey;

/// What every key begins with, so that it is told from a token, and found in a place where it should not be.
pub(super) const BEGIN: &str = "hw_";
/// Random bytes of a key.
const KEY_BYTES: usize = 32;

/// The keys that are accepted.
#[derive(Debug)]
pub(super) struct Keys(Vec<([u8; 32], Principal)>);

impl Keys {
    /// Keys of a configuration that was checked.
    pub(super) fn new(keys: &[ApiKey]) -> Self {
        let key = |key: &ApiKey| {
            Some((digest_of(key.sha256.reveal())?, Principal::new(&key.name, key.scopes.clone())))
        };
        Self(keys.iter().filter_map(key).collect())
    }

    /// Whose key it is. Takes as long whichever it is, and whether it is one.
    pub(super) fn owner(&self, key: &str) -> Option<Principal> {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for (known, principal) in &self.0 {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(principal);
            }
        }
        found.cloned()
    }
}

/// A hash in hexadecimal digits as bytes.
pub(super) fn digest_of(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// A new key, and its hash; nothing when the system has no randomness.
pub(crate) fn new_key() -> Option<(String, String)> {
    let mut bytes = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    let key = format!("{BEGIN}{}", hex(&bytes));
    let hash = hex(&Sha256::digest(key.as_bytes()));
    Some((key, hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use crate::config::Secret;

    #[test]
    fn a_new_key_is_recognised_by_its_hash_and_no_other_is() {
        let (key, hash) = new_key().unwrap();
        let keys = Keys::new(&[ApiKey {
            name: "ada".to_owned(),
            sha256: Secret::new(hash.clone()),
            scopes: vec![Scope::Query(None)],
        }]);
        assert_eq!(keys.owner(&key).unwrap().name(), "ada");
        for other in [hash.as_str(), "", "hw_", &new_key().unwrap().0, &key[..key.len() - 1]] {
            assert!(keys.owner(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_hash_is_64_digits() {
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert!(digest_of(text).is_none(), "{text}");
        }
    }
}
