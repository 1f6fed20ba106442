//! From cells to ports: collects the chosen columns of IF-MIB (RFC 2863) and EtherLike-MIB (RFC 3635) and makes of
//! them what can be said for sure. Agents leave out tables, rows and cells, send other types than they should, and
//! put placeholders where they have no value: all of that becomes `None`.
//!
//! Cells land in one row per ifIndex without an allocation each: numbers in place, texts in one arena.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::parts;
use crate::base::{Timestamp, Untrusted, text};
use crate::model::{Counters, Device, Duplex, Equipment, IfAdmin, IfOper, Port, PortTable};
use crate::probe::snmp::{finish_system, system_scalars, take_system};
use crate::profile::Quirks;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Plan, Sink, Value};

const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
const IFX_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const DUPLEX: [u32; 11] = [1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19];

/// The columns, in the order in which they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Column {
    Descr,
    Type,
    Mtu,
    Speed,
    PhysAddress,
    AdminStatus,
    OperStatus,
    LastChange,
    InDiscards,
    InErrors,
    OutDiscards,
    OutErrors,
    Name,
    HcInOctets,
    HcOutOctets,
    HighSpeed,
    Alias,
    Discontinuity,
    Duplex,
    // Asked for only where the 64-bit ones are missing.
    InOctets,
    OutOctets,
}

use Column as C;

const COLUMNS: [C; 21] = [
    C::Descr,
    C::Type,
    C::Mtu,
    C::Speed,
    C::PhysAddress,
    C::AdminStatus,
    C::OperStatus,
    C::LastChange,
    C::InDiscards,
    C::InErrors,
    C::OutDiscards,
    C::OutErrors,
    C::Name,
    C::HcInOctets,
    C::HcOutOctets,
    C::HighSpeed,
    C::Alias,
    C::Discontinuity,
    C::Duplex,
    C::InOctets,
    C::OutOctets,
];
/// How many are asked for in any case.
const FIRST: usize = 19;
/// Rows that only the duplex column knows are no interfaces.
const NO_INTERFACE: u32 = 1 << C::Duplex as u32;

impl C {
    fn oid(self) -> Oid {
        let (entry, column): (&[u32], u32) = match self {
            C::Descr => (&IF_ENTRY, 2),
            C::Type => (&IF_ENTRY, 3),
            C::Mtu => (&IF_ENTRY, 4),
            C::Speed => (&IF_ENTRY, 5),
            C::PhysAddress => (&IF_ENTRY, 6),
            C::AdminStatus => (&IF_ENTRY, 7),
            C::OperStatus => (&IF_ENTRY, 8),
            C::LastChange => (&IF_ENTRY, 9),
            C::InOctets => (&IF_ENTRY, 10),
            C::InDiscards => (&IF_ENTRY, 13),
            C::InErrors => (&IF_ENTRY, 14),
            C::OutOctets => (&IF_ENTRY, 16),
            C::OutDiscards => (&IF_ENTRY, 19),
            C::OutErrors => (&IF_ENTRY, 20),
            C::Name => (&IFX_ENTRY, 1),
            C::HcInOctets => (&IFX_ENTRY, 6),
            C::HcOutOctets => (&IFX_ENTRY, 10),
            C::HighSpeed => (&IFX_ENTRY, 15),
            C::Alias => (&IFX_ENTRY, 18),
            C::Discontinuity => (&IFX_ENTRY, 19),
            C::Duplex => return Oid::from_arcs(&DUPLEX),
        };
        let mut oid = Oid::from_arcs(entry);
        oid.push(column);
        oid
    }
}

/// A text in the arena.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// What came for one ifIndex.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    index: u32,
    /// Which columns came at all.
    seen: u32,
    /// Which of them were numbers.
    numeric: u32,
    numbers: [u64; COLUMNS.len()],
    descr: Span,
    name: Span,
    alias: Span,
    mac: Option<[u8; 6]>,
}

impl Row {
    fn number(&self, column: C) -> Option<u64> {
        (self.numeric & (1 << column as u32) != 0).then(|| self.numbers[column as usize])
    }

    fn is_wire(&self) -> bool {
        self.number(C::Type).is_some_and(|kind| WIRES.contains(&kind))
    }

    /// Also where the agent does not say what it is, or calls it by a type of its own.
    fn may_be_wire(&self) -> bool {
        self.number(C::Type).is_none_or(|kind| !VIRTUAL.contains(&kind))
    }

