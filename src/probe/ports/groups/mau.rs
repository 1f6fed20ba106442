//! MAU-MIB (RFC 4836): what a port's transceiver could do, which tells a port that runs slower than it might. Two lists of bits
//! say it: the types of medium that the unit can be, and what its auto-negotiation offers; the fastest of both counts. Agents
//! leave either one empty. The type of medium that it is now tells the duplex of agents that have no EtherLike-MIB.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::{Duplex, Equipment};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;
use crate::proto::snmp::{Oid, Value};

/// `ifMauTypeListBits`, indexed by ifIndex and the number of the unit.
const TYPES: usize = 0;
/// `ifMauAutoNegCapabilityBits`, indexed in the same way.
const CAPABILITIES: usize = 1;
/// `ifMauType`, indexed in the same way.
const TYPE: usize = 2;

pub static GROUP: Fixed = Fixed {
    name: "mau",
    pace: Duration::from_secs(900),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 26, 2, 1, 1, 13],
        &[1, 3, 6, 1, 2, 1, 26, 5, 1, 1, 9],
        &[1, 3, 6, 1, 2, 1, 26, 2, 1, 1, 3],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        (port.capable_bps, port.duplex) = (None, None);
    }
    let lists: [(usize, Speed); 2] = [(TYPES, type_mbps), (CAPABILITIES, capability_mbps)];
    for (column, speed) in lists {
        for (row, bits) in tables.column(column) {
            let Some(port) = row.arcs().next().and_then(|index| walk.known(index)) else { continue };
            let Some(mbps) = fastest(bits, speed) else { continue };
            let facts = equipment.port_mut(port);
            facts.capable_bps = facts.capable_bps.max(Some(mbps * 1_000_000));
        }
    }
    let types = Oid::from_arcs(&MAU_TYPES);
    for (row, kind) in tables.column(TYPE) {
        let Some(port) = row.arcs().next().and_then(|index| walk.known(index)) else { continue };
        let Value::Oid(kind) = kind else { continue };
        let duplex = kind.below(&types).and_then(Index::single).and_then(type_duplex);
        if let Some(duplex) = duplex {
            equipment.port_mut(port).duplex = Some(duplex);
        }
    }
}

/// `dot3MauType`: the identities of the types of medium.
const MAU_TYPES: [u32; 8] = [1, 3, 6, 1, 2, 1, 26, 4];

/// The types that say it: of each pair with a name of its own for half and for full, and those that know nothing else. 10BASE-T as
/// such (5), fibre to the home and first-mile copper (50 to 53) leave it open.
fn type_duplex(kind: u32) -> Option<Duplex> {
    match kind {
        10 | 12 | 14 | 15 | 17 | 19 | 21 | 23 | 25 | 27 | 29 => Some(Duplex::Half),
        11 | 13 | 16 | 18 | 20 | 22 | 24 | 26 | 28 | 30..=41 | 44..=49 | 54..=78 => Some(Duplex::Full),
        _ => None,
    }
}

/// What a bit means, in Mbit/s.
type Speed = fn(usize) -> Option<u64>;

/// The fastest of the bits that are set; the first is the highest one of the first octet.
fn fastest(bits: Value<'_>, speed: Speed) -> Option<u64> {
    let octets = values::octets_raw(bits)?;
    let set = |bit: &usize| octets[bit / 8] & (0x80 >> (bit % 8)) != 0;
    (0..octets.len() * 8).filter(set).filter_map(speed).max()
}

/// `IANAifMauTypeListBits`. What is not an Ethernet speed for sure (long-reach copper, passive optical networks) tells none.
fn type_mbps(bit: usize) -> Option<u64> {
    match bit {
        2..=13 => Some(10),
        14..=20 | 44..=46 => Some(100),
        21..=30 | 47..=49 | 56 => Some(1_000),
        31..=41 | 54 | 55 | 57 | 58 => Some(10_000),
        70..=74 => Some(40_000),
        75..=78 => Some(100_000),
        _ => None,
    }
}

/// `IANAifMauAutoNegCapBits`; those between are kinds of pauses.
fn capability_mbps(bit: usize) -> Option<u64> {
    match bit {
        1 | 2 => Some(10),
        3..=7 => Some(100),
        12..=15 | 17 => Some(1_000),
        16 | 18 | 19 => Some(10_000),
        20 | 21 => Some(40_000),
        22 => Some(100_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    /// The octets are those of recorded switches.
    #[test]
    fn the_fastest_of_both_lists_is_what_a_port_can_do() {
        let equipment = Fed::default()
            .ports(&[1, 2, 3, 4, 5, 6])
            .cell(TYPES, &[1, 1], Value::Octets(&[0, 0, 0x80, 0x02, 0, 0, 0, 0, 0, 0]))
            .cell(CAPABILITIES, &[1, 1], Value::Octets(&[0x04, 0xb1, 0]))
            .cell(TYPES, &[2, 1], Value::Octets(&[0, 0, 0, 0, 0x08, 0, 0, 0, 0, 0]))
            .cell(CAPABILITIES, &[2, 1], Value::Octets(&[0, 0, 0]))
            .cell(TYPES, &[3, 1], Value::Octets(&[0x80, 0, 0, 0]))
            .cell(CAPABILITIES, &[3, 1], Value::Octets(&[0, 0x10]))
            .cell(CAPABILITIES, &[4, 1], Value::Octets(&[0, 0x04]))
            .cell(TYPES, &[5, 1], Value::Octets(&[]))
            .cell(TYPES, &[6, 1], Value::Integer(30))
            .cell(TYPES, &[77, 1], Value::Octets(&[0, 0, 0x80]))
            .fold(&GROUP);
        let can = |index: u32| equipment.port(index).and_then(|port| port.capable_bps);
        assert_eq!([1, 2, 4].map(can), [Some(1_000_000_000), Some(10_000_000_000), Some(1_000_000_000)]);
        assert_eq!([3, 5, 6, 77].map(can), [None; 4], "pauses, nothing, numbers and strangers say no speed");
    }
    #[test]
    fn the_type_of_medium_tells_the_duplex_where_it_says_one() {
        let kind = |number: u32| {
            let mut oid = Oid::from_arcs(&MAU_TYPES);
            oid.push(number);
            oid
        };
        let types = [15, 16, 30, 35, 5, 0].map(kind);
        let mut fed = Fed::default().ports(&[1, 2, 3, 4, 5, 6, 7]);
        for (port, oid) in (1..).zip(&types) {
            fed = fed.cell(TYPE, &[port, 1], Value::Oid(oid.as_raw()));
        }
        let equipment = fed.cell(TYPE, &[7, 1], Value::Integer(30)).fold(&GROUP);
        let duplex = [1, 2, 3, 4, 5, 6, 7].map(|index| equipment.port(index).and_then(|port| port.duplex));
        let (half, full) = (Some(Duplex::Half), Some(Duplex::Full));
        assert_eq!(duplex, [half, full, full, full, None, None, None]);
    }
}
