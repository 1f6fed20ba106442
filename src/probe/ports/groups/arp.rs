//! Which station has which address: `ipNetToPhysicalTable` (RFC 4293), and `ipNetToMediaTable`, which it replaced and which most
//! agents still have beside or in place of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Fixed, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::ArpEntry;
use crate::probe::ports::cells::Tables;

/// `ipNetToMediaPhysAddress`, `ipNetToMediaType`, indexed by ifIndex and address.
const MEDIA_MAC: usize = 0;
const MEDIA_TYPE: usize = 1;
/// `ipNetToPhysicalPhysAddress`, `ipNetToPhysicalType`, indexed by ifIndex, kind of address, length and address.
const PHYSICAL_MAC: usize = 2;
const PHYSICAL_TYPE: usize = 3;

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
    ],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let mut entries: BTreeMap<(IpAddr, Option<u32>), [u8; 6]> = BTreeMap::new();
    for (macs, types) in [(MEDIA_MAC, MEDIA_TYPE), (PHYSICAL_MAC, PHYSICAL_TYPE)] {
        for (row, mac) in tables.column(macs) {
            let mut arcs = row.arcs();
            let Some(index) = arcs.next() else { continue };
            let port = Some(index).filter(|index| *index > 0);
            let Some(address) = address(&arcs.collect::<Vec<u32>>(), macs == MEDIA_MAC) else { continue };
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
    use crate::proto::snmp::Value;

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
}
