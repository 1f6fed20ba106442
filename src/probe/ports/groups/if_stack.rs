//! `ifStackTable` (RFC 2863): which interface stands on which. Says what a LAG, a VLAN interface or a tunnel hangs on.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight};
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;

/// `ifStackStatus`, indexed by the higher and the lower layer's ifIndex.
const STATUS: usize = 0;
const ACTIVE: u64 = 1;

pub static GROUP: Fixed = Fixed {
    name: "if-stack",
    pace: Duration::from_secs(900),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[&[1, 3, 6, 1, 2, 1, 31, 1, 2, 1, 3]],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.lower.clear();
    }
    let is_port = |index: u32| walk.ports.binary_search_by_key(&index, |p| p.index).is_ok();
    for (row, status) in tables.column(STATUS) {
        let mut arcs = row.arcs();
        let (Some(higher), Some(lower), None) = (arcs.next(), arcs.next(), arcs.next()) else { continue };
        // 0 stands for "nothing above" and "nothing below".
        if status.number() == Some(ACTIVE) && is_port(higher) && is_port(lower) {
            equipment.port_mut(higher).lower.push(lower);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn only_active_rows_between_two_interfaces_count() {
        let equipment = Fed::default()
            .ports(&[1, 2, 10])
            .cell(STATUS, &[0, 10], Value::Integer(1))
            .cell(STATUS, &[1, 0], Value::Integer(1))
            .cell(STATUS, &[10, 1], Value::Integer(1))
            .cell(STATUS, &[10, 2], Value::Integer(2))
            .cell(STATUS, &[10, 77], Value::Integer(1))
            .fold(&GROUP);
        assert_eq!(equipment.port(10).map(|p| &p.lower[..]), Some(&[1][..]));
        assert_eq!(equipment.port(1), None);
    }
}
