//! IEEE8023-LAG-MIB: which ports are members of which aggregate, and whether they are in it. Aggregates without LACP show only
//! in `ifStackTable`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::numbering::is_wire;
use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::LagMember;
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::Value;

/// `dot3adAggPortSelectedAggID`, `dot3adAggPortAttachedAggID`, `dot3adAggPortActorOperState`, indexed by ifIndex.
const SELECTED: usize = 0;
const ATTACHED: usize = 1;
const ACTOR_STATE: usize = 2;

/// ieee8023adLag
const LAG_TYPE: u32 = 161;

pub static GROUP: Fixed = Fixed {
    name: "lag",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 2, 840, 10006, 300, 43, 1, 2, 1, 1, 12],
        &[1, 2, 840, 10006, 300, 43, 1, 2, 1, 1, 13],
        &[1, 2, 840, 10006, 300, 43, 1, 2, 1, 1, 21],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
    for port in &mut equipment.ports {
        port.lag = None;
    }
    let mut members: BTreeMap<u32, LagMember> = stacked(walk, equipment);
    let states = tables.column(ACTOR_STATE).filter_map(|(_, value)| state(value));
    let order = BitOrder::of(states);
    for row in tables.rows_of(&[SELECTED, ATTACHED]) {
        let Some(port) = row.single().and_then(|index| walk.known(index)) else { continue };
        // 0 is none; a port that is its own aggregate is alone.
        let aggregate = |column| tables.get(column, row).and_then(values::index).filter(|id| *id > 0 && *id != port);
        let attached = aggregate(ATTACHED);
        let Some(aggregate) = attached.or_else(|| aggregate(SELECTED)).and_then(|id| walk.known(id)) else { continue };
        let bundled = match tables.get(ACTOR_STATE, row).and_then(state) {
            _ if attached.is_none() => Some(false),
            // No LACP on it: then its state says nothing.
            None | Some(0) => None,
            Some(state) => Some(order.is_bundled(state)),
        };
        members.insert(port, LagMember { aggregate, bundled });
    }
    for (port, member) in members {
        equipment.port_mut(port).lag = Some(member);
    }
}

/// Members by `ifStackTable`: what an aggregate stands on.
fn stacked(walk: &Walk<'_>, equipment: &Equipment) -> BTreeMap<u32, LagMember> {
    let is_type = |index, is: fn(u32) -> bool| walk.port(index).and_then(|p| p.if_type).is_some_and(is);
    let aggregates = equipment.ports.iter().filter(|p| is_type(p.index, |t| t == LAG_TYPE));
    let below = aggregates.flat_map(|a| a.lower.iter().map(move |port| (*port, a.index)));
    let wires = below.filter(|(port, _)| is_type(*port, |t| is_wire(t) && t != LAG_TYPE));
    wires.map(|(port, aggregate)| (port, LagMember { aggregate, bundled: None })).collect()
}

/// `LacpState`: one octet.
fn state(value: Value<'_>) -> Option<u8> {
    match value {
        Value::Octets([state]) => Some(*state),
        other => other.number().and_then(|n| u8::try_from(n).ok()),
    }
}

/// The order of the bits of `LacpState`: activity, timeout, aggregation, synchronization, collecting, distributing,
/// defaulted, expired. BITS begin with the highest; several agents send the octet of the frame, which begins with the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BitOrder {
    HighFirst,
    LowFirst,
    /// All states are the same both ways.
    Either,
}

impl BitOrder {
    /// An active or a passive side: what a device has, it mostly has on all ports. `expired` and `activity` are the ends
    /// of the octet, and expired passes quickly.
    fn of(states: impl Iterator<Item = u8>) -> Self {
        let (mut high, mut low) = (0u32, 0u32);
        for state in states.filter(|s| *s != 0) {
            high += u32::from(state & 0x81 == 0x80);
            low += u32::from(state & 0x81 == 0x01);
        }
        match high.cmp(&low) {
            std::cmp::Ordering::Greater => Self::HighFirst,
            std::cmp::Ordering::Less => Self::LowFirst,
            std::cmp::Ordering::Equal => Self::Either,
        }
    }

    /// Synchronised, collecting, distributing, and neither defaulted nor expired.
    fn is_bundled(self, state: u8) -> bool {
        let high = state & 0b0001_1111 == 0b0001_1100;
        let low = state & 0b1111_1000 == 0b0011_1000;
        match self {
            Self::HighFirst => high,
            Self::LowFirst => low,
            Self::Either => high || low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;

    fn member(fed: Fed, port: u32, selected: i64, attached: i64, state: &[u8]) -> Fed {
        fed.cell(SELECTED, &[port], Value::Integer(selected)).cell(ATTACHED, &[port], Value::Integer(attached)).cell(
            ACTOR_STATE,
            &[port],
            Value::Octets(state),
        )
    }

    fn lags(fed: Fed) -> Vec<(u32, u32, Option<bool>)> {
        let equipment = fed.fold(&GROUP);
        equipment.ports.iter().filter_map(|p| Some((p.index, p.lag?.aggregate, p.lag?.bundled))).collect()
    }

    #[test]
    fn members_are_told_from_single_ports() {
        let mut fed = Fed::default().ports(&[1, 2, 3, 4, 5, 100]);
        fed = member(fed, 1, 100, 100, &[0xbc]);
        fed = member(fed, 2, 100, 0, &[0x84]);
        fed = member(fed, 3, 0, 0, &[]);
        fed = member(fed, 4, 4, 4, &[0xbc]);
        fed = member(fed, 5, 1_879_081_088, 1_879_081_088, &[0x78]);
        assert_eq!(lags(fed), [(1, 100, Some(true)), (2, 100, Some(false))]);
    }

    #[test]
    fn states_are_read_in_the_order_of_bits_that_the_device_has() {
        let device = |states: [u8; 3]| {
            let mut fed = Fed::default().ports(&[1, 2, 3, 9]);
            for (port, state) in (1..).zip(states) {
                fed = member(fed, port, 9, 9, &[state]);
            }
            lags(fed).into_iter().map(|(_, _, bundled)| bundled).collect::<Vec<_>>()
        };
        assert_eq!(device([0xbc, 0xfc, 0xbd]), [Some(true), Some(true), Some(false)]);
        assert_eq!(device([0x3d, 0x3f, 0xbd]), [Some(true), Some(true), Some(false)]);
        assert_eq!(device([0x3c, 0x3c, 0x00]), [Some(true), Some(true), None], "passive both ways");
        // The first does not distribute yet.
        assert_eq!(device([0xb8, 0xbc, 0xbc]), [Some(false), Some(true), Some(true)]);
        assert_eq!(device([0x05, 0x3d, 0x45]), [Some(false), Some(true), Some(false)]);
    }

    #[test]
    fn an_aggregate_without_lacp_shows_in_the_stack_of_interfaces() {
        let fed = Fed::default()
            .ports(&[1, 2, 50])
            .port(50, |p| p.if_type = Some(LAG_TYPE))
            .port(2, |p| p.if_type = Some(53))
            .before(|e| e.port_mut(50).lower = vec![1, 2]);
        assert_eq!(lags(fed), [(1, 50, None)]);
    }
}
