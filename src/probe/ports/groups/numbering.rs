//! What the port numbers of a table are. BRIDGE-MIB and Q-BRIDGE-MIB number bridge ports, which `dot1dBasePortTable` maps to
//! ifIndexes; but there are agents that put ifIndexes there. The numbers that a table uses tell which it is: the reading
//! that explains more of them holds for the whole table, and where none does, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use super::Walk;
use crate::model::{Equipment, IfOper};

/// How one table numbers its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    BridgePort,
    IfIndex,
    Unknown,
}

impl Numbering {
    /// The reading of a table of a bridge. 0 is no port and tells nothing.
    pub fn of(numbers: impl IntoIterator<Item = u32>, walk: &Walk<'_>, equipment: &Equipment) -> Self {
        let numbers: BTreeSet<u32> = numbers.into_iter().filter(|n| *n > 0).collect();
        let mapped = numbers.iter().filter(|n| equipment.bridge_port(**n).is_some()).count();
        let direct = numbers.iter().filter(|n| walk.port(**n).is_some()).count();
        let all_direct = direct == numbers.len();
        // Without a map, small numbers may be either.
        let beyond = || numbers.last().is_some_and(|n| *n as usize > walk.ports.len());
        if mapped > 0 && (mapped >= direct || !all_direct) {
            Self::BridgePort
        } else if direct > 0 && all_direct && (!equipment.bridge_ports.is_empty() || beyond()) {
            Self::IfIndex
        } else {
            Self::Unknown
        }
    }

    /// The reading of a table that numbers bridge ports on a bridge and ifIndexes elsewhere, by its own standard
    /// (LLDP-MIB). `resolved` are numbers whose port is known by other words: a reading must explain most of them. Of two
    /// that do, that counts whose ports could rather have a neighbor.
    pub fn of_either(
        numbers: &BTreeSet<u32>,
        resolved: &BTreeMap<u32, u32>,
        walk: &Walk<'_>,
        equipment: &Equipment,
    ) -> Self {
        let readings = [Self::IfIndex, Self::BridgePort];
        let explains = |reading: &Self| {
            let right = resolved.iter().filter(|(n, at)| reading.port(**n, walk, equipment) == Some(**at)).count();
            right * 2 > resolved.len() || resolved.is_empty()
        };
        let connected = |index| {
            walk.port(index).is_some_and(|p| p.if_type.is_none_or(is_wire) && matches!(p.oper, Some(IfOper::Up) | None))
        };
        let score = |reading: Self| {
            let ports = numbers.iter().filter_map(|n| reading.port(*n, walk, equipment));
            ports.filter(|index| connected(*index)).count()
        };
        let mut possible: Vec<(usize, Self)> =
            readings.into_iter().filter(explains).map(|reading| (score(reading), reading)).collect();
        possible.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let same = |one: Self, other: Self| {
            numbers.iter().all(|n| one.port(*n, walk, equipment) == other.port(*n, walk, equipment))
        };
        match possible[..] {
            [(first, one), (second, other)] if first > second || same(one, other) => one,
            [(_, only)] => only,
            _ => Self::Unknown,
        }
    }

    /// The ifIndex of a number.
    pub fn port(self, number: u32, walk: &Walk<'_>, equipment: &Equipment) -> Option<u32> {
        match self {
            Self::BridgePort => equipment.bridge_port(number),
            Self::IfIndex => walk.known(number),
            Self::Unknown => None,
        }
    }
}

/// Types of interfaces (IANAifType) that a cable or a radio ends in, or an aggregate of such.
pub fn is_wire(if_type: u32) -> bool {
    // ethernetCsmacd, iso88023Csmacd, fastEther, fibreChannel, fastEtherFX, ieee80211, gigabitEthernet, ieee8023adLag
    matches!(if_type, 6 | 7 | 62 | 56 | 69 | 71 | 117 | 161)
}

#[cfg(test)]
mod tests {
    use super::super::testing::ports;
    use super::*;

    fn equipment(map: &[(u32, u32)]) -> Equipment {
        Equipment { bridge_ports: map.to_vec(), ..Equipment::default() }
    }

    #[test]
    fn the_reading_that_explains_the_numbers_holds() {
        let ports = ports(&[3, 4, 5, 10101, 10102]);
        let walk = Walk { ports: &ports };
        let bridge = equipment(&[(1, 10101), (2, 10102)]);
        assert_eq!(Numbering::of([0, 1, 2], &walk, &bridge), Numbering::BridgePort);
        assert_eq!(Numbering::of([1, 2, 77], &walk, &bridge), Numbering::BridgePort);
        assert_eq!(Numbering::of([3, 4, 10101], &walk, &bridge), Numbering::IfIndex);
        assert_eq!(Numbering::of([3, 4, 99], &walk, &bridge), Numbering::Unknown);
        assert_eq!(Numbering::of([10101], &walk, &equipment(&[])), Numbering::IfIndex);
        assert_eq!(Numbering::of([3, 4], &walk, &equipment(&[])), Numbering::Unknown, "may be the third port");
        assert_eq!(Numbering::of([], &walk, &bridge), Numbering::Unknown);
    }

    #[test]
    fn where_both_readings_are_possible_the_links_decide() {
        let mut ports = ports(&[1, 2, 3]);
        let bridge = equipment(&[(1, 2), (2, 3)]);
        let numbers = BTreeSet::from([1, 2]);
        let nothing = BTreeMap::new();
        for (i, up) in [(0, false), (1, true), (2, true)] {
            ports[i].oper = Some(if up { IfOper::Up } else { IfOper::Down });
        }
        let either = |ports: &[crate::model::Port], numbers: &BTreeSet<u32>, resolved: &BTreeMap<u32, u32>| {
            Numbering::of_either(numbers, resolved, &Walk { ports }, &bridge)
        };
        assert_eq!(either(&ports, &numbers, &nothing), Numbering::BridgePort);
        assert_eq!(either(&ports, &numbers, &BTreeMap::from([(3, 3)])), Numbering::IfIndex);
        ports[0].oper = Some(IfOper::Up);
        assert_eq!(either(&ports, &numbers, &nothing), Numbering::Unknown);
        assert_eq!(either(&ports, &numbers, &BTreeMap::from([(1, 2)])), Numbering::BridgePort);
        assert_eq!(either(&ports, &numbers, &BTreeMap::from([(1, 3)])), Numbering::Unknown, "neither explains it");
        ports[2].oper = Some(IfOper::Down);
        assert_eq!(either(&ports, &numbers, &nothing), Numbering::IfIndex);
        ports[0].if_type = Some(24);
        assert_eq!(either(&ports, &numbers, &nothing), Numbering::Unknown, "a loopback has no neighbor");
    }
}
