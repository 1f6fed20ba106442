//! The stored form of what is kept of a host or a backup job as a whole. One byte of version, then, big endian (a text is its
//! length as u16 and its octets; `?` is one byte, 0 or 1, and what follows only if it is 1):
//!
//! ```text
//! 2 | condition? u8 | flags u8 | checks u16, each: name text, condition u8 | neighbor? text
//!   | parts? u32, each: target as in the outbox | condition u8 | untold u8
//!   | machines u16, each: check text, system text, kernel text, packages? u32 and digest text   (version 1 ends before these)
//! ```
//!
//! What cannot be read is `None`, never a guess.

use std::sync::Arc;

use super::form::{CONDITIONS, array, byte, place};
use super::outbox::{put_target, target, word};
use super::ports::{maybe, put_maybe, put_text, text};
use crate::base::Untrusted;
use crate::model::{Condition, Machine, RememberedAsset, Subject, Told, ToldPart};

const VERSION: u8 = 2;

const UNTOLD: u8 = 1;
const FLAPPING: u8 = 2;
const DOWN: u8 = 4;

/// Appends the stored form to `out`.
pub fn encode(one: &RememberedAsset, out: &mut Vec<u8>) {
    let Told { condition, untold, flapping, down, checks } = &one.told;
    out.push(VERSION);
    put_maybe(*condition, out, |condition, out| out.push(place(&CONDITIONS, &condition)));
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(flag(*untold, UNTOLD) | flag(*flapping, FLAPPING) | flag(*down, DOWN));
    let checks = &checks[..checks.len().min(usize::from(u16::MAX))];
    out.extend((checks.len() as u16).to_be_bytes());
    for (name, condition) in checks {
        put_text(name.as_bytes(), out);
        out.push(place(&CONDITIONS, condition));
    }
    put_maybe(one.neighbor.as_ref(), out, |name, out| put_text(name.as_bytes(), out));
    put_maybe(one.parts.as_ref(), out, |parts, out| {
        out.extend(u32::try_from(parts.len()).unwrap_or(u32::MAX).to_be_bytes());
        for part in parts.iter().take(u32::MAX as usize) {
            put_target(&part.target, out);
            out.extend([place(&CONDITIONS, &part.condition), u8::from(part.untold)]);
        }
    });
    let machines = &one.machines[..one.machines.len().min(usize::from(u16::MAX))];
    out.extend((machines.len() as u16).to_be_bytes());
    for (check, Machine { system, kernel, packages }) in machines {
        for text in [check.as_bytes(), system.as_bytes(), kernel.as_bytes()] {
            put_text(text, out);
        }
        put_maybe(packages.as_ref(), out, |(count, digest), out| {
            out.extend(count.to_be_bytes());
            put_text(digest.as_bytes(), out);
        });
    }
}

/// `None` where the form is not ours or is damaged.
pub fn decode(subject: Subject, bytes: &[u8]) -> Option<RememberedAsset> {
    let rest = &mut &bytes[..];
    let version = byte(rest)?;
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let condition_told = maybe(rest, condition).ok()?;
    let flags = byte(rest)?;
    let count = u16::from_be_bytes(array(rest)?);
    let checks: Option<Vec<_>> = (0..count).map(|_| Some((word(rest)?, condition(rest)?))).collect();
    let neighbor = maybe(rest, word).ok()?;
    let parts = maybe(rest, parts).ok()?;
    let machines = if version == 1 { Vec::new() } else { machines(rest)? };
    let told = Told {
        condition: condition_told,
        untold: flags & UNTOLD != 0,
        flapping: flags & FLAPPING != 0,
        down: flags & DOWN != 0,
        checks: checks?,
    };
    let whole = rest.is_empty() && flags <= UNTOLD | FLAPPING | DOWN;
    whole.then_some(RememberedAsset { subject, told, parts, neighbor, machines })
}

