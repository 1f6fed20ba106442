//! Hashing of what nobody else chooses: our own tickets and request ids, and the addresses of those whom we ask. A few
//! look-ups a datagram, so it is one multiplication instead of what withstands an attacker's choice of keys.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by such a key.
pub type OurMap<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let number = word.iter().fold(0, |sum: u64, octet| sum << 8 | u64::from(*octet));
            self.write_u64(number);
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_i32(&mut self, number: i32) {
        self.write_u64(u64::from(number.cast_unsigned()));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher as _, Hash};
    use std::net::SocketAddr;

    use super::*;

    /// How many of these share the lowest 12 bits of their hash with another, of 4,096.
    fn shared(keys: impl Iterator<Item = impl Hash>) -> usize {
        let hasher = BuildHasherDefault::<Spread>::default();
        let (mut low, mut count) = (HashSet::new(), 0);
        for key in keys {
            low.insert(hasher.hash_one(key) & 0xfff);
            count += 1;
        }
        count - low.len()
    }

    #[test]
    fn neighbors_are_spread() {
        // 4,096 balls into 4,096 bins share 1,507 on average.
        assert!(shared(0u64..4_096) < 1_700);
        assert!(shared((0..4_096).map(|n: i32| n << 16)) < 1_700);
        assert!(shared((0..4_096u32).map(|n| SocketAddr::from((n.to_be_bytes(), 161)))) < 1_700);
        assert!(shared((0..4_096u16).map(|n| SocketAddr::from(([127, 0, 0, 1], n)))) < 1_700);
    }
}
