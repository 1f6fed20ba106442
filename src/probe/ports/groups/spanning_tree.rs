//! `dot1dStp` (RFC 4188): the root, its way, topology changes, and the state of each port.

use std::time::Duration;

use super::numbering::Numbering;
use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::{SpanningTree, StpState};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;

/// `dot1dStpTimeSinceTopologyChange`, `dot1dStpTopChanges`, `dot1dStpDesignatedRoot`, `dot1dStpRootPort`.
const SINCE_CHANGE: usize = 0;
const CHANGES: usize = 1;
const ROOT: usize = 2;
const ROOT_PORT: usize = 3;
/// `dot1dStpPortState`, indexed by the bridge port.
const STATE: usize = 0;

/// The VLAN of the plain bridge, where there is one bridge for each.
const PLAIN: u16 = 1;

pub static GROUP: Fixed = Fixed {
    name: "spanning-tree",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[
        &[1, 3, 6, 1, 2, 1, 17, 2, 3, 0],
        &[1, 3, 6, 1, 2, 1, 17, 2, 4, 0],
        &[1, 3, 6, 1, 2, 1, 17, 2, 5, 0],
        &[1, 3, 6, 1, 2, 1, 17, 2, 7, 0],
    ],
    columns: &[&[1, 3, 6, 1, 2, 1, 17, 2, 15, 1, 3]],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.stp = StpState::of_all(port.stp_vlans.iter().map(|vlan| vlan.1));
    }
    let numbers = tables.column(STATE).filter_map(|(row, _)| row.single());
    let numbering = Numbering::of(numbers, walk, equipment);
    for (row, state) in tables.column(STATE) {
        let state = values::number(state).and_then(StpState::from_mib);
        let port = row.single().and_then(|number| numbering.port(number, walk, equipment));
        if let (Some(port), Some(state)) = (port, state) {
            let facts = equipment.port_mut(port);
            let others = facts.stp_vlans.iter().filter(|vlan| vlan.0 != PLAIN).map(|vlan| vlan.1);
            facts.stp = StpState::of_all(others.chain([state]));
        }
    }
    equipment.spanning_tree = tree(tables, walk, equipment, numbering);
}

fn tree(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &Equipment, numbering: Numbering) -> Option<SpanningTree> {
    let root = root(tables.scalar(ROOT)?)?;
    let root_port = tables.scalar(ROOT_PORT).and_then(values::index);
    Some(SpanningTree {
        root,
        is_root: root_port.map(|port| port == 0),
        root_port: root_port.and_then(|number| numbering.port(number, walk, equipment)),
        topology_changes: tables.scalar(CHANGES).and_then(values::number),
        since_topology_change: tables.scalar(SINCE_CHANGE).and_then(values::number).map(ticks),
    })
}

/// A `BridgeId` that is one.
pub fn root(value: Value<'_>) -> Option<[u8; 8]> {
    value.octets()?.try_into().ok().filter(|root| *root != [0; 8])
}

/// Hundredths of a second in 32 bits.
pub fn ticks(ticks: u64) -> Duration {
    Duration::from_millis((ticks & 0xffff_ffff) * 10)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    #[test]
    fn states_land_on_the_interfaces_behind_the_bridge_ports() {
        let equipment = Fed::default()
            .ports(&[10101, 10102])
            .before(|e| e.bridge_ports = vec![(1, 10101), (2, 10102)])
            .scalar(SINCE_CHANGE, Value::TimeTicks(47_471_870))
            .scalar(CHANGES, Value::Counter32(7))
            .scalar(ROOT, Value::Octets(&[0x80, 0, 0x10, 0x51, 0x72, 0x2b, 0x44, 0xb0]))
            .scalar(ROOT_PORT, Value::Integer(2))
            .cell(STATE, &[1], Value::Integer(2))
            .cell(STATE, &[2], Value::Integer(5))
            .cell(STATE, &[3], Value::Integer(5))
            .fold(&GROUP);
        assert_eq!(equipment.port(10101).and_then(|p| p.stp), Some(StpState::Blocking));
        assert_eq!(equipment.port(10102).and_then(|p| p.stp), Some(StpState::Forwarding));
        let tree = equipment.spanning_tree.expect("a root");
        assert_eq!((tree.root_port, tree.is_root), (Some(10102), Some(false)));
        assert_eq!(tree.since_topology_change, Some(Duration::from_millis(474_718_700)));
    }

    #[test]
    fn states_under_ifindexes_are_taken_and_values_out_of_range_are_not() {
        let equipment = Fed::default()
            .ports(&[33_554_433, 100_663_424])
            .before(|e| e.bridge_ports = vec![(129, 100_663_424)])
            .cell(STATE, &[33_554_433], Value::Integer(0))
            .cell(STATE, &[100_663_424], Value::Integer(5))
            .scalar(ROOT, Value::Octets(&[0; 8]))
            .fold(&GROUP);
        assert_eq!(equipment.port(33_554_433), None);
        assert_eq!(equipment.port(100_663_424).and_then(|p| p.stp), Some(StpState::Forwarding));
        assert_eq!(equipment.spanning_tree, None);
    }
}
