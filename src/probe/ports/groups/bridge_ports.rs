//! `dot1dBasePortTable` (RFC 4188): which ifIndex a bridge port is. Everything that speaks of bridge ports stands on it. Its
//! successor in IEEE8021-BRIDGE-MIB counts where the old one is not there.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;

/// `dot1dBaseBridgeAddress`.
const ADDRESS: usize = 0;
/// `dot1dBasePortIfIndex`, indexed by the bridge port.
const IF_INDEX: usize = 0;
/// `ieee8021BridgeBasePortIfIndex`, indexed by the component and the bridge port.
const NEWER: usize = 1;

pub static GROUP: Fixed = Fixed {
    name: "bridge-ports",
    pace: Duration::from_secs(300),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[&[1, 3, 6, 1, 2, 1, 17, 1, 1, 0]],
    columns: &[&[1, 3, 6, 1, 2, 1, 17, 1, 4, 1, 2], &[1, 3, 111, 2, 802, 1, 1, 2, 1, 1, 4, 1, 3]],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    let known = |value| values::index(value).and_then(|index| walk.known(index));
    let mut map: Vec<(u32, u32)> =
        tables.column(IF_INDEX).filter_map(|(row, value)| Some((row.single()?, known(value)?))).collect();
    if map.is_empty() {
        let rows = tables.column(NEWER);
        map.extend(rows.filter_map(|(row, value)| Some((row.arcs().nth(1)?, known(value)?))));
    }
    equipment.bridge_mac = tables.scalar(ADDRESS).and_then(values::octets_raw).and_then(values::mac);
    map.sort_unstable();
    map.dedup_by_key(|port| port.0);
    equipment.bridge_ports = map;
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn bridge_ports_of_interfaces_that_are_not_there_are_left_out() {
        let equipment = Fed::default()
            .ports(&[10101, 10102])
            .cell(IF_INDEX, &[1], Value::Integer(10101))
            .cell(IF_INDEX, &[2], Value::Octets(b"10102"))
            .cell(IF_INDEX, &[3], Value::Integer(0))
            .cell(IF_INDEX, &[4], Value::Integer(77))
            .cell(IF_INDEX, &[5], Value::Null)
            .fold(&GROUP);
        assert_eq!(equipment.bridge_ports, [(1, 10101), (2, 10102)]);
    }
    #[test]
    fn the_newer_table_counts_where_the_old_one_is_not_there() {
        let newer = || Fed::default().ports(&[10, 11]).cell(NEWER, &[1, 7], Value::Integer(11));
        assert_eq!(newer().fold(&GROUP).bridge_ports, [(7, 11)]);
        assert_eq!(newer().cell(IF_INDEX, &[1], Value::Integer(10)).fold(&GROUP).bridge_ports, [(1, 10)]);
    }
}
