//! LLDP-MIB (IEEE 802.1AB-2005) and LLDP-V2-MIB (2009): who is at the other end of each cable.
//!
//! The old MIB numbers local ports in a way of its own, which may or may not be that of ifIndex or of the bridge. So the
//! agent's own words for the port come first (`lldpLocPortTable`), and the bare number only where it can be but one port.
//! In the new MIB it is the ifIndex, unless the agent's own words say that it is another port's.
//!
//! A neighbor is called by its system name, else by its chassis, else by its port: the first of them that is said, in words.

mod place;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use self::place::Places;
use super::{Fixed, Walk, Weight, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::{MOST_ADDRESSES, Mac, Neighbor, NeighborProtocol, StrayNeighbor};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// `lldpLocChassisIdSubtype`, `lldpLocChassisId`, and behind them the same of LLDP-V2-MIB.
const OWN_CHASSIS: [usize; 2] = [0, 2];
/// `lldpLocPortIdSubtype`, `lldpLocPortId`, `lldpLocPortDesc`.
const LOCAL: usize = 0;
/// From `lldpRemChassisIdSubtype` to `lldpRemSysCapEnabled`.
const REMOTE: usize = 3;
/// `lldpRemManAddrIfSubtype`; the address is in its index.
const ADDRESS: usize = 12;
/// The same of LLDP-V2-MIB, where local ports are ifIndexes.
const REMOTE_V2: usize = 13;
const ADDRESS_V2: usize = 22;
/// `lldpV2LocPortIdSubtype`, `lldpV2LocPortId`, `lldpV2LocPortDesc`.
const LOCAL_V2: usize = 23;

/// Behind `REMOTE` and `REMOTE_V2`.
const CHASSIS_SUBTYPE: usize = 0;
const CHASSIS_ID: usize = 1;
const PORT_SUBTYPE: usize = 2;
const PORT_ID: usize = 3;
const PORT_DESC: usize = 4;
const SYS_NAME: usize = 5;
const SYS_DESC: usize = 6;
const CAPABLE: usize = 7;
const ENABLED: usize = 8;

pub static GROUP: Fixed = Fixed {
    name: "lldp",
    pace: Duration::from_secs(300),
    weight: Weight::Light,
    max_rows: 5_000,
    scalars: &[
        &[1, 0, 8802, 1, 1, 2, 1, 3, 1, 0],
        &[1, 0, 8802, 1, 1, 2, 1, 3, 2, 0],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 3, 1, 0],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 3, 2, 0],
    ],
    columns: &[
        &[1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 2],
        &[1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 3],
        &[1, 0, 8802, 1, 1, 2, 1, 3, 7, 1, 4],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 4],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 5],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 6],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 7],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 8],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 9],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 10],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 11],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 1, 1, 12],
        &[1, 0, 8802, 1, 1, 2, 1, 4, 2, 1, 3],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 5],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 6],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 7],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 8],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 9],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 10],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 11],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 12],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 1, 1, 13],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 4, 2, 1, 3],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 3, 7, 1, 2],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 3, 7, 1, 3],
        &[1, 3, 111, 2, 802, 1, 1, 13, 1, 3, 7, 1, 4],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.neighbors.retain(|n| n.protocol != NeighborProtocol::Lldp);
    }
    equipment.strays.retain(|stray| stray.neighbor.protocol != NeighborProtocol::Lldp);
    equipment.chassis_mac = OWN_CHASSIS.into_iter().find_map(|subtype| {
        let cell = |scalar| tables.scalar(scalar);
        identity(&CHASSIS, cell(subtype).and_then(values::number), cell(subtype + 1).and_then(values::octets_raw)).mac
    });
    let old = newest(tables, REMOTE, 3);
    if !old.is_empty() {
        let places = Places::new(tables, old.keys().map(|key| key[0]).collect(), walk, equipment);
        let addresses = addresses(tables, ADDRESS, 3);
        for (key, row) in &old {
            let neighbor = neighbor(tables, REMOTE, *row, addresses.get(key));
            add(equipment, places.port(key[0]), || places.words(key[0]), neighbor);
        }
    }
    let new = newest(tables, REMOTE_V2, 4);
    if !new.is_empty() {
        let places = Places::of_interfaces(tables, new.keys().map(|key| key[0]).collect(), walk);
        let addresses = addresses(tables, ADDRESS_V2, 4);
        for (key, row) in &new {
            let neighbor = neighbor(tables, REMOTE_V2, *row, addresses.get(key));
            add(equipment, places.port(key[0]), || places.words(key[0]), neighbor);
        }
    }
}

