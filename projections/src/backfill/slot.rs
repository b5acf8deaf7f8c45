//! Slots: the keys of a projection in parts that fit into memory, can be done one by one, and by several processes.

use std::fmt;

use super::limits::HALVINGS;

/// The keys whose hash begins with these bits. A slot that is too large is halved, and its halves are slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    bits: u32,
    prefix: u32,
}

impl Slot {
    /// All keys.
    pub const ALL: Self = Self { bits: 0, prefix: 0 };

    /// Whether a key is in it.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.bits == 0 || hash(key) >> (64 - self.bits) == u64::from(self.prefix)
    }

    /// The smallest slot that a key is in.
    #[must_use]
    pub fn around(key: &str) -> Self {
        let prefix = hash(key) >> (64 - HALVINGS);
        Self { bits: HALVINGS, prefix: u32::try_from(prefix).unwrap_or_default() }
    }

    /// Its halves, unless it is as small as can be.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let half = |low| Self { bits: self.bits + 1, prefix: self.prefix << 1 | low };
        (self.bits < HALVINGS).then(|| [half(0), half(1)])
    }

    /// The part of all keys that it is, as one of so many.
    #[must_use]
    pub fn of(&self) -> u64 {
        1 << self.bits
    }

    /// Reads the name of a slot.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (bits, prefix) = name.strip_prefix("slot-")?.split_once('-')?;
        let (bits, prefix) = (bits.parse().ok()?, u32::from_str_radix(prefix, 16).ok()?);
        (bits <= HALVINGS && u64::from(prefix) < 1_u64 << bits).then_some(Self { bits, prefix })
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot-{}-{:x}", self.bits, self.prefix)
    }
}

/// Which slot a key is in must be the same in every process and every version of this program: FNV-1a, mixed at the end
/// so that the first bits are as good as the last.
fn hash(key: &str) -> u64 {
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, byte);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_of_two_halves_and_names_are_read_back() {
        let mut slots = vec![Slot::ALL];
        for _ in 0..5 {
            slots = slots.iter().flat_map(|slot| slot.halves().unwrap()).collect();
            let mut sizes = vec![0; slots.len()];
            for key in (0..2_000).map(|key| format!("acct-{key:07}")) {
                let holds: Vec<_> = (0..slots.len()).filter(|place| slots[*place].holds(&key)).collect();
                assert_eq!(holds.len(), 1, "{key}");
                sizes[holds[0]] += 1;
            }
            let fair = 2_000 / slots.len();
            assert!(sizes.iter().all(|size| (fair / 2..fair * 2).contains(size)), "{sizes:?}");
            assert!(slots.iter().all(|slot| Slot::parse(&slot.to_string()) == Some(*slot)));
        }
        for key in (0..2_000).map(|key| format!("acct-{key:07}")) {
            assert!(Slot::around(&key).holds(&key) && Slot::around(&key).halves().is_none(), "{key}");
        }
        for odd in ["", "slot", "slot-1-2", "slot-17-0", "slot-x-0", "lane-1-0"] {
            assert_eq!(Slot::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_hash_is_what_it_always_was() {
        assert_eq!(["", "a", "acct-0000001"].map(hash), HASHES);
    }

    /// Written down once; if they change, processes of two versions would leave rows out.
    const HASHES: [u64; 3] = [0xecba_3df2_c338_3c52, 0xed81_70de_1919_a24d, 0xb461_d38f_48dd_7b52];
}
