//! What a simulated switch has in its MIB, computed when asked for.

use std::io::Write as _;
use std::sync::atomic::Ordering;

use super::Device;
use crate::proto::snmp::ber::Writer;
use crate::proto::snmp::{Oid, RawOid, Value, pdu};

const IF: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
const IFX: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

/// One object: a scalar with its `.0`, or a column of the interface tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    System(u32),
    IfNumber,
    If(u32),
    Duplex,
    IfX(u32),
    TableLastChange,
}

impl Object {
    fn is_scalar(self) -> bool {
        matches!(self, Self::System(_) | Self::IfNumber | Self::TableLastChange)
    }
}

/// The objects of every device, in the order of their names.
#[derive(Debug)]
pub struct Mib {
    objects: Vec<(Oid, Object)>,
}

impl Mib {
    pub fn new() -> Self {
        let mut objects = Vec::new();
        for n in 1..=7 {
            objects.push((Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 1, n]), Object::System(n)));
        }
        objects.push((Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 2, 1]), Object::IfNumber));
        for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21] {
            let mut oid = Oid::from_arcs(&IF);
            oid.push(n);
            objects.push((oid, Object::If(n)));
        }
        objects.push((Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19]), Object::Duplex));
        for n in 1..=19 {
            let mut oid = Oid::from_arcs(&IFX);
            oid.push(n);
            objects.push((oid, Object::IfX(n)));
        }
        objects.push((Oid::from_arcs(&[1, 3, 6, 1, 2, 1, 31, 1, 5]), Object::TableLastChange));
        Self { objects }
    }

    /// A device at a moment (milliseconds of the clock).
    pub fn view<'a>(&'a self, device: &'a Device, now: i64) -> View<'a> {
        View { mib: self, device, now, uptime: device.uptime(now) }
    }
}

/// Where a name stands: an object and a row (0 for a scalar, ports from 1).
type Cursor = (usize, u32);

/// Where a walk stands: the next instance of what all devices have, and the next of the rows that only this one has.
#[derive(Clone, Copy)]
struct Place {
    port: Option<Cursor>,
    row: usize,
}

pub struct View<'a> {
    mib: &'a Mib,
    device: &'a Device,
    now: i64,
    uptime: i64,
}

