//! Object identifiers in their encoded form. Comparing, prefix tests and copying into a request work on the bytes as
//! they came; arcs are decoded only where somebody wants to read them.

use std::cmp::Ordering;
use std::fmt;

use super::ber::BerError;

/// No object identifier has more arcs (RFC 3416 §4.1).
pub const MOST_ARCS: usize = 128;

/// An object identifier inside a message: valid, minimal, every arc within 32 bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RawOid<'a>(&'a [u8]);

impl<'a> RawOid<'a> {
    /// Checks the encoding.
    ///
    /// # Errors
    /// An arc is not minimal, cut off or above 32 bits, or there are too many.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BerError> {
        // Arcs of one octet need no look at all, and most are.
        let short = bytes.iter().take_while(|octet| **octet < 0x80).count();
        if short == bytes.len() {
            return if bytes.is_empty() || short >= MOST_ARCS { Err(BerError::Oid) } else { Ok(Self(bytes)) };
        }
        let mut arcs = 1 + short;
        let mut value: u64 = 0;
        let mut inside = false;
        for &octet in &bytes[short..] {
            if !inside && octet == 0x80 {
                return Err(BerError::Oid);
            }
            value = (value << 7) | u64::from(octet & 0x7f);
            inside = octet & 0x80 != 0;
            if inside {
                if value >= 1 << 28 {
                    return Err(BerError::Oid);
                }
                continue;
            }
            arcs += 1;
            // The first number holds two arcs: 40 x the first plus the second.
            let most = if arcs == 2 { u64::from(u32::MAX) + 80 } else { u64::from(u32::MAX) };
            if value > most || arcs > MOST_ARCS {
                return Err(BerError::Oid);
            }
            value = 0;
        }
        if inside { Err(BerError::Oid) } else { Ok(Self(bytes)) }
    }

    /// What was checked before, in the same bytes.
    pub(super) fn checked(bytes: &'a [u8]) -> Self {
        debug_assert!(Self::new(bytes).is_ok(), "it was checked");
        Self(bytes)
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// What follows the prefix; `None` where it is not below it.
    pub fn below(self, prefix: &Oid) -> Option<Index<'a>> {
        let prefix = prefix.as_bytes();
        let (head, rest) = self.0.split_at_checked(prefix.len())?;
        (!rest.is_empty() && is_same(head, prefix)).then_some(Index(rest))
    }

    pub fn to_oid(self) -> Oid {
        let mut oid = Oid::default();
        oid.assign(self);
        oid
    }

    /// Arcs, the first two taken apart.
    pub fn arcs(self) -> impl Iterator<Item = u32> + 'a {
        let mut numbers = Numbers(self.0);
        let head = numbers.next().map_or([None, None], |first| {
            let top = (first / 40).min(2);
            [Some(top as u32), Some((first - top * 40) as u32)]
        });
        head.into_iter().flatten().chain(numbers.map(|n| n as u32))
    }
}

impl PartialOrd for RawOid<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RawOid<'_> {
    /// The order of the MIB: arc by arc, as numbers.
    fn cmp(&self, other: &Self) -> Ordering {
        let Some(at) = self.0.iter().zip(other.0).position(|(a, b)| a != b) else {
            return self.0.len().cmp(&other.0.len());
        };
        // The arc in which they differ may have begun before; of two minimal arcs the longer is the greater.
        let start = self.0[..at].iter().rposition(|octet| octet & 0x80 == 0).map_or(0, |i| i + 1);
        let length = |bytes: &[u8]| bytes[start..].iter().position(|octet| octet & 0x80 == 0);
        length(self.0).cmp(&length(other.0)).then_with(|| self.0[at].cmp(&other.0[at]))
    }
}

impl fmt::Display for RawOid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, arc) in self.arcs().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RawOid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawOid({self})")
    }
}

/// What stands behind a column's own identifier: the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index<'a>(&'a [u8]);