    /// ifSpeed says something that no rounding, no placeholder and no cut to 32 bits makes of ifHighSpeed.
    fn contradicts_itself(&self) -> bool {
        let (Some(exact), Some(high)) = (self.number(C::Speed), self.number(C::HighSpeed)) else { return false };
        let plausible = (SLOWEST_WIRE..PLACEHOLDER).contains(&exact) && exact != u64::from(u32::MAX / 2);
        if !plausible || !(1..=FASTEST_MBPS).contains(&high) || exact == high || !self.is_wire() {
            return false;
        }
        let high = high * 1_000_000;
        exact.abs_diff(high) > 1_000_000 && exact.abs_diff(high & u64::from(u32::MAX)) > 1_000_000
    }
}

/// The sink of a ports walk.
#[derive(Debug, Default)]
pub struct Interfaces {
    /// What the numbers of columns mean; empty for all of them.
    asked: Vec<C>,
    device: Device,
    /// As many as there probably will be, and the octets of their texts: for room that is taken once, with the first cell.
    expected: (usize, usize),
    rows: Vec<Row>,
    /// Where each row is, once one came out of the order of ifIndex.
    place: Option<HashMap<u32, usize>>,
    /// Where each column's next cell probably belongs.
    next: [usize; COLUMNS.len()],
    texts: Vec<u8>,
    asked_narrow: bool,
}

impl Sink for Interfaces {
    fn scalar(&mut self, scalar: usize, value: Value<'_>) {
        take_system(&mut self.device, scalar, value);
    }

    fn cell(&mut self, column: usize, row: Index<'_>, value: Value<'_>) -> bool {
        // Rows of another shape are not interfaces; the walk's caps bound them.
        let (Some(index), Some(column)) = (row.single(), self.column(column)) else { return true };
        let at = self.place_of(index, column);
        let row = &mut self.rows[at];
        let bit = 1 << column as u32;
        if row.seen & bit != 0 {
            return false;
        }
        row.seen |= bit;
        if let Some(octets) = value.octets() {
            let span = Span { start: self.texts.len() as u32, length: octets.len().min(text::LIMIT) as u32 };
            match column {
                C::Descr => row.descr = span,
                C::Name => row.name = span,
                C::Alias => row.alias = span,
                C::PhysAddress => {
                    row.mac = mac(octets);
                    return true;
                }
                _ => {
                    if let Some(number) = decimal(octets) {
                        row.numeric |= bit;
                        row.numbers[column as usize] = number;
                    }
                    return true;
                }
            }
            self.texts.extend_from_slice(&octets[..span.length as usize]);
        } else if let Some(number) = value.number() {
            row.numeric |= bit;
            row.numbers[column as usize] = number;
        }
        true
    }

    fn more(&mut self) -> Vec<Oid> {
        let narrow = self.rows.iter().any(|row| {
            row.seen & !NO_INTERFACE != 0
                && (row.number(C::HcInOctets).is_none() || row.number(C::HcOutOctets).is_none())
        });
        if !narrow || std::mem::replace(&mut self.asked_narrow, true) {
            return Vec::new();
        }
        COLUMNS[FIRST..].iter().map(|c| c.oid()).collect()
    }
}

impl Interfaces {
    /// The system group and the columns that every device is asked for.
    pub fn plan(max_repetitions: u16) -> Plan {
        static USUAL: LazyLock<Plan> = LazyLock::new(|| Plan {
            scalars: system_scalars(),
            columns: COLUMNS[..FIRST].iter().map(|c| c.oid()).collect(),
            ..Plan::default()
        });
        Plan { max_repetitions, ..USUAL.clone() }
    }

    /// The same for a device that has to be spared some columns, or whose 64-bit counters are wrong.
    pub fn spared(max_repetitions: u16, quirks: Option<&Quirks>) -> (Self, Plan) {
        let mut plan = Self::plan(max_repetitions);
        let skips = |name: &str| quirks.is_some_and(|q| q.skip.iter().any(|skipped| **skipped == *name));
        let wide = quirks.is_none_or(|q| q.counters64 != Some(false));
        let kept = |column: &C| match column {
            C::HcInOctets | C::HcOutOctets => wide && !skips("ifXTable"),
            C::Name | C::HighSpeed => !skips("ifXTable"),
            C::Alias => !skips("ifAlias") && !skips("ifXTable"),
            C::Discontinuity => !skips("ifCounterDiscontinuityTime") && !skips("ifXTable"),
            C::LastChange => !skips("ifLastChange"),
            C::Duplex => !skips("dot3StatsDuplexStatus"),
            _ => true,
        };
        if COLUMNS.iter().all(kept) {
            return (Self::default(), plan);
        }
        let asked: Vec<C> = COLUMNS.iter().copied().filter(kept).collect();
        plan.columns = asked[..asked.len() - (COLUMNS.len() - FIRST)].iter().map(|c| c.oid()).collect();
        (Self { asked, ..Self::default() }, plan)
    }

