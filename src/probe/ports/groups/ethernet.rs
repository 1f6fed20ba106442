//! EtherLike-MIB (RFC 3635): frames with a wrong checksum and late collisions, which tell bad cables and optics and a duplex
//! mismatch. And `ifConnectorPresent`: which interfaces have a socket.

use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::probe::ports::cells::Tables;

/// `dot3StatsFCSErrors`, `dot3StatsLateCollisions`, `dot3HCStatsFCSErrors`, `ifConnectorPresent`; indexed by ifIndex.
const FCS: usize = 0;
const LATE: usize = 1;
const WIDE_FCS: usize = 2;
const CONNECTOR: usize = 3;

pub static GROUP: Fixed = Fixed {
    name: "ethernet",
    pace: Duration::from_secs(300),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 3],
        &[1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 8],
        &[1, 3, 6, 1, 2, 1, 10, 7, 11, 1, 2],
        &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 17],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.fcs_errors = None;
        port.late_collisions = None;
        port.connector = None;
    }
    for row in tables.rows_of(&[FCS, LATE, WIDE_FCS, CONNECTOR]) {
        let Some(port) = row.single().and_then(|index| walk.known(index)) else { continue };
        let number = |column| tables.get(column, row).and_then(values::number);
        let (fcs, late) = (number(WIDE_FCS).or_else(|| number(FCS)), number(LATE));
        let connector = tables.get(CONNECTOR, row).and_then(values::truth);
        if fcs.is_some() || late.is_some() || connector.is_some() {
            let facts = equipment.port_mut(port);
            (facts.fcs_errors, facts.late_collisions, facts.connector) = (fcs, late, connector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn the_wider_counter_counts_and_rows_of_nothing_are_left_out() {
        let equipment = Fed::default()
            .ports(&[1, 2, 3])
            .cell(FCS, &[1], Value::Counter32(5))
            .cell(WIDE_FCS, &[1], Value::Counter64(1 << 40))
            .cell(LATE, &[1], Value::Counter32(2))
            .cell(CONNECTOR, &[1], Value::Integer(1))
            .cell(CONNECTOR, &[2], Value::Integer(2))
            .cell(FCS, &[3], Value::Null)
            .cell(FCS, &[77], Value::Counter32(1))
            .fold(&GROUP);
        let seen: Vec<_> =
            equipment.ports.iter().map(|p| (p.index, p.fcs_errors, p.late_collisions, p.connector)).collect();
        assert_eq!(seen, [(1, Some(1 << 40), Some(2), Some(true)), (2, None, None, Some(false))]);
    }
}
