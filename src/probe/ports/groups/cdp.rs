//! CISCO-CDP-MIB: neighbors by Cisco's own protocol, which others speak too. Its rows name the ifIndex themselves.

use std::time::Duration;

use super::{Fixed, Walk, Weight, values};
use crate::base::Untrusted;
use crate::model::Equipment;
use crate::model::device::{Neighbor, NeighborProtocol, StrayNeighbor};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// `cdpCacheAddressType`, `cdpCacheAddress`, `cdpCacheDeviceId`, `cdpCacheDevicePort`, `cdpCachePlatform`,
/// `cdpCacheCapabilities`, `cdpCacheDuplex`; indexed by ifIndex and a number.
const ADDRESS_TYPE: usize = 0;
const ADDRESS: usize = 1;
const DEVICE: usize = 2;
const PORT: usize = 3;
const PLATFORM: usize = 4;
const CAPABILITIES: usize = 5;
const DUPLEX: usize = 6;
/// `cdpCacheSysName`, where the device id says nothing.
const SYS_NAME: usize = 7;

pub static GROUP: Fixed = Fixed {
    name: "cdp",
    pace: Duration::from_secs(300),
    weight: Weight::Light,
    max_rows: 5_000,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 3],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 4],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 6],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 7],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 8],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 9],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 12],
        &[1, 3, 6, 1, 4, 1, 9, 9, 23, 1, 2, 1, 1, 17],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.neighbors.retain(|n| n.protocol != NeighborProtocol::Cdp);
    }
    equipment.strays.retain(|stray| stray.neighbor.protocol != NeighborProtocol::Cdp);
    for row in tables.rows_of(&[DEVICE, PORT]) {
        let mut arcs = row.arcs();
        let (Some(index), Some(_), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        let neighbor = neighbor(tables, row);
        match walk.known(index) {
            Some(port) => equipment.port_mut(port).neighbors.push(neighbor),
            None => equipment.strays.push(StrayNeighbor { local: Untrusted::from(index.to_string()), neighbor }),
        }
    }
}

fn neighbor(tables: &Tables<'_>, row: Index<'_>) -> Neighbor {
    let cell = |column| tables.get(column, row);
    // Stations are named by their address, as six octets.
    let name = |column| {
        let octets = cell(column).and_then(values::octets_raw)?;
        let is_text = std::str::from_utf8(octets).is_ok_and(|t| t.chars().all(|c| !c.is_control() || c == '\0'));
        let mac = if is_text { None } else { values::mac(octets) };
        Some((mac.map_or_else(|| values::name(Some(Value::Octets(octets))), |m| values::mac_words(m).into()), mac))
    };
    let (mut device, chassis_mac) = name(DEVICE).unwrap_or_default();
    if device.is_empty() {
        device = values::name(cell(SYS_NAME));
    }
    // Address types: ip(1), ipv6(20).
    let has_address = matches!(cell(ADDRESS_TYPE).and_then(values::number), Some(1 | 20) | None);
    let address = cell(ADDRESS).filter(|_| has_address).and_then(|v| match v {
        Value::IpAddress(octets) => values::unicast(&octets),
        other => values::unicast(other.octets()?),
    });
    Neighbor {
        platform: values::name(cell(PLATFORM)),
        chassis_mac,
        addresses: address.into_iter().collect(),
        forwards: cell(CAPABILITIES).and_then(Value::octets).and_then(forwards),
        half_duplex: match cell(DUPLEX).and_then(values::number) {
            Some(2) => Some(true),
            Some(3) => Some(false),
            _ => None,
        },
        ..Neighbor::new(NeighborProtocol::Cdp, device, name(PORT).unwrap_or_default().0)
    }
}