/// The rows of a table of neighbors by local port and what else is in their index of `width` arcs. The first arc is
/// the time at which the row came to be: of several times the latest counts.
fn newest<'a>(tables: &Tables<'a>, first: usize, width: usize) -> BTreeMap<Vec<u32>, Index<'a>> {
    let mut rows: BTreeMap<Vec<u32>, (u32, Index<'_>)> = BTreeMap::new();
    let columns = [CHASSIS_ID, PORT_ID, PORT_DESC, SYS_NAME].map(|column| first + column);
    for row in tables.rows_of(&columns) {
        let arcs: Vec<u32> = row.arcs().collect();
        let (time, key) = match arcs.split_first() {
            Some((time, key)) if arcs.len() == width => (*time, key.to_vec()),
            // Some leave the time out.
            _ if arcs.len() + 1 == width => (0, arcs),
            _ => continue,
        };
        let known = rows.entry(key).or_insert((time, row));
        if time > known.0 {
            *known = (time, row);
        }
    }
    rows.into_iter().map(|(key, (_, row))| (key, row)).collect()
}

/// Management addresses, which stand in the index behind the neighbor's: kind, length, octets. IPv4 goes first.
fn addresses(tables: &Tables<'_>, column: usize, width: usize) -> HashMap<Vec<u32>, Vec<IpAddr>> {
    let mut found: HashMap<Vec<u32>, Vec<IpAddr>> = HashMap::new();
    for (row, _) in tables.column(column) {
        let arcs: Vec<u32> = row.arcs().collect();
        let Some((neighbor, address)) = arcs.split_at_checked(width) else { continue };
        let octets = match address {
            [1, 4, octets @ ..] | [1, octets @ ..] if octets.len() == 4 => octets,
            [2, 16, octets @ ..] | [2, octets @ ..] if octets.len() == 16 => octets,
            _ => continue,
        };
        let Some(address) = values::octets_of(octets).and_then(|o| values::unicast(&o)) else { continue };
        found.entry(neighbor[1..].to_vec()).or_default().push(address);
    }
    for addresses in found.values_mut() {
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
    }
    found
}

fn add(equipment: &mut Equipment, port: Option<u32>, local: impl FnOnce() -> Untrusted, neighbor: Option<Neighbor>) {
    let Some(neighbor) = neighbor else { return };
    // Agents that have both MIBs tell everybody twice.
    if let Some(port) = port {
        let known = &mut equipment.port_mut(port).neighbors;
        if !known.contains(&neighbor) {
            known.push(neighbor);
        }
        return;
    }
    let stray = StrayNeighbor { local: local(), neighbor };
    if !equipment.strays.contains(&stray) {
        equipment.strays.push(stray);
    }
}

/// `None` where the row says nothing of anybody.
fn neighbor(tables: &Tables<'_>, first: usize, row: Index<'_>, addresses: Option<&Vec<IpAddr>>) -> Option<Neighbor> {
    let cell = |column: usize| tables.get(first + column, row);
    let identity = |kinds, subtype, id| {
        identity(kinds, cell(subtype).and_then(values::number), cell(id).and_then(values::octets_raw))
    };
    let chassis = identity(&CHASSIS, CHASSIS_SUBTYPE, CHASSIS_ID);
    let port_id = identity(&PORT, PORT_SUBTYPE, PORT_ID);
    let port_description = values::name(cell(PORT_DESC));
    let capabilities = |column| cell(column).and_then(Value::octets).and_then(forwards);
    let port = first_said([&port_id.words, &port_description, &port_id.digits]);
    let name = first_said([
        &values::name(cell(SYS_NAME)),
        &chassis.words,
        &port_id.words,
        &port_description,
        &chassis.digits,
        &port_id.digits,
    ]);
    (!name.is_empty() || addresses.is_some()).then(|| Neighbor {
        protocol: NeighborProtocol::Lldp,
        name,
        port,
        port_description,
        platform: values::name(cell(SYS_DESC)),
        chassis_mac: chassis.mac,
        addresses: addresses.cloned().unwrap_or_default(),
        forwards: capabilities(ENABLED).or_else(|| capabilities(CAPABLE)),
        half_duplex: None,
    })
}

