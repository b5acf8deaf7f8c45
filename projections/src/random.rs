//! Numbers nobody can foresee; in tests, from a seed, so that a run can be repeated.

use std::hash::{BuildHasher, Hasher, RandomState};

/// The next number.
pub(crate) fn random() -> u64 {
    #[cfg(feature = "testing")]
    if let Some(number) = crate::testing::seeded() {
        return number;
    }
    RandomState::new().build_hasher().finish()
}