    /// Makes room for what `before` had.
    #[must_use]
    pub fn like(self, before: Option<&PortTable>) -> Self {
        let length = |port: &Port| [&port.name, &port.description, &port.alias].map(|text| text.as_bytes().len());
        let texts = |table: &PortTable| table.ports.iter().flat_map(length).sum();
        Self { expected: before.map_or((0, 0), |table| (table.ports.len(), texts(table))), ..self }
    }

    fn column(&self, number: usize) -> Option<C> {
        if self.asked.is_empty() { COLUMNS.get(number).copied() } else { self.asked.get(number).copied() }
    }

    fn place_of(&mut self, index: u32, column: C) -> usize {
        let guess = self.next[column as usize];
        let at = if self.rows.get(guess).is_some_and(|row| row.index == index) { guess } else { self.look_up(index) };
        self.next[column as usize] = at + 1;
        at
    }

    /// The row of an ifIndex; a new one where it has none.
    fn look_up(&mut self, index: u32) -> usize {
        let end = self.rows.len();
        let known = match &self.place {
            Some(place) => place.get(&index).copied(),
            None if self.rows.last().is_none_or(|last| last.index < index) => None,
            None => self.rows.binary_search_by_key(&index, |row| row.index).ok(),
        };
        if let Some(at) = known {
            return at;
        }
        if self.place.is_none() && self.rows.last().is_some_and(|last| last.index > index) {
            self.place = Some(self.rows.iter().enumerate().map(|(at, row)| (row.index, at)).collect());
        }
        if let Some(place) = &mut self.place {
            place.insert(index, end);
        }
        if self.rows.capacity() == 0 {
            self.rows.reserve_exact(self.expected.0);
            self.texts.reserve_exact(self.expected.1);
        }
        self.rows.push(Row { index, ..Row::default() });
        end
    }

    /// The ports in the order of ifIndex. Texts that are as they were are shared with the table before.
    pub fn table(mut self, at: Timestamp, incomplete: Vec<String>, before: Option<&PortTable>) -> PortTable {
        self.rows.retain(|row| row.seen & !NO_INTERFACE != 0);
        self.rows.sort_unstable_by_key(|row| row.index);
        finish_system(&mut self.device);
        let complete = incomplete.is_empty();
        let mut warnings = incomplete;
        if self.rows.is_empty() && complete {
            warnings.push("the agent has no ifTable".to_owned());
        } else if self.rows.iter().all(|row| row.number(C::HcInOctets).is_none()) && !self.rows.is_empty() {
            warnings.push("no 64-bit counters: rates of fast ports are unreliable".to_owned());
        }
        let uptime = self.device.uptime;
        let ports = self.rows.iter().enumerate().map(|(i, row)| {
            let old = before.and_then(|table| {
                let guess = table.ports.get(i).filter(|p| p.index == row.index);
                guess.or_else(|| {
                    table.ports.binary_search_by_key(&row.index, |p| p.index).ok().map(|found| &table.ports[found])
                })
            });
            Port {
                index: row.index,
                name: self.text(row.name, old.map(|p| &p.name)),
                description: self.text(row.descr, old.map(|p| &p.description)),
                alias: self.text(row.alias, old.map(|p| &p.alias)),
                if_type: row.number(C::Type).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
                admin: row.number(C::AdminStatus).and_then(|n| IfAdmin::from_mib(i64::try_from(n).ok()?)),
                oper: row.number(C::OperStatus).and_then(|n| IfOper::from_mib(i64::try_from(n).ok()?)),
                speed_bps: speed(row.number(C::Speed), row.number(C::HighSpeed), row.is_wire()),
                mtu: row.number(C::Mtu).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=LARGEST_MTU).contains(n)),
                mac: row.mac,
                duplex: match row.number(C::Duplex).filter(|_| row.may_be_wire()) {
                    Some(2) => Some(Duplex::Half),
                    Some(3) => Some(Duplex::Full),
                    _ => None,
                },
                last_change: last_change(at, uptime, row.number(C::LastChange)),
                as_started: row.number(C::LastChange) == Some(0),
                counters: counters(row),
            }
        });
        let ports: Vec<Port> = ports.collect();
        let doubtful = self.rows.iter().zip(&ports).filter(|(row, _)| row.contradicts_itself()).map(|(_, port)| port);
        warnings.extend(contradicting(doubtful));
        let equipment = match before {
            Some(before) if complete => inherited(before, &self.device, &ports, at),
            // A walk that broke off may lack names: nothing is concluded from it.
            Some(before) => before.equipment.clone(),
            None => Arc::default(),
        };
        PortTable { collected_at: at, ports, packets: Vec::new(), complete, warnings, device: self.device, equipment }
    }

    fn text(&self, span: Span, old: Option<&Untrusted>) -> Untrusted {
        let start = span.start as usize;
        let octets = meaningful(self.texts.get(start..start + span.length as usize).unwrap_or_default());
        match old {
            Some(old) if old.as_bytes() == octets => old.clone(),
            _ => Untrusted::common(octets),
        }
    }
}

