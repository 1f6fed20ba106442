//! OSPF-MIB (RFC 4750): neighbors and their states.

use std::time::Duration;

use super::bgp::ipv4;
use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::{OspfNeighbor, OspfState};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;
use crate::proto::snmp::oid::Index;

/// `ospfNbrRtrId`, `ospfNbrState`, `ospfNbrEvents`; indexed by the neighbor's address and, on interfaces without one,
/// the ifIndex.
const ROUTER_ID: usize = 0;
const STATE: usize = 1;
const EVENTS: usize = 2;

pub static GROUP: Fixed = Fixed {
    name: "ospf",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[&[1, 3, 6, 1, 2, 1, 14, 10, 1, 3], &[1, 3, 6, 1, 2, 1, 14, 10, 1, 6], &[1, 3, 6, 1, 2, 1, 14, 10, 1, 7]],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let rows = tables.rows_of(&[ROUTER_ID, STATE]).into_iter();
    let mut neighbors: Vec<OspfNeighbor> = rows.filter_map(|row| neighbor(tables, row)).collect();
    neighbors.sort_by_key(|n| (n.neighbor, n.interface));
    equipment.ospf = neighbors;
}

fn neighbor(tables: &Tables<'_>, row: Index<'_>) -> Option<OspfNeighbor> {
    let arcs: Vec<u32> = row.arcs().collect();
    let (address, interface) = match arcs.len() {
        5 => (values::octets_of(&arcs[..4])?, arcs[4]),
        4 => (ipv4(row)?.octets().to_vec(), 0),
        _ => return None,
    };
    let address: [u8; 4] = address.try_into().ok()?;
    let router_id = match tables.get(ROUTER_ID, row) {
        Some(Value::IpAddress(id)) => Some(id),
        Some(Value::Octets(octets)) => octets.try_into().ok(),
        _ => None,
    };
    Some(OspfNeighbor {
        neighbor: address.into(),
        interface: Some(interface).filter(|index| *index > 0),
        router_id: router_id.filter(|id| *id != [0; 4]).map(Into::into),
        state: tables.get(STATE, row).and_then(values::number).and_then(OspfState::from_mib),
        events: tables.get(EVENTS, row).and_then(values::number),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    #[test]
    fn neighbors_on_interfaces_without_address_are_told_apart() {
        let equipment = Fed::default()
            .cell(ROUTER_ID, &[10, 196, 0, 2, 0], Value::IpAddress([10, 196, 1, 3]))
            .cell(STATE, &[10, 196, 0, 2, 0], Value::Integer(8))
            .cell(EVENTS, &[10, 196, 0, 2, 0], Value::Counter32(5))
            .cell(STATE, &[192, 0, 2, 1, 7], Value::Integer(4))
            .cell(STATE, &[192, 0, 2, 1, 9], Value::Integer(77))
            .cell(STATE, &[192, 0, 2], Value::Integer(8))
            .fold(&GROUP);
        let seen: Vec<_> =
            equipment.ospf.iter().map(|n| (n.neighbor.to_string(), n.interface, n.state, n.events)).collect();
        assert_eq!(
            seen,
            [
                ("10.196.0.2".to_owned(), None, Some(OspfState::Full), Some(5)),
                ("192.0.2.1".to_owned(), Some(7), Some(OspfState::TwoWay), None),
                ("192.0.2.1".to_owned(), Some(9), None, None),
            ]
        );
        assert_eq!(equipment.ospf[0].router_id.map(|id| id.to_string()).as_deref(), Some("10.196.1.3"));
    }
}
