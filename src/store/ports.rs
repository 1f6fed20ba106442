//! The stored form of what is known of a device's ports. One byte of version, then, big endian (`?` is one byte, 0 or 1, and
//! what follows only if it is 1; a text is its length as u16 and its octets; a key is the text of [`PortKey::to_bytes`]):
//!
//! ```text
//! 3 | at i64 | uptime? ms u64 | engine? boots u32, seconds u64
//!   | name text | chassis? 6 octets | bridge? 6 octets
//!   | ports u32, each: key | state u8 | flags u8 | index u32 | first seen i64 | changed? i64 | fastest? u64 | absent? i64
//!       | flaps u8, each i64 | neighbor? | aggregate? key, i64 | slower since? i64
//!   neighbor: text, addresses u8, each: 4 or 16 u8, octets | chassis? 6 octets | i64
//!   | events u16, each: at i64 | port? key | what u8 | states u8 u8, or ports u32, or nothing
//! ```
//!
//! In version 2 a neighbor is text, i64, and the device has no name and chassis; version 1 is without the last of a port besides. What cannot be read is `None`, never a guess.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::form::{array, byte, place, take, time};
use crate::base::{Timestamp, Untrusted};
use crate::model::device::{EngineClock, NeighborId};
use crate::model::{AssetId, Flaps, PortChange, PortEvent, PortKey, PortMemory, PortState, RememberedDevice, Ties};

const VERSION: u8 = 3;
/// Of a neighbor only its name.
const NAMES_ALONE: u8 = 2;
/// Without the time since when a port has been slower than it was.
const WITHOUT_SLOWER: u8 = 1;

const SEEN_UP: u8 = 1;
const FORWARDED: u8 = 2;
const MISSED: u8 = 4;

/// Appends the stored form to `out`.
pub fn encode(device: &RememberedDevice, out: &mut Vec<u8>) {
    out.push(VERSION);
    put_time(device.at, out);
    put_maybe(device.uptime, out, |up, out| {
        out.extend(u64::try_from(up.as_millis()).unwrap_or(u64::MAX).to_be_bytes());
    });
    put_maybe(device.engine, out, |engine, out| {
        out.extend(engine.boots.to_be_bytes());
        out.extend(engine.time.as_secs().to_be_bytes());
    });
    put_text(device.name.as_bytes(), out);
    for mac in device.chassis {
        put_maybe(mac, out, |mac, out| out.extend(mac));
    }
    out.extend(u32::try_from(device.ports.len()).unwrap_or(u32::MAX).to_be_bytes());
    for (key, memory) in device.ports.iter().take(u32::MAX as usize) {
        put_key(key, out);
        put_memory(memory, out);
    }
    let events = &device.events[..device.events.len().min(usize::from(u16::MAX))];
    out.extend((events.len() as u16).to_be_bytes());
    for event in events {
        put_event(event, out);
    }
}

/// `None` where the form is not ours or is damaged.
pub fn decode(host: AssetId, bytes: &[u8]) -> Option<RememberedDevice> {
    let rest = &mut &bytes[..];
    let version = byte(rest)?;
    if !matches!(version, VERSION | NAMES_ALONE | WITHOUT_SLOWER) {
        return None;
    }
    let at = time(rest)?;
    let uptime = maybe(rest, |rest| Some(Duration::from_millis(u64::from_be_bytes(array(rest)?)))).ok()?;
    let engine = maybe(rest, |rest| {
        let boots = u32::from_be_bytes(array(rest)?);
        Some(EngineClock { boots, time: Duration::from_secs(u64::from_be_bytes(array(rest)?)) })
    })
    .ok()?;
    let (mut name, mut chassis) = (Untrusted::default(), [None; 2]);
    if version == VERSION {
        name = Untrusted::new(text(rest)?);
        chassis = [maybe(rest, array).ok()?, maybe(rest, array).ok()?];
    }
    let count = u32::from_be_bytes(array(rest)?) as usize;
    // No port takes less than that.
    let mut ports = Vec::with_capacity(count.min(rest.len() / 24));
    for _ in 0..count {
        ports.push((key(rest)?, memory(rest, version)?));
    }
    let count = u16::from_be_bytes(array(rest)?);
    let mut events = Vec::with_capacity(usize::from(count).min(rest.len() / 10));
    for _ in 0..count {
        events.push(event(rest)?);
    }
    rest.is_empty().then_some(RememberedDevice { host, at, uptime, engine, name, chassis, ports, events })
}