/// Types that are wires with a speed of their own (IANAifType): Ethernet and its older names, aggregates.
const WIRES: [u64; 7] = [6, 7, 26, 62, 69, 117, 161];
/// Types that have no two directions to speak of: PPP, loopback, frame relay, ATM, IP, MPLS, tunnels, VLANs. A duplex that stands
/// there is another port's, under a wrong index. An aggregate may be propVirtual(53).
const VIRTUAL: [u64; 15] = [22, 23, 24, 32, 37, 49, 126, 131, 135, 136, 142, 150, 166, 209, 246];
/// Bits per second.
const SLOWEST_WIRE: u64 = 10_000;
/// ifSpeed from here on says "too fast for this column"; agents round the 32 bits' end down.
const PLACEHOLDER: u64 = 4_294_900_000;
/// No interface has a larger one; what is above is a placeholder.
const LARGEST_MTU: u32 = 16 << 20;
/// 100 Tbit/s. What is above is a placeholder.
const FASTEST_MBPS: u64 = 100_000_000;

/// Text without what agents pad it with: trailing NULs, or nothing but blanks or a pair of quotes.
pub(super) fn meaningful(octets: &[u8]) -> &[u8] {
    let end = octets.iter().rposition(|o| *o != 0).map_or(0, |i| i + 1);
    let octets = &octets[..end];
    if octets == b"\"\"" || octets.iter().all(|o| o.is_ascii_whitespace() || *o == 0) { &[] } else { octets }
}

/// Some agents send numbers as text.
pub(super) fn decimal(octets: &[u8]) -> Option<u64> {
    std::str::from_utf8(octets).ok()?.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace()).parse().ok()
}

/// Six octets, or six octets written out: `00:11:22:aa:bb:cc`, `0-11-22-…`, `00 11 22 …`, `0011.22aa.bbcc`, `001122aabbcc`. Anything else (a Fibre Channel
/// name of eight, an address of four) is no MAC address.
pub(super) fn mac(octets: &[u8]) -> Option<[u8; 6]> {
    if let Ok(mac) = octets.try_into() {
        return Some(mac);
    }
    let text = std::str::from_utf8(octets).ok()?.trim_matches(|c: char| c == '\0' || c.is_ascii_whitespace());
    let hex = |digits: &str| u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
    let mut mac = [0; 6];
    let Some(separator) = text.chars().find(|c| matches!(c, ':' | '-' | '.' | ' ')) else {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        for (i, octet) in mac.iter_mut().enumerate() {
            *octet = hex(&text[2 * i..2 * i + 2])?;
        }
        return Some(mac);
    };
    let parts: Vec<&str> = text.split(separator).collect();
    match (separator, parts.as_slice()) {
        (':' | '-' | ' ', [_, _, _, _, _, _]) => {
            for (octet, part) in mac.iter_mut().zip(&parts) {
                *octet = hex(part).filter(|_| part.len() <= 2)?;
            }
        }
        ('.', [_, _, _]) if parts.iter().all(|p| p.len() == 4 && p.is_ascii()) => {
            for (i, part) in parts.iter().enumerate() {
                mac[2 * i] = hex(&part[..2])?;
                mac[2 * i + 1] = hex(&part[2..])?;
            }
        }
        _ => return None,
    }
    Some(mac)
}

