//! The addresses of the device's own interfaces: `ipAddressTable` (RFC 4293), and `ipAddrTable`, which it replaced and which most
//! agents still have beside or in place of it. The bits of the network come from the mask, or from the end of the pointer
//! into `ipAddressPrefixTable`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, arp, values};
use crate::model::Equipment;
use crate::model::device::PortAddress;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::{Oid, Value};

/// `ipAdEntIfIndex` and `ipAdEntNetMask`, indexed by address.
const OLD_INDEX: usize = 0;
const MASK: usize = 1;
/// `ipAddressIfIndex`, `ipAddressType` and `ipAddressPrefix`, indexed by kind of address, length and address.
const INDEX: usize = 2;
const KIND: usize = 3;
const PREFIX: usize = 4;

/// `ipAddressType` of an address that is nobody's own.
const BROADCAST: u64 = 3;
/// `ipAddressPrefixEntry`; a row is named by ifIndex, kind, length, address and the bits of the network.
const PREFIXES: &[u32] = &[1, 3, 6, 1, 2, 1, 4, 32, 1];

pub static GROUP: Fixed = Fixed {
    name: "addresses",
    pace: Duration::from_secs(900),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 4, 20, 1, 2],
        &[1, 3, 6, 1, 2, 1, 4, 20, 1, 3],
        &[1, 3, 6, 1, 2, 1, 4, 34, 1, 3],
        &[1, 3, 6, 1, 2, 1, 4, 34, 1, 4],
        &[1, 3, 6, 1, 2, 1, 4, 34, 1, 5],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.addresses = Vec::new();
    }
    let mut found: BTreeMap<(u32, IpAddr), Option<u8>> = BTreeMap::new();
    for (indexes, prefixes) in [(OLD_INDEX, MASK), (INDEX, PREFIX)] {
        for (row, index) in tables.column(indexes) {
            let arcs: Vec<u32> = row.arcs().collect();
            let Some(address) = arp::address(&arcs, indexes == OLD_INDEX) else { continue };
            let Some(port) = values::index(index).and_then(|index| walk.known(index)) else { continue };
            if indexes == INDEX && tables.get(KIND, row).and_then(values::number) == Some(BROADCAST) {
                continue;
            }
            let bits = tables.get(prefixes, row).and_then(|value| bits(value, address));
            let known = found.entry((port, address)).or_default();
            *known = bits.or(*known);
        }
    }
    for ((port, address), prefix) in found {
        equipment.port_mut(port).addresses.push(PortAddress { address, prefix });
    }
}

/// The bits of the network, of a mask or of the row of a prefix; none is as good as not told.
fn bits(value: Value<'_>, address: IpAddr) -> Option<u8> {
    let bits = match value {
        Value::IpAddress(mask) => {
            let mask = u32::from_be_bytes(mask);
            Some(mask.leading_ones()).filter(|ones| ones + mask.trailing_zeros() == 32)?
        }
        Value::Oid(row) => row.below(&Oid::from_arcs(PREFIXES))?.arcs().last()?,
        _ => return None,
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    u8::try_from(bits).ok().filter(|bits| (1..=most).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    fn mask(octets: [u8; 4]) -> Value<'static> {
        Value::IpAddress(octets)
    }

    #[test]
    fn addresses_of_both_tables_stand_on_their_ports() {
        let v6: Vec<u32> =
            [2, 16].into_iter().chain([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).collect();
        let mut prefix = PREFIXES.to_vec();
        prefix.extend([5, 7, 2, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64]);
        let (prefix, nothing) = (Oid::from_arcs(&prefix), Oid::from_arcs(&[0, 0]));
        let equipment = Fed::default()
            .ports(&[7, 8])
            .cell(OLD_INDEX, &[10, 0, 0, 1], Value::Integer(7))
            .cell(OLD_INDEX, &[10, 0, 0, 2], Value::Integer(7))
            .cell(OLD_INDEX, &[10, 0, 1, 1], Value::Integer(8))
            .cell(OLD_INDEX, &[10, 0, 2, 1], Value::Integer(99))
            .cell(OLD_INDEX, &[0, 0, 0, 0], Value::Integer(8))
            .cell(OLD_INDEX, &[10, 0, 300, 1], Value::Integer(8))
            .cell(MASK, &[10, 0, 0, 1], mask([255, 255, 255, 192]))
            .cell(MASK, &[10, 0, 0, 2], mask([255, 0, 255, 0]))
            .cell(MASK, &[10, 0, 1, 1], mask([0, 0, 0, 0]))
            .cell(INDEX, &[1, 4, 10, 0, 0, 1], Value::Integer(7))
            .cell(INDEX, &[1, 4, 10, 0, 0, 63], Value::Integer(7))
            .cell(INDEX, &v6, Value::Integer(7))
            .cell(KIND, &[1, 4, 10, 0, 0, 63], Value::Integer(3))
            .cell(PREFIX, &[1, 4, 10, 0, 0, 1], Value::Oid(nothing.as_raw()))
            .cell(PREFIX, &v6, Value::Oid(prefix.as_raw()))
            .before(|e| e.port_mut(8).addresses.push(PortAddress { address: IpAddr::from([1, 1, 1, 1]), prefix: None }))
            .fold(&GROUP);
        let said = |port| -> Vec<String> {
            let all = equipment.port(port).map(|p| &p.addresses[..]).unwrap_or_default();
            all.iter().map(ToString::to_string).collect()
        };
        assert_eq!(said(7), ["10.0.0.1/26", "10.0.0.2", "2001:db8::1/64"]);
        assert_eq!(said(8), ["10.0.1.1"]);
    }
}