fn put_memory(memory: &PortMemory, out: &mut Vec<u8>) {
    out.push(place(&PortState::ALL, &memory.state));
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    out.push(flag(memory.seen_up, SEEN_UP) | flag(memory.forwarded, FORWARDED) | flag(memory.missed, MISSED));
    out.extend(memory.index.to_be_bytes());
    put_time(memory.first_seen, out);
    put_maybe(memory.changed, out, put_time);
    put_maybe(memory.fastest_bps, out, |bps, out| out.extend(bps.to_be_bytes()));
    put_maybe(memory.absent, out, put_time);
    // There are never more.
    let flaps = &memory.flaps.times()[..memory.flaps.len().min(usize::from(u8::MAX))];
    out.push(flaps.len() as u8);
    for flap in flaps {
        put_time(*flap, out);
    }
    let ties = memory.ties.as_deref();
    put_maybe(ties.and_then(|t| t.neighbor.as_ref()), out, |(id, heard), out| {
        put_neighbor(id, out);
        put_time(*heard, out);
    });
    put_maybe(ties.and_then(|t| t.aggregate.as_ref()), out, |(key, heard), out| {
        put_key(key, out);
        put_time(*heard, out);
    });
    put_maybe(memory.slower_since, out, put_time);
}

fn memory(rest: &mut &[u8], version: u8) -> Option<PortMemory> {
    let state = *PortState::ALL.get(usize::from(byte(rest)?))?;
    let flags = byte(rest)?;
    let index = u32::from_be_bytes(array(rest)?);
    let first_seen = time(rest)?;
    let changed = maybe(rest, time).ok()?;
    let fastest_bps = maybe(rest, |rest| Some(u64::from_be_bytes(array(rest)?))).ok()?;
    let absent = maybe(rest, time).ok()?;
    let flaps: Option<Vec<Timestamp>> = (0..byte(rest)?).map(|_| time(rest)).collect();
    let neighbor = maybe(rest, |rest| Some((neighbor(rest, version)?, time(rest)?))).ok()?;
    let aggregate = maybe(rest, |rest| Some((key(rest)?, time(rest)?))).ok()?;
    let slower_since = if version == WITHOUT_SLOWER { None } else { maybe(rest, time).ok()? };
    let tied = neighbor.is_some() || aggregate.is_some();
    Some(PortMemory {
        state,
        index,
        first_seen,
        changed,
        seen_up: flags & SEEN_UP != 0,
        forwarded: flags & FORWARDED != 0,
        fastest_bps,
        slower_since,
        flaps: Flaps::from(flaps?),
        ties: tied.then(|| Arc::new(Ties { neighbor, aggregate })),
        absent,
        missed: flags & MISSED != 0,
    })
}

fn put_neighbor(id: &NeighborId, out: &mut Vec<u8>) {
    put_text(id.name.as_bytes(), out);
    let addresses = &id.addresses[..id.addresses.len().min(usize::from(u8::MAX))];
    out.push(addresses.len() as u8);
    for address in addresses {
        match address {
            IpAddr::V4(four) => {
                out.push(4);
                out.extend(four.octets());
            }
            IpAddr::V6(six) => {
                out.push(16);
                out.extend(six.octets());
            }
        }
    }
    put_maybe(id.chassis_mac, out, |mac, out| out.extend(mac));
}

fn neighbor(rest: &mut &[u8], version: u8) -> Option<NeighborId> {
    let name = Untrusted::new(text(rest)?);
    if version < VERSION {
        return Some(NeighborId { name, ..NeighborId::default() });
    }
    let address = |rest: &mut &[u8]| match byte(rest)? {
        4 => Some(IpAddr::from(array::<4>(rest)?)),
        16 => Some(IpAddr::from(array::<16>(rest)?)),
        _ => None,
    };
    let addresses: Option<Vec<IpAddr>> = (0..byte(rest)?).map(|_| address(rest)).collect();
    Some(NeighborId { name, addresses: addresses?, chassis_mac: maybe(rest, array).ok()? })
}

fn put_event(event: &PortEvent, out: &mut Vec<u8>) {
    put_time(event.at, out);
    put_maybe(event.port.as_ref(), out, put_key);
    let (what, ports) = match event.change {
        PortChange::State { from, to } => {
            out.extend([0, place(&PortState::ALL, &from), place(&PortState::ALL, &to)]);
            return;
        }
        PortChange::Appeared => (1, None),
        PortChange::Gone => (2, None),
        PortChange::Restarted => (3, None),
        PortChange::AgentRestarted => (4, None),
        PortChange::ManyChanged(ports) => (5, Some(ports)),
        PortChange::ManyAppeared(ports) => (6, Some(ports)),
        PortChange::ManyGone(ports) => (7, Some(ports)),
    };
    out.push(what);
    out.extend(ports.map(u32::to_be_bytes).into_iter().flatten());
}