/// After a sign that the device has other interfaces than before, its other tables are not asked again for this long where
/// the interfaces turn out to be the same: some agents give that sign at every walk.
const ASKED_LATELY: Duration = Duration::from_secs(300);

/// What the slower tables said, as far as it is still true. Where interfaces came, went or were renumbered all of them are
/// walked again now; what was told by ifIndex is told of other ports then, and is forgotten.
fn inherited(before: &PortTable, device: &Device, ports: &[Port], at: Timestamp) -> Arc<Equipment> {
    let same_number = |port: &Port| before.by_index(port.index).is_none_or(|old| old.label() == port.label());
    let same = ports.len() == before.ports.len() && ports.iter().all(|port| before.by_index(port.index).is_some());
    let renumbered = !ports.iter().all(same_number);
    let moved = match (before.device.table_last_change, device.table_last_change) {
        (Some(old), Some(new)) => old != new,
        _ => false,
    };
    if !moved && same && !renumbered {
        return before.equipment.clone();
    }
    let mut equipment = Equipment::clone(&before.equipment);
    if renumbered {
        // What a profile's tables brought goes with them: kept as if it were generic, it would come back beside itself.
        parts::take(&mut equipment);
        equipment = Equipment { entities: equipment.entities, sensors: equipment.sensors, ..Equipment::default() };
    } else if same {
        equipment.walked.retain(|walked| at.since(walked.at) < ASKED_LATELY);
    } else {
        equipment.walked.clear();
    }
    Arc::new(equipment)
}

/// Ports that are told of in a warning by their names.
const NAMED: usize = 4;

/// One warning for all ports whose two speeds are different ones.
fn contradicting<'a>(mut ports: impl Iterator<Item = &'a Port>) -> Option<String> {
    let names: Vec<String> = ports.by_ref().take(NAMED).map(|port| text::fit(&port.label().line(), 40)).collect();
    let more = ports.count();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let told =
        || format!("ifSpeed and ifHighSpeed contradict each other on {}{rest}: ifHighSpeed is told", names.join(", "));
    (!names.is_empty()).then(told)
}

/// Bits per second. ifSpeed is exact up to 4.29 Gbit/s and then a placeholder; ifHighSpeed is rounded to Mbit/s, and
/// zero on slow links and on agents that do not fill it. No wire is slower than 10 kbit/s: that is Mbit/s in ifSpeed.
fn speed(speed: Option<u64>, high: Option<u64>, is_wire: bool) -> Option<u64> {
    let speed = speed.filter(|s| !is_wire || *s >= SLOWEST_WIRE);
    // Bits instead of megabits per second in ifHighSpeed.
    if high.is_some() && high == speed && speed != Some(0) {
        return speed.filter(|s| *s < PLACEHOLDER);
    }
    let speed = speed.filter(|s| *s > 0 && *s < PLACEHOLDER);
    let high = high.filter(|h| (1..=FASTEST_MBPS).contains(h)).map(|h| h * 1_000_000);
    match (speed, high) {
        (Some(speed), Some(high)) if speed.abs_diff(high) <= 500_000 => Some(speed),
        (_, Some(high)) => Some(high),
        (Some(speed), None) => Some(speed),
        (None, None) => None,
    }
}

/// ifLastChange counts on the agent's clock. 0 is "before the agent started", and later than now is after a wrap.
fn last_change(now: Timestamp, uptime: Option<Duration>, ticks: Option<u64>) -> Option<Timestamp> {
    let changed = Duration::from_millis(ticks.filter(|t| *t > 0)?.checked_mul(10)?);
    Some(now.minus(uptime?.checked_sub(changed)?))
}

fn counters(row: &Row) -> Counters {
    let wide = (row.number(C::HcInOctets), row.number(C::HcOutOctets));
    let narrow = (row.number(C::InOctets), row.number(C::OutOctets));
    let (octets, is_wide) = match (wide, narrow) {
        ((Some(_), Some(_)), _) | ((Some(_), None) | (None, Some(_)), (None, None)) => (wide, true),
        _ => (narrow, false),
    };
    let [in_errors, out_errors, in_discards, out_discards] =
        [C::InErrors, C::OutErrors, C::InDiscards, C::OutDiscards].map(|column| row.number(column));
    let discontinuity = row.number(C::Discontinuity).and_then(|n| u32::try_from(n).ok());
    Counters::new([octets.0, octets.1, in_errors, out_errors, in_discards, out_discards], is_wide, discontinuity)
}