impl View<'_> {
    /// Writes the varbind of this very name; false where there is none.
    pub fn get(&self, name: RawOid<'_>, writer: &mut Writer) -> bool {
        let rows = &self.device.more;
        if let Ok(at) = rows.binary_search_by(|(oid, _)| oid.as_raw().cmp(&name)) {
            pdu::encode_varbind(writer, name, rows[at].1.value(self.device, self.now));
            return true;
        }
        let found = self.mib.objects.iter().position(|(root, _)| name.below(root).is_some());
        let row = found.and_then(|i| name.below(&self.mib.objects[i].0)?.single().map(|row| (i, row)));
        let Some((object, row)) = row.filter(|(i, row)| self.has(*i, *row)) else {
            let nothing = if found.is_some() { Value::NoSuchInstance } else { Value::NoSuchObject };
            pdu::encode_varbind(writer, name, nothing);
            return false;
        };
        self.write((object, row), writer);
        true
    }

    /// Writes the varbind after this name; false at the end.
    pub fn next(&self, name: RawOid<'_>, writer: &mut Writer) -> bool {
        let place = self.place(name);
        if self.write_at(place, writer) {
            return true;
        }
        pdu::encode_varbind(writer, name, Value::EndOfMibView);
        false
    }

    /// Rounds over the names until `repetitions` are done or the reply is as large as it may be.
    pub fn bulk<'n>(
        &self,
        names: impl Iterator<Item = RawOid<'n>>,
        repetitions: usize,
        writer: &mut Writer,
        largest: usize,
    ) {
        let mut at: Vec<(RawOid<'n>, Place)> = names.map(|name| (name, self.place(name))).collect();
        for _ in 0..repetitions {
            let mut any = false;
            for (name, place) in &mut at {
                let before = writer.len();
                if self.write_at(*place, writer) {
                    any = true;
                    *place = self.step_from(*place);
                } else {
                    pdu::encode_varbind(writer, *name, Value::EndOfMibView);
                }
                if writer.len() > largest {
                    writer.truncate(before);
                    return;
                }
            }
            if !any {
                return;
            }
        }
    }

    fn place(&self, name: RawOid<'_>) -> Place {
        let rows = &self.device.more;
        let row = if rows.is_empty() { 0 } else { rows.partition_point(|(oid, _)| oid.as_raw() <= name) };
        Place { port: self.after(name), row }
    }

    /// Whether one of the other rows comes next; `None` at the end of everything.
    fn next_is_row(&self, place: Place) -> Option<bool> {
        match (place.port, self.device.more.get(place.row)) {
            (None, None) => None,
            (Some(_), None) => Some(false),
            (None, Some(_)) => Some(true),
            (Some(cursor), Some((oid, _))) => Some(oid.as_raw() < self.name(cursor).as_raw()),
        }
    }

    /// Writes what comes next; false at the end.
    fn write_at(&self, place: Place, writer: &mut Writer) -> bool {
        match (self.next_is_row(place), place.port) {
            (Some(true), _) => {
                let (oid, cell) = &self.device.more[place.row];
                pdu::encode_varbind(writer, oid.as_raw(), cell.value(self.device, self.now));
            }
            (Some(false), Some(cursor)) => self.write(cursor, writer),
            _ => return false,
        }
        true
    }

    fn step_from(&self, place: Place) -> Place {
        match self.next_is_row(place) {
            Some(true) => Place { row: place.row + 1, ..place },
            _ => Place { port: place.port.and_then(|cursor| self.step(cursor)), ..place },
        }
    }

    fn name(&self, (object, row): Cursor) -> Oid {
        let mut name = self.mib.objects[object].0.clone();
        name.push(row);
        name
    }

    fn rows(&self) -> u32 {
        self.device.spec.ports
    }

    fn has(&self, object: usize, row: u32) -> bool {
        if self.mib.objects[object].1.is_scalar() { row == 0 } else { (1..=self.rows()).contains(&row) }
    }

    /// The first instance of an object, or of those after it.
    fn first(&self, object: usize) -> Option<Cursor> {
        let first = self.mib.objects.get(object)?;
        if first.1.is_scalar() {
            Some((object, 0))
        } else if self.rows() > 0 {
            Some((object, 1))
        } else {
            self.first(object + 1)
        }
    }

    fn step(&self, (object, row): Cursor) -> Option<Cursor> {
        if !self.mib.objects[object].1.is_scalar() && row < self.rows() {
            Some((object, row + 1))
        } else {
            self.first(object + 1)
        }
    }

    fn after(&self, name: RawOid<'_>) -> Option<Cursor> {
        let object = self.mib.objects.partition_point(|(root, _)| root.as_raw() <= name);
        // The object before the first that is greater is the name itself or holds it.
        let Some(at) = object.checked_sub(1) else { return self.first(0) };
        let (root, kind) = &self.mib.objects[at];
        if root.as_bytes() == name.as_bytes() {
            return self.first(at);
        }
        let Some(below) = name.below(root) else { return self.first(object) };
        let row = below.arcs().next().unwrap_or(u32::MAX);
        if kind.is_scalar() || row >= self.rows() { self.first(object) } else { Some((at, row + 1)) }
    }

    fn write(&self, (object, row): Cursor, writer: &mut Writer) {
        let (kind, name) = (&self.mib.objects[object].1, self.name((object, row)));
        let mut text = [0u8; 80];
        pdu::encode_varbind(writer, name.as_raw(), self.value(*kind, row, &mut text));
    }

    fn value<'t>(&'t self, object: Object, row: u32, text: &'t mut [u8; 80]) -> Value<'t> {
        match object {
            Object::System(n) => self.system(n, text),
            Object::IfNumber => Value::Integer(i64::from(self.rows())),
            Object::TableLastChange => Value::TimeTicks(0),
            Object::If(1) => Value::Integer(i64::from(row)),
            Object::If(n) => self.interface(n, row - 1, text),
            Object::Duplex => {
                let port = &self.device.ports[row as usize - 1];
                let half = port.half_duplex.load(Ordering::Relaxed);
                Value::Integer(if !port.is_up() {
                    1
                } else if half {
                    2
                } else {
                    3
                })
            }
            Object::IfX(n) => self.extended(n, row - 1, text),
        }
    }

    fn system<'t>(&'t self, n: u32, text: &'t mut [u8; 80]) -> Value<'t> {
        /// `1.3.6.1.4.1.8072.3.2.10`: what net-snmp calls a Linux agent.
        const LINUX: [u8; 10] = [0x2b, 6, 1, 4, 1, 0xbf, 8, 3, 2, 10];
        match n {
            1 => written(text, format_args!("Simulated switch, {} ports", self.rows())),
            2 => RawOid::new(&LINUX).map_or(Value::Null, Value::Oid),
            3 => Value::TimeTicks((self.uptime / 10) as u32),
            4 => Value::Octets(b"noc@example.net"),
            5 => Value::Octets(self.device.spec.name.as_bytes()),
            6 => written(text, format_args!("rack {}", mix(self.device.spec.seed) % 40 + 1)),
            _ => Value::Integer(78),
        }
    }

    fn interface<'t>(&'t self, n: u32, port: u32, text: &'t mut [u8; 80]) -> Value<'t> {
        let state = &self.device.ports[port as usize];
        let mbps = self.mbps(port);
        match n {
            2 if self.is_uplink(port) => written(text, format_args!("TenGigabitEthernet1/1/{}", self.number(port))),
            2 => written(text, format_args!("GigabitEthernet1/0/{}", self.number(port))),
            3 => Value::Integer(6),
            4 => Value::Integer(1500),
            5 => Value::Gauge32(u32::try_from(u64::from(mbps) * 1_000_000).unwrap_or(u32::MAX)),
            6 => {
                let seed = mix(self.device.spec.seed).to_be_bytes();
                text[..6].copy_from_slice(&[2, seed[0], seed[1], seed[2], (port >> 8) as u8, port as u8]);
                Value::Octets(&text[..6])
            }
            7 => Value::Integer(if state.admin_down.load(Ordering::Relaxed) { 2 } else { 1 }),
            8 => Value::Integer(if state.is_up() { 1 } else { 2 }),
            9 => Value::TimeTicks(self.last_change(port)),
            10 => Value::Counter32(self.octets(port, 0) as u32),
            11 => Value::Counter32((self.octets(port, 0) / 700) as u32),
            14 => Value::Counter32(self.errors(port) as u32),
            16 => Value::Counter32(self.octets(port, 1) as u32),
            17 => Value::Counter32((self.octets(port, 1) / 700) as u32),
            21 => Value::Gauge32(0),
            _ => Value::Counter32(0),
        }
    }

    fn extended<'t>(&'t self, n: u32, port: u32, text: &'t mut [u8; 80]) -> Value<'t> {
        match n {
            1 if self.is_uplink(port) => written(text, format_args!("Te1/1/{}", self.number(port))),
            1 => written(text, format_args!("Gi1/0/{}", self.number(port))),
            2..=5 => Value::Counter32(0),
            6 => Value::Counter64(self.octets(port, 0)),
            7 => Value::Counter64(self.octets(port, 0) / 700),
            10 => Value::Counter64(self.octets(port, 1)),
            11 => Value::Counter64(self.octets(port, 1) / 700),
            8 | 9 | 12 | 13 => Value::Counter64(0),
            14 | 17 => Value::Integer(1),
            15 => Value::Gauge32(self.mbps(port)),
            16 => Value::Integer(2),
            18 if self.is_uplink(port) => written(text, format_args!("uplink {}", self.number(port))),
            18 if mix(self.device.spec.seed ^ u64::from(port)).is_multiple_of(3) => {
                written(text, format_args!("desk {}", mix(self.device.spec.seed ^ u64::from(port) << 7) % 900 + 100))
            }
            18 => Value::Octets(b""),
            _ => Value::TimeTicks(0),
        }
    }

    fn is_uplink(&self, port: u32) -> bool {
        is_uplink(port, self.rows())
    }

    /// As printed on the device: access ports and uplinks count apart.
    fn number(&self, port: u32) -> u32 {
        if self.is_uplink(port) { port - (self.rows() - UPLINKS) + 1 } else { port + 1 }
    }

    fn mbps(&self, port: u32) -> u32 {
        match self.device.ports[port as usize].speed.load(Ordering::Relaxed) {
            0 if self.is_uplink(port) => 10_000,
            0 => 1000,
            said => said,
        }
    }

    fn last_change(&self, port: u32) -> u32 {
        let changed = self.device.ports[port as usize].changed.load(Ordering::Relaxed);
        let booted = self.now - self.uptime;
        if changed == 0 { 0 } else { ((changed - booted).max(0) / 10) as u32 }
    }

    /// Grows with the time that the link is up, by 0.1 % to 40 % of its speed.
    fn octets(&self, port: u32, direction: u64) -> u64 {
        self.device.octets(port, direction, self.now)
    }

    fn errors(&self, port: u32) -> u64 {
        let state = &self.device.ports[port as usize];
        let rate = u64::from(state.error_rate.load(Ordering::Relaxed));
        state.errors.load(Ordering::Relaxed).wrapping_add(rate.wrapping_mul((self.uptime / 1000) as u64))
    }
}

const UPLINKS: u32 = 4;

/// The last four ports of a device with more than eight.
pub fn is_uplink(port: u32, ports: u32) -> bool {
    ports > 8 && port >= ports - UPLINKS
}

/// A number that looks random and is always the same for the same seed (the finaliser of SplitMix64).
pub fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn written<'t>(text: &'t mut [u8; 80], words: std::fmt::Arguments<'_>) -> Value<'t> {
    let room = text.len();
    let mut rest = &mut text[..];
    let _ = rest.write_fmt(words);
    let left = rest.len();
    Value::Octets(&text[..room - left])
}
