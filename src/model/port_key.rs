//! Which port of a device: what it is called, not where it stands. History, acknowledgements and the screen's selection
//! follow the key; `ifIndex` is a cache that a restart of the device may renumber.

use crate::base::Untrusted;

/// A port's identity within its device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortKey {
    /// `ifName`, else `ifDescr`; may be empty.
    pub label: Untrusted,
    pub told_apart: ToldApart,
}

/// By what a port is told from the others of its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ToldApart {
    /// No other port is called so.
    #[default]
    ByLabel,
    /// Others are called so, on another stack member or in another slot (ENTITY-MIB).
    ByPlace { unit: Option<u16>, slot: Option<u16> },
    /// It has no name, or shares it with another. Weak: after a renumbering nobody knows which port it is.
    ByIndex(u32),
}

impl PortKey {
    /// History is not carried over a renumbering: it might be another port's.
    pub fn is_weak(&self) -> bool {
        matches!(self.told_apart, ToldApart::ByIndex(_))
    }

    /// A form that no other key has, for stores:
    ///
    /// ```text
    /// 0 | label    1 | 0 or 1,unit u16 | 0 or 1,slot u16 | label    2 | ifIndex u32 | label       (big endian)
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.label.as_bytes().len() + 7);
        match self.told_apart {
            ToldApart::ByLabel => out.push(0),
            ToldApart::ByPlace { unit, slot } => {
                out.push(1);
                for part in [unit, slot] {
                    out.push(u8::from(part.is_some()));
                    out.extend(part.map(u16::to_be_bytes).into_iter().flatten());
                }
            }
            ToldApart::ByIndex(index) => {
                out.push(2);
                out.extend(index.to_be_bytes());
            }
        }
        out.extend(self.label.as_bytes());
        out
    }

    /// `None` where the octets are not what [`PortKey::to_bytes`] makes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let told_apart = match kind {
            0 => ToldApart::ByLabel,
            1 => ToldApart::ByPlace { unit: place(&mut rest).ok()?, slot: place(&mut rest).ok()? },
            2 => {
                let (index, label) = rest.split_first_chunk()?;
                rest = label;
                ToldApart::ByIndex(u32::from_be_bytes(*index))
            }
            _ => return None,
        };
        Some(Self { label: Untrusted::new(rest), told_apart })
    }
}

struct Damaged;

fn place(rest: &mut &[u8]) -> Result<Option<u16>, Damaged> {
    let (known, tail) = rest.split_first().ok_or(Damaged)?;
    *rest = tail;
    match known {
        0 => Ok(None),
        1 => {
            let (number, tail) = rest.split_first_chunk().ok_or(Damaged)?;
            *rest = tail;
            Ok(Some(u16::from_be_bytes(*number)))
        }
        _ => Err(Damaged),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_key() -> impl Strategy<Value = PortKey> {
        let told_apart = prop_oneof![
            Just(ToldApart::ByLabel),
            (any::<Option<u16>>(), any::<Option<u16>>()).prop_map(|(unit, slot)| ToldApart::ByPlace { unit, slot }),
            any::<u32>().prop_map(ToldApart::ByIndex),
        ];
        (prop::collection::vec(any::<u8>(), 0..40), told_apart)
            .prop_map(|(label, told_apart)| PortKey { label: Untrusted::new(label), told_apart })
    }

    proptest! {
        #[test]
        fn a_stored_key_is_the_same_key(key in any_key()) {
            prop_assert_eq!(PortKey::from_bytes(&key.to_bytes()), Some(key));
        }

        #[test]
        fn different_keys_are_stored_differently(a in any_key(), b in any_key()) {
            prop_assert_eq!(a == b, a.to_bytes() == b.to_bytes());
        }

        #[test]
        fn any_octets_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = PortKey::from_bytes(&bytes);
        }
    }

    #[test]
    fn only_what_hangs_on_the_index_is_weak() {
        let key = |told_apart| PortKey { label: Untrusted::from("x"), told_apart };
        assert!(!key(ToldApart::ByLabel).is_weak());
        assert!(!key(ToldApart::ByPlace { unit: Some(2), slot: None }).is_weak());
        assert!(key(ToldApart::ByIndex(7)).is_weak());
    }
}