#[cfg(test)]
mod quirks;

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn set(sink: &mut Interfaces, column: C, index: u32, value: Value<'_>) -> bool {
        let root = column.oid();
        let mut name = root.clone();
        name.push(index);
        sink.cell(column as usize, name.as_raw().below(&root).expect("a cell"), value)
    }

    #[test]
    fn every_column_has_its_own_place() {
        for (i, column) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, i);
        }
        assert_eq!(C::Alias.oid().to_string(), "1.3.6.1.2.1.31.1.1.1.18");
    }

    #[test]
    fn speeds_come_from_whichever_column_means_something() {
        let max = u64::from(u32::MAX);
        assert_eq!(speed(Some(1_000_000_000), Some(0), false), Some(1_000_000_000));
        assert_eq!(speed(Some(max), Some(10_000), false), Some(10_000_000_000));
        assert_eq!(speed(Some(max), Some(0), false), None);
        assert_eq!(speed(Some(max), None, false), None);
        assert_eq!(speed(Some(1_544_000), Some(2), false), Some(1_544_000));
        assert_eq!(speed(Some(1_410_065_408), Some(10_000), false), Some(10_000_000_000));
        assert_eq!(speed(Some(100), Some(4_294_901_759), false), Some(100));
        assert_eq!(speed(Some(0), Some(0), false), None);
        assert_eq!(speed(Some(max - 1), None, true), None);
        assert_eq!(speed(Some(4_294_900_000), Some(0), true), None);
        assert_eq!(speed(Some(4_250_000_000), Some(0), true), Some(4_250_000_000));
        // Megabits in ifSpeed, which no wire is as slow as; a serial line is.
        assert_eq!(speed(Some(1000), Some(1000), true), Some(1_000_000_000));
        assert_eq!(speed(Some(1000), None, true), None);
        assert_eq!(speed(Some(9600), Some(0), false), Some(9600));
    }

    #[test]
    fn speeds_that_contradict_each_other_are_told_once_by_name() {
        let mut sink = Interfaces::default();
        for index in 1..=6 {
            set(&mut sink, C::Type, index, Value::Integer(6));
            set(&mut sink, C::Name, index, Value::Octets(format!("eth{index}").as_bytes()));
            set(&mut sink, C::Speed, index, Value::Gauge32(1_000_000_000));
            set(&mut sink, C::HighSpeed, index, Value::Gauge32(10_000));
            set(&mut sink, C::HcInOctets, index, Value::Counter64(1));
        }
        let table = sink.table(AT, Vec::new(), None);
        let words =
            "ifSpeed and ifHighSpeed contradict each other on eth1, eth2, eth3, eth4 and 2 more: ifHighSpeed is told";
        assert_eq!(table.warnings, [words]);
        assert!(table.complete && table.ports.iter().all(|port| port.speed_bps == Some(10_000_000_000)));
        for (exact, high) in
            [(1_410_065_408, 10_000), (u32::MAX, 10_000), (1_544_000, 2), (1000, 1000), (1_000_000_000, 0)]
        {
            let mut sink = Interfaces::default();
            set(&mut sink, C::Type, 1, Value::Integer(6));
            set(&mut sink, C::Speed, 1, Value::Gauge32(exact));
            set(&mut sink, C::HighSpeed, 1, Value::Gauge32(high));
            set(&mut sink, C::HcInOctets, 1, Value::Counter64(1));
            assert!(sink.table(AT, Vec::new(), None).warnings.is_empty(), "{exact} {high}");
        }
    }

    #[test]
    fn a_duplex_is_that_of_a_wire_or_of_an_aggregate_under_a_type_of_its_own() {
        let duplex = |kind: i64| {
            let mut sink = Interfaces::default();
            set(&mut sink, C::Type, 1, Value::Integer(kind));
            set(&mut sink, C::Duplex, 1, Value::Integer(3));
            sink.table(AT, Vec::new(), None).ports[0].duplex
        };
        assert_eq!([6, 161, 0, 53, 56].map(duplex), [Some(Duplex::Full); 5]);
        assert_eq!([24, 131, 135, 136].map(duplex), [None; 4]);
    }

    #[test]
    fn an_address_may_be_written_without_separators_or_with_blanks() {
        let known = Some([0x00, 0x11, 0x22, 0x33, 0x44, 0xff]);
        for text in [&b"0011223344ff"[..], b"00 11 22 33 44 ff", b"00:11:22:33:44:FF", b"0011.2233.44ff"] {
            assert_eq!(mac(text), known, "{text:?}");
        }
        for text in [&b"0011223344f"[..], b"0011223344fg", b"00 11 22 33 44", b"+011223344ff"] {
            assert_eq!(mac(text), None, "{text:?}");
        }
    }

    #[test]
    fn placeholders_are_no_text() {
        for empty in [&b""[..], b"\0", b"\0\0\0", b"\"\"", b"   ", b" \0"] {
            assert_eq!(meaningful(empty), b"", "{empty:?}");
        }
        assert_eq!(meaningful(b"Gi0/1\0\0"), b"Gi0/1");
        assert_eq!(meaningful(b"two words "), b"two words ");
    }

    #[test]
    fn a_change_before_the_start_or_after_a_wrap_has_no_time() {
        let up = Some(Duration::from_secs(100));
        assert_eq!(last_change(AT, up, Some(4_000)), Some(AT.minus(Duration::from_secs(60))));
        assert_eq!(last_change(AT, up, Some(0)), None);
        assert_eq!(last_change(AT, up, Some(20_000)), None);
        assert_eq!(last_change(AT, None, Some(4_000)), None);
    }

    #[test]
    fn rows_out_of_order_with_holes_and_huge_indexes_become_sorted_ports() {
        let mut sink = Interfaces::default();
        for index in [3_000_000_000, 7, 2] {
            assert!(set(&mut sink, C::OperStatus, index, Value::Integer(1)));
        }
        assert!(set(&mut sink, C::Name, 2, Value::Octets(b"Gi0/2")));
        assert!(set(&mut sink, C::Speed, 7, Value::Octets(b"1000000000")));
        assert!(set(&mut sink, C::InErrors, 7, Value::Counter64(9)));
        assert!(set(&mut sink, C::OperStatus, 8, Value::Octets(b"up")));
        assert!(set(&mut sink, C::AdminStatus, 8, Value::Null));
        assert!(set(&mut sink, C::Duplex, 99, Value::Integer(3)));
        assert!(!set(&mut sink, C::OperStatus, 7, Value::Integer(1)), "a cell that comes twice is a circle");
        let table = sink.table(AT, Vec::new(), None);
        let indexes: Vec<u32> = table.ports.iter().map(|p| p.index).collect();
        assert_eq!(indexes, [2, 7, 8, 3_000_000_000]);
        assert_eq!(table.ports[0].name.line(), "Gi0/2");
        assert_eq!(table.ports[1].speed_bps, Some(1_000_000_000));
        assert_eq!(table.ports[1].counters.in_errors(), Some(9));
        assert_eq!((table.ports[2].oper, table.ports[2].admin), (None, None));
        assert_eq!(table.warnings, ["no 64-bit counters: rates of fast ports are unreliable"]);
    }

    #[test]
    fn narrow_counters_are_asked_for_only_where_wide_ones_are_missing() {
        let mut sink = Interfaces::default();
        for index in 1..=2 {
            set(&mut sink, C::HcInOctets, index, Value::Counter64(u64::MAX));
        }
        set(&mut sink, C::HcOutOctets, 1, Value::Counter64(5));
        assert_eq!(sink.more().len(), 2);
        assert!(sink.more().is_empty(), "once");
        set(&mut sink, C::InOctets, 2, Value::Counter32(11));
        set(&mut sink, C::OutOctets, 2, Value::Counter32(12));
        let table = sink.table(AT, Vec::new(), None);
        assert!(table.ports[0].counters.wide && table.ports[0].counters.in_octets() == Some(u64::MAX));
        let narrow = table.ports[1].counters;
        assert!(!narrow.wide && narrow.in_octets() == Some(11) && narrow.out_octets() == Some(12));
    }

    #[test]
    fn a_table_shares_the_texts_of_the_one_before() {
        let walk = || {
            let mut sink = Interfaces::default();
            set(&mut sink, C::Alias, 1, Value::Octets(b"uplink to core"));
            sink
        };
        let first = walk().table(AT, Vec::new(), None);
        let second = walk().table(AT, Vec::new(), Some(&first));
        assert!(std::ptr::eq(first.ports[0].alias.as_bytes(), second.ports[0].alias.as_bytes()));
    }
}