impl<'a> Index<'a> {
    /// From the octets that [`Index::as_bytes`] gave.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn arcs(self) -> impl Iterator<Item = u32> + 'a {
        Numbers(self.0).map(|n| n as u32)
    }

    /// The one arc of a table that is indexed by one number (`ifIndex`).
    pub fn single(self) -> Option<u32> {
        let mut numbers = Numbers(self.0);
        let first = numbers.next()?;
        if numbers.0.is_empty() { u32::try_from(first).ok() } else { None }
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// Equality of two pieces of one length. Columns have names of 8 to 16 octets: two words of each, which may overlap.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (Some((a_first, _)), Some((b_first, _))) = (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) else {
        return a == b;
    };
    let (Some((_, a_last)), Some((_, b_last))) = (a.split_last_chunk::<8>(), b.split_last_chunk::<8>()) else {
        return a == b;
    };
    let ends = (a_first, a_last) == (b_first, b_last);
    if a.len() > 16 { ends && a == b } else { ends }
}

struct Numbers<'a>(&'a [u8]);

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let mut value = 0u64;
        while let Some((octet, rest)) = self.0.split_first() {
            self.0 = rest;
            value = (value << 7) | u64::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

/// An object identifier of our own, encoded once. Those of usual length need no allocation.
#[derive(Clone)]
pub struct Oid(Octets);

#[derive(Clone)]
enum Octets {
    Short { length: u8, octets: [u8; SHORT] },
    Long(Vec<u8>),
}

/// As long as what stands beside it takes up anyway.
const SHORT: usize = 22;

impl Octets {
    fn push(&mut self, octet: u8) {
        match self {
            Self::Short { length, octets } if usize::from(*length) < SHORT => {
                octets[usize::from(*length)] = octet;
                *length += 1;
            }
            Self::Short { octets, .. } => {
                let mut all = Vec::with_capacity(2 * SHORT);
                all.extend_from_slice(octets);
                all.push(octet);
                *self = Self::Long(all);
            }
            Self::Long(all) => all.push(octet),
        }
    }
}

impl Default for Oid {
    fn default() -> Self {
        Self(Octets::Short { length: 0, octets: [0; SHORT] })
    }
}

impl PartialEq for Oid {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Oid {}

impl std::hash::Hash for Oid {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Oid {
    /// Encodes arcs; at least two, the first at most 2.
    pub fn from_arcs(arcs: &[u32]) -> Self {
        let mut oid = Self::default();
        let (first, rest) = match arcs {
            [first, second, rest @ ..] => (u64::from(*first) * 40 + u64::from(*second), rest),
            [only] => (u64::from(*only) * 40, &[][..]),
            [] => (0, &[][..]),
        };
        oid.push_number(first);
        for arc in rest {
            oid.push(*arc);
        }
        oid
    }

    /// From digits and dots, with or without a dot in front; `None` where it is none, or has more than 128 arcs.
    pub fn parse(text: &str) -> Option<Self> {
        let arcs = text.strip_prefix('.').unwrap_or(text).split('.').map(|arc| {
            let plain = !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
            if plain { arc.parse().ok() } else { None }
        });
        let arcs = arcs.collect::<Option<Vec<u32>>>()?;
        let head = matches!(arcs[..], [0 | 1, 0..40, ..] | [2, ..]) && arcs.len() >= 2 && arcs.len() <= MOST_ARCS;
        head.then(|| Self::from_arcs(&arcs))
    }

    /// Appends an arc.
    pub fn push(&mut self, arc: u32) {
        self.push_number(u64::from(arc));
    }

    fn push_number(&mut self, value: u64) {
        let groups = (u64::BITS - value.leading_zeros()).div_ceil(7).max(1);
        for group in (0..groups).rev() {
            let octet = (value >> (group * 7)) as u8 & 0x7f;
            self.0.push(if group == 0 { octet } else { octet | 0x80 });
        }
    }

    /// Becomes a copy of `other`; allocates only where that one is long and nothing as long was here before.
    pub fn assign(&mut self, other: RawOid<'_>) {
        if let Octets::Long(all) = &mut self.0 {
            all.clear();
            all.extend_from_slice(other.0);
        } else if let Some(length) = u8::try_from(other.0.len()).ok().filter(|n| usize::from(*n) <= SHORT) {
            let mut octets = [0; SHORT];
            octets[..usize::from(length)].copy_from_slice(other.0);
            self.0 = Octets::Short { length, octets };
        } else {
            self.0 = Octets::Long(other.0.to_vec());
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Octets::Short { length, octets } => &octets[..usize::from(*length).min(SHORT)],
            Octets::Long(all) => all,
        }
    }

    pub fn as_raw(&self) -> RawOid<'_> {
        RawOid(self.as_bytes())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_raw().fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn arcs_above_32_bits_and_loose_encodings_are_refused() {
        assert!(RawOid::new(&[0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f]).is_ok());
        assert!(RawOid::new(&[0x2b, 0x90, 0x80, 0x80, 0x80, 0x00]).is_err());
        assert!(RawOid::new(&[0x2b, 0x80, 0x01]).is_err());
        assert!(RawOid::new(&[0x2b, 0x81]).is_err());
        assert!(RawOid::new(&[]).is_err());
        assert!(RawOid::new(&[1; 127]).is_ok());
        assert!(RawOid::new(&[&[0x81; 1][..], &[1; 127]].concat()).is_ok());
        assert!(RawOid::new(&[&[0x81; 1][..], &[1; 128]].concat()).is_err());
        assert!(RawOid::new(&[1; 128]).is_err());
    }

    #[test]
    fn text_is_read_and_nonsense_is_not() {
        let want = Oid::from_arcs(&[1, 3, 6, 1, 4, 1, 9]);
        assert_eq!(Oid::parse("1.3.6.1.4.1.9"), Some(want.clone()));
        assert_eq!(Oid::parse(".1.3.6.1.4.1.9"), Some(want));
        for bad in ["", "1", "1.", "1..3", "3.1", "1.40", "1.3.x", "1.3.+6", "1.3.4294967296", "iso.3"] {
            assert_eq!(Oid::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_row_stands_behind_its_column() {
        let column = Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 8]);
        let mut cell = column.clone();
        cell.push(4_000_000_000);
        assert_eq!(cell.as_raw().below(&column).and_then(Index::single), Some(4_000_000_000));
        assert_eq!(column.as_raw().below(&column), None);
        assert_eq!(cell.to_string(), "1.3.6.1.2.1.2.2.1.8.4000000000");
    }

    #[test]
    fn what_differs_in_any_octet_is_not_below() {
        for length in 1..40u8 {
            let mut column = Oid::default();
            for arc in 0..length {
                column.push(u32::from(arc));
            }
            let mut cell = column.clone();
            cell.push(300);
            assert_eq!(cell.as_raw().below(&column).and_then(Index::single), Some(300));
            for at in 0..usize::from(length) {
                let mut other = cell.as_bytes().to_vec();
                other[at] ^= 0x40;
                assert_eq!(RawOid::new(&other).expect("valid").below(&column), None, "octet {at} of {length}");
            }
        }
    }

    #[test]
    fn copies_of_any_length_are_the_same() {
        let long = Oid::from_arcs(&[1; 60]);
        let short = Oid::from_arcs(&[1, 3, 6]);
        let mut copy = short.clone();
        for other in [&long, &short, &long] {
            copy.assign(other.as_raw());
            assert_eq!((&copy, copy.as_bytes()), (other, other.as_bytes()));
            assert_eq!(other.as_raw().to_oid(), *other);
        }
        assert_ne!(long, short);
    }

    fn arcs() -> impl Strategy<Value = Vec<u32>> {
        let arc = prop_oneof![0u32..300, any::<u32>()];
        (0u32..3, 0u32..40, proptest::collection::vec(arc, 0..12)).prop_map(|(a, b, rest)| {
            let mut all = vec![a, b];
            all.extend(rest);
            all
        })
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(arcs in arcs()) {
            let oid = Oid::from_arcs(&arcs);
            let raw = RawOid::new(oid.as_bytes()).expect("our own encoding is valid");
            prop_assert_eq!(raw.arcs().collect::<Vec<_>>(), arcs);
        }

        #[test]
        fn the_order_of_the_bytes_is_the_order_of_the_arcs(a in arcs(), b in arcs(), shared in arcs()) {
            let (mut x, mut y) = (shared.clone(), shared);
            x.extend(&a);
            y.extend(&b);
            prop_assert_eq!(Oid::from_arcs(&x).as_raw().cmp(&Oid::from_arcs(&y).as_raw()), x.cmp(&y));
        }
    }
}
