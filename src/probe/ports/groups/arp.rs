//! Which station has which address: `ipNetToPhysicalTable` (RFC 4293), and `ipNetToMediaTable`, which it replaced and which most
//! agents still have beside or in place of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Fixed, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::ArpEntry;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;

/// `ipNetToMediaPhysAddress`, `ipNetToMediaType`, indexed by ifIndex and address.
const MEDIA_MAC: usize = 0;
const MEDIA_TYPE: usize = 1;
/// `ipNetToPhysicalPhysAddress`, `ipNetToPhysicalType`, indexed by ifIndex, kind of address, length and address.
const PHYSICAL_MAC: usize = 2;
const PHYSICAL_TYPE: usize = 3;

/// `ipNetToMediaIfIndex`, `ipNetToMediaNetAddress`: what the index says, for agents that only number their rows.
const MEDIA_PORT: usize = 4;
const MEDIA_ADDRESS: usize = 5;

/// Of both types.
const INVALID: u64 = 2;

pub static GROUP: Fixed = Fixed {
    name: "arp",
    pace: Duration::from_secs(900),
    weight: Weight::Heavy,
    max_rows: 65_536,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 4, 22, 1, 2],
        &[1, 3, 6, 1, 2, 1, 4, 22, 1, 4],
        &[1, 3, 6, 1, 2, 1, 4, 35, 1, 4],
        &[1, 3, 6, 1, 2, 1, 4, 35, 1, 6],
        &[1, 3, 6, 1, 2, 1, 4, 22, 1, 1],
        &[1, 3, 6, 1, 2, 1, 4, 22, 1, 3],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let mut entries: BTreeMap<(IpAddr, Option<u32>), [u8; 6]> = BTreeMap::new();
    for (macs, types) in [(MEDIA_MAC, MEDIA_TYPE), (PHYSICAL_MAC, PHYSICAL_TYPE)] {
        for (row, mac) in tables.column(macs) {
            let is_media = macs == MEDIA_MAC;
            let mut arcs = row.arcs();
            let Some(index) = arcs.next() else { continue };
            let (index, address) = if is_media && row.single().is_some() {
                (
                    tables.get(MEDIA_PORT, row).and_then(values::index),
                    tables.get(MEDIA_ADDRESS, row).and_then(four_octets),
                )
            } else {
                (Some(index), address(&arcs.collect::<Vec<u32>>(), is_media))
            };
            let (port, Some(address)) = (index.filter(|index| *index > 0), address) else { continue };
            let is_valid = tables.get(types, row).and_then(values::number) != Some(INVALID);
            // An address of a group of stations is nobody's.
            let mac = mac.octets().and_then(values::mac).filter(|mac| mac[0] & 1 == 0 && is_valid);
            if let Some(mac) = mac {
                entries.insert((address, port), mac);
            }
        }
    }
    let entries = entries.into_iter().map(|((address, port), mac)| ArpEntry { address, mac, port });
    equipment.arp = entries.collect::<Vec<_>>().into();
}

/// An address as a value.
fn four_octets(value: Value<'_>) -> Option<IpAddr> {
    match value {
        Value::IpAddress(octets) => values::address(&octets),
        other => values::address(other.octets().filter(|octets| octets.len() == 4)?),
    }
}

/// The address in an index: four arcs, or its kind, its length and its octets; the length is missing on some.
pub fn address(arcs: &[u32], plain: bool) -> Option<IpAddr> {
    let octets = match arcs {
        octets if plain => octets,
        // ipv4(1), ipv6(2), ipv4z(3), ipv6z(4); z stands for a zone in four octets behind the address.
        [1, 4, octets @ ..] | [2, 16, octets @ ..] if octets.len() > 3 => octets,
        [3, 8, octets @ ..] | [4, 20, octets @ ..] if octets.len() > 4 => &octets[..octets.len() - 4],
        [1, octets @ ..] if octets.len() == 4 => octets,
        [2, octets @ ..] if octets.len() == 16 => octets,
        _ => return None,
    };
    values::address(&values::octets_of(octets)?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    #[test]
    fn both_tables_make_one_list_without_placeholders() {
        let mac: &[u8] = &[0, 0x25, 0x90, 0x5c, 0x6a, 0xaa];
        let v6: Vec<u32> = [7, 2, 16].into_iter().chain([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).collect();
        let zoned: Vec<u32> = [7, 4, 20]
            .into_iter()
            .chain([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 35, 13])
            .collect();
        let equipment = Fed::default()
            .cell(MEDIA_MAC, &[7, 10, 28, 13, 2], Value::Octets(mac))
            .cell(MEDIA_TYPE, &[7, 10, 28, 13, 2], Value::Integer(3))
            .cell(MEDIA_MAC, &[7, 10, 28, 13, 3], Value::Octets(mac))
            .cell(MEDIA_TYPE, &[7, 10, 28, 13, 3], Value::Integer(2))
            .cell(MEDIA_MAC, &[7, 10, 28, 13, 4], Value::Octets(&[0; 6]))
            .cell(MEDIA_MAC, &[7, 10, 28, 13, 255], Value::Octets(&[0xff; 6]))
            .cell(MEDIA_MAC, &[0, 10, 28, 13, 5], Value::Octets(mac))
            .cell(MEDIA_MAC, &[1], Value::Octets(mac))
            .cell(PHYSICAL_MAC, &[7, 1, 4, 10, 28, 13, 2], Value::Octets(mac))
            .cell(PHYSICAL_MAC, &[7, 1, 172, 16, 220, 1], Value::Octets(b"00:25:90:5c:6a:aa"))
            .cell(PHYSICAL_MAC, &v6, Value::Octets(mac))
            .cell(PHYSICAL_MAC, &zoned, Value::Octets(mac))
            .fold(&GROUP);
        let seen: Vec<String> = equipment.arp.iter().map(|e| e.address.to_string()).collect();
        assert_eq!(seen, ["10.28.13.2", "10.28.13.5", "172.16.220.1", "fd00::1", "fe80::9"]);
        assert!(equipment.arp.iter().all(|e| e.mac == [0, 0x25, 0x90, 0x5c, 0x6a, 0xaa]));
        assert!(equipment.arp.iter().all(|e| e.port == (e.address.to_string() != "10.28.13.5").then_some(7)));
    }

    #[test]
    fn rows_that_are_only_numbered_are_known_by_their_cells() {
        let mac: &[u8] = &[0, 0x25, 0x90, 0x5c, 0x6a, 0xaa];
        let equipment = Fed::default()
            .cell(MEDIA_PORT, &[1], Value::Integer(7))
            .cell(MEDIA_MAC, &[1], Value::Octets(mac))
            .cell(MEDIA_ADDRESS, &[1], Value::IpAddress([10, 28, 13, 2]))
            .cell(MEDIA_MAC, &[2], Value::Octets(mac))
            .cell(MEDIA_ADDRESS, &[2], Value::Octets(&[10, 28, 13, 3]))
            .cell(MEDIA_MAC, &[3], Value::Octets(mac))
            .cell(MEDIA_ADDRESS, &[3], Value::IpAddress([0; 4]))
            .fold(&GROUP);
        let seen: Vec<_> = equipment.arp.iter().map(|e| (e.address.to_string(), e.port)).collect();
        assert_eq!(seen, [("10.28.13.2".to_owned(), Some(7)), ("10.28.13.3".to_owned(), None)]);
    }
}