fn event(rest: &mut &[u8]) -> Option<PortEvent> {
    let at = time(rest)?;
    let port = maybe(rest, key).ok()?;
    let state = |rest: &mut &[u8]| PortState::ALL.get(usize::from(byte(rest)?)).copied();
    let change = match byte(rest)? {
        0 => PortChange::State { from: state(rest)?, to: state(rest)? },
        1 => PortChange::Appeared,
        2 => PortChange::Gone,
        3 => PortChange::Restarted,
        4 => PortChange::AgentRestarted,
        5 => PortChange::ManyChanged(u32::from_be_bytes(array(rest)?)),
        6 => PortChange::ManyAppeared(u32::from_be_bytes(array(rest)?)),
        7 => PortChange::ManyGone(u32::from_be_bytes(array(rest)?)),
        _ => return None,
    };
    Some(PortEvent { at, port, change })
}

pub(super) fn put_time(at: Timestamp, out: &mut Vec<u8>) {
    out.extend(at.millis().to_be_bytes());
}

pub(super) fn put_maybe<T>(value: Option<T>, out: &mut Vec<u8>, put: impl FnOnce(T, &mut Vec<u8>)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(value, out);
    }
}

pub(super) struct Damaged;

pub(super) fn maybe<T>(rest: &mut &[u8], read: impl FnOnce(&mut &[u8]) -> Option<T>) -> Result<Option<T>, Damaged> {
    match byte(rest) {
        Some(0) => Ok(None),
        Some(1) => read(rest).map(Some).ok_or(Damaged),
        _ => Err(Damaged),
    }
}

/// Foreign texts are bounded far below what a length can say.
pub(super) fn put_text(text: &[u8], out: &mut Vec<u8>) {
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text);
}

pub(super) fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(array(rest)?);
    take(rest, usize::from(length))
}

pub(super) fn put_key(key: &PortKey, out: &mut Vec<u8>) {
    put_text(&key.to_bytes(), out);
}