fn first_said<const N: usize>(texts: [&Untrusted; N]) -> Untrusted {
    texts.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
}

/// Which subtypes are a MAC address and a network address.
struct Kinds {
    mac: u64,
    address: u64,
}

/// `LldpChassisIdSubtype` and `LldpPortIdSubtype`.
const CHASSIS: Kinds = Kinds { mac: 4, address: 5 };
const PORT: Kinds = Kinds { mac: 3, address: 4 };

/// Who or what an identifier names.
#[derive(Debug, Default)]
struct Identity {
    /// As a person would write it.
    words: Untrusted,
    /// Octets that are no words of any kind, in hexadecimal.
    digits: Untrusted,
    mac: Option<Mac>,
}

impl Identity {
    fn words(words: impl Into<Untrusted>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }
}

fn identity(kinds: &Kinds, subtype: Option<u64>, octets: Option<&[u8]>) -> Identity {
    let Some(octets) = octets.filter(|octets| !octets.iter().all(|octet| matches!(octet, 0 | 0xff))) else {
        return Identity::default();
    };
    let padding = |octet: &u8| matches!(octet, 0 | b'\t' | b'\n' | b'\r');
    let has_control = octets.iter().any(|octet| octet.is_ascii_control() && !padding(octet));
    let is_text = !has_control && std::str::from_utf8(octets).is_ok_and(|text| !text.chars().any(is_c1));
    if (subtype == Some(kinds.mac) || !is_text)
        && let Some(mac) = values::mac(octets)
    {
        return Identity { words: values::mac_words(mac).into(), mac: Some(mac), ..Identity::default() };
    }
    if subtype == Some(kinds.address)
        && let Some(address) = network_address(octets)
    {
        return Identity::words(address.to_string());
    }
    // What is no UTF-8 and has no control characters is text of an older encoding.
    if is_text || !has_control {
        return Identity::words(values::name(Some(Value::Octets(octets))));
    }
    let digits: Vec<String> = octets.iter().take(LONGEST_ID).map(|octet| format!("{octet:02x}")).collect();
    Identity { digits: digits.join(":").into(), ..Identity::default() }
}

/// An identifier has 255 octets at most; so many are shown of one in hexadecimal.
const LONGEST_ID: usize = 32;

fn is_c1(c: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&c)
}

/// The IANA number of the address family and the address; some leave the number out.
fn network_address(octets: &[u8]) -> Option<IpAddr> {
    match octets {
        [1 | 2, address @ ..] if matches!(address.len(), 4 | 16) => values::address(address),
        _ => values::address(octets),
    }
}

/// `LldpSystemCapabilitiesMap`, first bit first: other, repeater, bridge, wlanAccessPoint, router, telephone, ...
/// A telephone has a bridge inside, but nothing behind it that others depend on.
fn forwards(bits: &[u8]) -> Option<bool> {
    const FORWARDS: u8 = 0b0111_1000;
    const TELEPHONE: u8 = 0b0000_0100;
    let first = match bits {
        // As it stands in the frame: two octets, the last bit first.
        [0, low] => low.reverse_bits(),
        [first, ..] => *first,
        [] => 0,
    };
    (first != 0).then_some(first & FORWARDS != 0 && first & TELEPHONE == 0)
}

#[cfg(test)]
mod tests;