fn machines(rest: &mut &[u8]) -> Option<Vec<(Arc<str>, Machine)>> {
    let count = u16::from_be_bytes(array(rest)?);
    let one = |rest: &mut &[u8]| {
        let check = word(rest)?;
        let (system, kernel) = (Untrusted::new(text(rest)?), Untrusted::new(text(rest)?));
        let packages =
            maybe(rest, |rest| Some((u32::from_be_bytes(array(rest)?), Untrusted::new(text(rest)?)))).ok()?;
        Some((check, Machine { system, kernel, packages }))
    };
    (0..count).map(|_| one(rest)).collect()
}

fn parts(rest: &mut &[u8]) -> Option<Vec<ToldPart>> {
    let count = u32::from_be_bytes(array(rest)?) as usize;
    // No part takes less than that.
    let mut parts = Vec::with_capacity(count.min(rest.len() / 5));
    for _ in 0..count {
        let (target, condition) = (target(rest)?, condition(rest)?);
        let untold = match byte(rest)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        parts.push(ToldPart { target, condition, untold });
    }
    Some(parts)
}

fn condition(rest: &mut &[u8]) -> Option<Condition> {
    CONDITIONS.get(usize::from(byte(rest)?)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::outbox::tests::any_text;
    use super::*;
    use crate::model::{AssetId, PortKey, Target, ToldApart};

    fn subject() -> Subject {
        Subject::Host(AssetId::new("core-sw1"))
    }

    fn any_target() -> impl Strategy<Value = Target> {
        let id = || AssetId::new("core-sw1");
        prop_oneof![
            (prop::collection::vec(any::<u8>(), 0..30), any::<Option<u32>>()).prop_map(move |(label, index)| {
                let told_apart = index.map_or(ToldApart::ByLabel, ToldApart::ByIndex);
                Target::Port(id(), PortKey { label: Untrusted::new(label), told_apart })
            }),
            Just(Target::Device(id())),
            Just(Target::GonePorts(id())),
        ]
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        prop::sample::select(&CONDITIONS[..])
    }

    prop_compose! {
        fn any_asset()(
            condition in prop::option::of(any_condition()), untold in any::<bool>(), flapping in any::<bool>(),
            down in any::<bool>(), checks in prop::collection::vec(("\\PC{0,20}", any_condition()), 0..5),
            neighbor in prop::option::of("\\PC{1,20}"),
            parts in prop::option::of(prop::collection::vec((any_target(), any_condition(), any::<bool>()), 0..5)),
            machines in prop::collection::vec(
                ("\\PC{0,20}", any_text(), any_text(), prop::option::of((any::<u32>(), any_text()))), 0..3),
        ) -> RememberedAsset {
            let checks = checks.into_iter().map(|(name, condition)| (Arc::from(name), condition)).collect();
            let part = |(target, condition, untold)| ToldPart { target, condition, untold };
            RememberedAsset {
                subject: subject(),
                told: Told { condition, untold, flapping, down, checks },
                parts: parts.map(|parts| parts.into_iter().map(part).collect()),
                neighbor: neighbor.map(Arc::from),
                machines: machines.into_iter().map(|(check, system, kernel, packages)| {
                    (Arc::from(check), Machine { system, kernel, packages })
                }).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(one in any_asset()) {
            let mut bytes = Vec::new();
            encode(&one, &mut bytes);
            prop_assert_eq!(decode(subject(), &bytes), Some(one));
        }

        #[test]
        fn what_an_earlier_version_wrote_is_read(one in any_asset()) {
            let one = RememberedAsset { machines: Vec::new(), ..one };
            let mut bytes = Vec::new();
            encode(&one, &mut bytes);
            bytes[0] = 1;
            bytes.truncate(bytes.len() - 2);
            prop_assert_eq!(decode(subject(), &bytes), Some(one));
        }

        #[test]
        fn what_is_cut_short_or_longer_is_refused(one in any_asset(), at in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&one, &mut bytes);
            prop_assert_eq!(decode(subject(), &bytes[..at.index(bytes.len())]), None);
            bytes.push(0);
            prop_assert_eq!(decode(subject(), &bytes), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(subject(), &bytes);
        }
    }
}