pub(super) fn key(rest: &mut &[u8]) -> Option<PortKey> {
    PortKey::from_bytes(text(rest)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ToldApart;

    fn any_time() -> impl Strategy<Value = Timestamp> {
        any::<i64>().prop_map(Timestamp)
    }

    fn any_state() -> impl Strategy<Value = PortState> {
        prop::sample::select(&PortState::ALL[..])
    }

    fn any_text() -> impl Strategy<Value = Untrusted> {
        prop::collection::vec(any::<u8>(), 0..30).prop_map(Untrusted::new)
    }

    fn any_key() -> impl Strategy<Value = PortKey> {
        let told = prop_oneof![Just(ToldApart::ByLabel), any::<u32>().prop_map(ToldApart::ByIndex)];
        (any_text(), told).prop_map(|(label, told_apart)| PortKey { label, told_apart })
    }

    prop_compose! {
        fn any_neighbor()(
            name in any_text(),
            addresses in prop::collection::vec(any::<IpAddr>(), 0..3),
            chassis_mac in any::<Option<[u8; 6]>>(),
        ) -> NeighborId {
            NeighborId { name, addresses, chassis_mac }
        }
    }

    prop_compose! {
        fn any_memory()(
            state in any_state(),
            index in any::<u32>(),
            first_seen in any_time(),
            changed in prop::option::of(any_time()),
            flags in any::<[bool; 3]>(),
            fastest_bps in any::<Option<u64>>(),
            flaps in prop::collection::vec(any_time(), 0..5),
            neighbor in prop::option::of((any_neighbor(), any_time())),
            aggregate in prop::option::of((any_key(), any_time())),
            absent in prop::option::of(any_time()),
            slower_since in prop::option::of(any_time()),
        ) -> PortMemory {
            let tied = neighbor.is_some() || aggregate.is_some();
            PortMemory {
                state, index, first_seen, changed, fastest_bps, slower_since, absent,
                seen_up: flags[0], forwarded: flags[1], missed: flags[2],
                flaps: flaps.into(),
                ties: tied.then(|| Arc::new(Ties { neighbor, aggregate })),
            }
        }
    }

    fn any_event() -> impl Strategy<Value = PortEvent> {
        let change = prop_oneof![
            (any_state(), any_state()).prop_map(|(from, to)| PortChange::State { from, to }),
            prop::sample::select(
                &[
                    PortChange::Appeared,
                    PortChange::Gone,
                    PortChange::Restarted,
                    PortChange::AgentRestarted,
                    PortChange::ManyChanged(17),
                    PortChange::ManyAppeared(u32::MAX),
                    PortChange::ManyGone(0),
                ][..]
            ),
        ];
        (any_time(), prop::option::of(any_key()), change).prop_map(|(at, port, change)| PortEvent { at, port, change })
    }

    prop_compose! {
        fn any_device()(
            at in any_time(),
            uptime in any::<Option<u64>>(),
            engine in any::<Option<(u32, u64)>>(),
            name in any_text(),
            chassis in any::<[Option<[u8; 6]>; 2]>(),
            ports in prop::collection::vec((any_key(), any_memory()), 0..6),
            events in prop::collection::vec(any_event(), 0..6),
        ) -> RememberedDevice {
            RememberedDevice {
                host: AssetId::new("sw1"),
                at, ports, events, name, chassis,
                uptime: uptime.map(Duration::from_millis),
                engine: engine.map(|(boots, seconds)| EngineClock { boots, time: Duration::from_secs(seconds) }),
            }
        }
    }

    fn decoded(bytes: &[u8]) -> Option<RememberedDevice> {
        decode(AssetId::new("sw1"), bytes)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(device in any_device()) {
            let mut bytes = Vec::new();
            encode(&device, &mut bytes);
            prop_assert_eq!(decoded(&bytes), Some(device));
        }

        #[test]
        fn what_is_cut_short_or_longer_is_refused(device in any_device(), at in any::<prop::sample::Index>()) {
            let mut bytes = Vec::new();
            encode(&device, &mut bytes);
            prop_assert_eq!(decoded(&bytes[..at.index(bytes.len())]), None);
            bytes.push(0);
            prop_assert_eq!(decoded(&bytes), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decoded(&bytes);
        }
    }

    #[test]
    fn the_forms_before_this_one_are_still_read() {
        let key = PortKey { label: Untrusted::from("Gi1"), told_apart: ToldApart::ByLabel };
        let id = NeighborId { name: "core".into(), ..NeighborId::default() };
        let ties = Some(Arc::new(Ties { neighbor: Some((id, Timestamp(2))), aggregate: None }));
        let memory = PortMemory { fastest_bps: Some(1_000_000_000), ties, ..PortMemory::default() };
        let (host, ports) = (AssetId::new("sw1"), vec![(key, memory)]);
        let (name, chassis, events) = (Untrusted::default(), [None; 2], Vec::new());
        let device =
            RememberedDevice { host, at: Timestamp(1), uptime: None, engine: None, name, chassis, ports, events };
        let mut bytes = Vec::new();
        encode(&device, &mut bytes);
        // Behind the version, the time and two values that are not there stand its own name and chassis.
        assert_eq!(bytes.drain(11..15).collect::<Vec<u8>>(), [0, 0, 0, 0]);
        // Behind its name the neighbor has neither addresses nor a chassis.
        let name = bytes.windows(4).position(|four| four == b"core").expect("it is there");
        assert_eq!(bytes.drain(name + 4..name + 6).collect::<Vec<u8>>(), [0, 0]);
        bytes[0] = NAMES_ALONE;
        assert_eq!(decoded(&bytes).as_ref(), Some(&device));
        // Of the last port's end and the number of events only its own octet is new.
        bytes.remove(bytes.len() - 3);
        bytes[0] = WITHOUT_SLOWER;
        assert_eq!(decoded(&bytes), Some(device));
    }

    #[test]
    fn a_switch_of_48_ports_takes_a_few_thousand_octets() {
        let port = |n: u32| {
            let key = PortKey { label: Untrusted::from(format!("Gi1/0/{n}")), told_apart: ToldApart::ByLabel };
            (key, PortMemory { fastest_bps: Some(1_000_000_000), seen_up: true, ..PortMemory::default() })
        };
        let device = RememberedDevice {
            host: AssetId::new("sw1"),
            at: Timestamp(1),
            uptime: None,
            engine: None,
            name: "sw1".into(),
            chassis: [Some([2; 6]), None],
            ports: (1..=48).map(port).collect(),
            events: Vec::new(),
        };
        let mut bytes = Vec::new();
        encode(&device, &mut bytes);
        assert!(bytes.len() < 2_500, "{}", bytes.len());
    }
}