/// Four octets, the last bits: router, transparent bridge, source-route bridge, switch, host, IGMP, repeater, telephone.
fn forwards(octets: &[u8]) -> Option<bool> {
    const FORWARDS: u32 = 0x01 | 0x02 | 0x04 | 0x08 | 0x40;
    const TELEPHONE: u32 = 0x80;
    let bits = u32::from_be_bytes(octets.try_into().ok()?);
    // Words in place of bits are no capabilities.
    (bits != 0 && bits >> 16 == 0).then_some(bits & FORWARDS != 0 && bits & TELEPHONE == 0)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::testing::Fed;
    use super::*;

    #[test]
    fn neighbors_stand_on_the_ports_that_their_rows_name() {
        let equipment = Fed::default()
            .ports(&[10149])
            .cell(ADDRESS_TYPE, &[10149, 2], Value::Integer(1))
            .cell(ADDRESS, &[10149, 2], Value::Octets(&[10, 1, 100, 181]))
            .cell(DEVICE, &[10149, 2], Value::Octets(b"core.example.test"))
            .cell(PORT, &[10149, 2], Value::Octets(b"GigabitEthernet0/2"))
            .cell(PLATFORM, &[10149, 2], Value::Octets(b"cisco WS-C3560-24PS"))
            .cell(CAPABILITIES, &[10149, 2], Value::Octets(&[0, 0, 0, 0x29]))
            .cell(DUPLEX, &[10149, 2], Value::Integer(2))
            .cell(DEVICE, &[10149, 3], Value::Octets(&[0xe8, 0x39, 0x35, 0x1a, 0xca, 0x99]))
            .cell(ADDRESS_TYPE, &[10149, 3], Value::Integer(65_535))
            .cell(ADDRESS, &[10149, 3], Value::Octets(b""))
            .cell(CAPABILITIES, &[10149, 3], Value::Octets(b"Host "))
            .cell(DEVICE, &[77, 1], Value::Octets(b"SEP001122334455"))
            .cell(CAPABILITIES, &[77, 1], Value::Octets(&[0, 0, 4, 0x90]))
            .cell(DEVICE, &[78, 1], Value::Octets(b"Not Advertised"))
            .cell(SYS_NAME, &[78, 1], Value::Octets(b"dist-2"))
            .fold(&GROUP);
        let [first, second] = &equipment.port(10149).expect("a port").neighbors[..] else { panic!("two neighbors") };
        assert_eq!((first.name.line(), first.port.line()), ("core.example.test".into(), "GigabitEthernet0/2".into()));
        assert_eq!(first.addresses, ["10.1.100.181".parse::<IpAddr>().expect("an address")]);
        assert_eq!((first.forwards, first.half_duplex), (Some(true), Some(true)));
        assert_eq!(second.name.line(), "e8:39:35:1a:ca:99");
        assert_eq!((second.addresses.len(), second.forwards, second.half_duplex), (0, None, None));
        assert_eq!(equipment.strays.len(), 2);
        assert_eq!(equipment.strays[1].neighbor.name.line(), "dist-2");
        assert_eq!(equipment.strays[0].neighbor.forwards, Some(false), "a telephone");
    }

    #[test]
    fn an_address_is_well_formed_and_of_one_station() {
        let told = |kind: i64, octets: &[u8]| {
            let fed = Fed::default().ports(&[7]).cell(DEVICE, &[7, 1], Value::Octets(b"core"));
            let fed = fed.cell(ADDRESS_TYPE, &[7, 1], Value::Integer(kind));
            let equipment = fed.cell(ADDRESS, &[7, 1], Value::Octets(octets)).fold(&GROUP);
            equipment.port(7).expect("a neighbor").neighbors[0].addresses.first().map(ToString::to_string)
        };
        assert_eq!(told(1, &[10, 0, 0, 9]).as_deref(), Some("10.0.0.9"));
        for nothing in [&[][..], &[10, 0, 0], &[10, 0, 0, 9, 0], &[0; 4], &[224, 0, 0, 5], &[255; 4], &[0xff; 16]] {
            assert_eq!(told(1, nothing), None, "{nothing:?}");
        }
        assert_eq!(told(4, &[10, 0, 0, 9]), None, "another protocol's");
    }
}
