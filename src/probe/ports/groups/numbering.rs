//! What the port numbers of a table are. BRIDGE-MIB and Q-BRIDGE-MIB number bridge ports, which `dot1dBasePortTable` maps to
//! ifIndexes; but there are agents that put ifIndexes there. The numbers that a table uses tell which it is: the reading
//! that explains more of them holds for the whole table, and where none does, nothing is said.

use std::collections::BTreeSet;

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
    /// (LLDP-MIB): where both are possible, that counts whose ports could all have a neighbour.
    pub fn of_either(numbers: &BTreeSet<u32>, walk: &Walk<'_>, equipment: &Equipment) -> Self {
        let all = |port_of: &dyn Fn(u32) -> Option<u32>, fits: &dyn Fn(u32) -> bool| {
            !numbers.is_empty() && numbers.iter().all(|n| port_of(*n).is_some_and(fits))
        };
        let bridge = |number| equipment.bridge_port(number);
        let direct = |number| walk.known(number);
        let any = |_| true;
        let connected = |index| {
            walk.port(index).is_some_and(|p| p.if_type.is_none_or(is_wire) && matches!(p.oper, Some(IfOper::Up) | None))
        };
        match (all(&bridge, &any), all(&direct, &any)) {
            (false, false) => Self::Unknown,
            (true, false) => Self::BridgePort,
            (false, true) => Self::IfIndex,
            (true, true) if numbers.iter().all(|n| bridge(*n) == direct(*n)) => Self::IfIndex,
            (true, true) => match (all(&bridge, &connected), all(&direct, &connected)) {
                (true, false) => Self::BridgePort,
                (false, true) => Self::IfIndex,
                _ => Self::Unknown,
            },
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
        for (i, up) in [(0, false), (1, true), (2, true)] {
            ports[i].oper = Some(if up { IfOper::Up } else { IfOper::Down });
        }
        assert_eq!(Numbering::of_either(&numbers, &Walk { ports: &ports }, &bridge), Numbering::BridgePort);
        ports[0].oper = Some(IfOper::Up);
        assert_eq!(Numbering::of_either(&numbers, &Walk { ports: &ports }, &bridge), Numbering::Unknown);
        ports[2].oper = Some(IfOper::Down);
        assert_eq!(Numbering::of_either(&numbers, &Walk { ports: &ports }, &bridge), Numbering::IfIndex);
        let gone = BTreeSet::from([9]);
        assert_eq!(Numbering::of_either(&gone, &Walk { ports: &ports }, &bridge), Numbering::Unknown);
    }
}
