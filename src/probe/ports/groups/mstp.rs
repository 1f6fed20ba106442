//! IEEE8021-MSTP-MIB (802.1Q): the root of each spanning tree instance and the way to it. The common tree is that of
//! BRIDGE-MIB; instances stand beside it.

use std::time::Duration;

use super::numbering::Numbering;
use super::{Fixed, Walk, Weight, spanning_tree, values};
use crate::model::Equipment;
use crate::model::device::{SpanningTree, TreeScope};
use crate::probe::ports::cells::Tables;

/// `ieee8021MstpTimeSinceTopologyChange`, `ieee8021MstpTopologyChanges`, `ieee8021MstpDesignatedRoot`, `ieee8021MstpRootPort`;
/// indexed by the component and the instance.
const SINCE_CHANGE: usize = 0;
const CHANGES: usize = 1;
const ROOT: usize = 2;
const ROOT_PORT: usize = 3;
/// An instance has a number up to 4094.
const LAST_INSTANCE: u32 = 4094;

pub static GROUP: Fixed = Fixed {
    name: "mstp",
    pace: Duration::from_secs(300),
    weight: Weight::Light,
    max_rows: 4_096,
    scalars: &[],
    columns: &[
        &[1, 3, 111, 2, 802, 1, 1, 6, 1, 2, 1, 4],
        &[1, 3, 111, 2, 802, 1, 1, 6, 1, 2, 1, 5],
        &[1, 3, 111, 2, 802, 1, 1, 6, 1, 2, 1, 7],
        &[1, 3, 111, 2, 802, 1, 1, 6, 1, 2, 1, 9],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    equipment.trees.retain(|(scope, _)| !matches!(scope, TreeScope::Instance(_)));
    let root_ports = tables.column(ROOT_PORT).filter_map(|(_, port)| values::index(port));
    let numbering = Numbering::of(root_ports, walk, equipment);
    for (row, root) in tables.column(ROOT) {
        let mut arcs = row.arcs();
        let (Some(_), Some(id), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        let id = u16::try_from(id).ok().filter(|_| (1..=LAST_INSTANCE).contains(&id));
        let (Some(id), Some(root)) = (id, spanning_tree::root(root)) else { continue };
        let number = |column| tables.get(column, row).and_then(values::number);
        let root_port = tables.get(ROOT_PORT, row).and_then(values::index);
        let tree = SpanningTree {
            root,
            is_root: root_port.map(|port| port == 0),
            root_port: root_port.and_then(|number| numbering.port(number, walk, equipment)),
            topology_changes: number(CHANGES),
            since_topology_change: number(SINCE_CHANGE).map(spanning_tree::ticks),
        };
        equipment.trees.push((TreeScope::Instance(id), tree));
    }
    equipment.trees.sort_unstable_by_key(|(scope, _)| *scope);
    // One bridge of several components may have an instance twice: the first one counts.
    equipment.trees.dedup_by_key(|(scope, _)| *scope);
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn every_instance_has_its_root_and_its_way() {
        let equipment = Fed::default()
            .ports(&[101, 102])
            .before(|e| e.bridge_ports = vec![(1, 101), (2, 102)])
            .cell(ROOT, &[1, 2], Value::Octets(&[0x80, 2, 1, 2, 3, 4, 5, 6]))
            .cell(ROOT_PORT, &[1, 2], Value::Gauge32(0))
            .cell(ROOT, &[1, 1], Value::Octets(&[0x10, 1, 9, 9, 9, 9, 9, 9]))
            .cell(ROOT_PORT, &[1, 1], Value::Gauge32(2))
            .cell(CHANGES, &[1, 1], Value::Counter64(12))
            .cell(SINCE_CHANGE, &[1, 1], Value::TimeTicks(4_200))
            .cell(ROOT, &[1, 3], Value::Octets(&[0; 8]))
            .cell(ROOT, &[1, 4095], Value::Octets(&[1; 8]))
            .cell(ROOT, &[1], Value::Octets(&[1; 8]))
            .fold(&GROUP);
        let [(first, one), (second, two)] = equipment.trees[..] else { panic!("two instances: {:?}", equipment.trees) };
        assert_eq!((first, second), (TreeScope::Instance(1), TreeScope::Instance(2)));
        assert_eq!((one.root_port, one.is_root, one.topology_changes), (Some(102), Some(false), Some(12)));
        assert_eq!(one.since_topology_change, Some(Duration::from_secs(42)));
        assert_eq!((two.root_port, two.is_root, two.topology_changes), (None, Some(true), None));
    }

    #[test]
    fn a_second_walk_replaces_instances_and_leaves_vlans_alone() {
        let tree = SpanningTree {
            root: [1; 8],
            is_root: None,
            root_port: None,
            topology_changes: None,
            since_topology_change: None,
        };
        let trees = vec![(TreeScope::Vlan(7), tree), (TreeScope::Instance(7), tree)];
        let equipment = Fed::default().before(|e| e.trees = trees).fold(&GROUP);
        assert_eq!(equipment.trees, [(TreeScope::Vlan(7), tree)]);
    }
}
