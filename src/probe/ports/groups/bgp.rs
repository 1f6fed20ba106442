//! BGP4-MIB (RFC 4273): IPv4 peers of the default instance.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{Fixed, MAX_ROWS, Walk, Weight, values};
use crate::model::Equipment;
use crate::model::device::{BgpPeer, BgpState};
use crate::probe::ports::cells::Tables;
use crate::proto::snmp::oid::Index;

/// `bgpPeerState`, `bgpPeerAdminStatus`, `bgpPeerRemoteAs`, `bgpPeerLastError`, `bgpPeerFsmEstablishedTransitions`,
/// `bgpPeerFsmEstablishedTime`; indexed by the peer's address.
const STATE: usize = 0;
const ADMIN: usize = 1;
const REMOTE_AS: usize = 2;
const LAST_ERROR: usize = 3;
const TRANSITIONS: usize = 4;
const IN_STATE: usize = 5;

pub static GROUP: Fixed = Fixed {
    name: "bgp",
    pace: Duration::from_secs(60),
    weight: Weight::Light,
    max_rows: MAX_ROWS,
    scalars: &[],
    columns: &[
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 2],
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 3],
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 9],
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 14],
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 15],
        &[1, 3, 6, 1, 2, 1, 15, 3, 1, 16],
    ],
    fold,
};

fn fold(tables: &Tables<'_>, _: &Walk<'_>, equipment: &mut Equipment) {
    let mut peers: Vec<BgpPeer> =
        tables.rows_of(&[STATE, ADMIN, REMOTE_AS]).into_iter().filter_map(|row| peer(tables, row)).collect();
    peers.sort_by_key(|peer| peer.peer);
    equipment.bgp = peers;
}

fn peer(tables: &Tables<'_>, row: Index<'_>) -> Option<BgpPeer> {
    let number = |column| tables.get(column, row).and_then(values::number);
    Some(BgpPeer {
        peer: IpAddr::V4(ipv4(row)?),
        // Numbers above 2^31 come as negative ones.
        remote_as: tables.get(REMOTE_AS, row).and_then(values::bits32).filter(|asn| *asn > 0),
        state: number(STATE).and_then(BgpState::from_mib),
        started: match number(ADMIN) {
            Some(1) => Some(false),
            Some(2) => Some(true),
            _ => None,
        },
        in_state_for: number(IN_STATE).map(Duration::from_secs),
        transitions: number(TRANSITIONS),
        last_error: tables.get(LAST_ERROR, row).and_then(|v| v.octets()?.try_into().ok()).filter(|e| *e != [0, 0]),
        prefixes: None,
        prefix_limit: None,
    })
}

/// An index of four arcs.
pub fn ipv4(row: Index<'_>) -> Option<Ipv4Addr> {
    let arcs: Vec<u32> = row.arcs().collect();
    let octets: [u8; 4] = values::octets_of(&arcs)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fed;
    use super::*;
    use crate::proto::snmp::Value;

    #[test]
    fn peers_are_told_with_their_state_and_the_last_error() {
        let row = &[203, 0, 113, 9];
        let equipment = Fed::default()
            .cell(STATE, row, Value::Integer(6))
            .cell(ADMIN, row, Value::Integer(2))
            .cell(REMOTE_AS, row, Value::Integer(-94_967_296))
            .cell(LAST_ERROR, row, Value::Octets(&[6, 2]))
            .cell(TRANSITIONS, row, Value::Counter32(3))
            .cell(IN_STATE, row, Value::Gauge32(86_400))
            .cell(STATE, &[10, 0, 0, 1], Value::Integer(9))
            .cell(ADMIN, &[10, 0, 0, 1], Value::Integer(1))
            .cell(LAST_ERROR, &[10, 0, 0, 1], Value::Octets(&[0, 0]))
            .cell(STATE, &[10, 0, 0, 1, 7], Value::Integer(6))
            .cell(STATE, &[10, 0, 0, 256], Value::Integer(6))
            .fold(&GROUP);
        let [stopped, up] = &equipment.bgp[..] else { panic!("two peers: {:?}", equipment.bgp) };
        assert_eq!((stopped.state, stopped.started, stopped.last_error), (None, Some(false), None));
        assert_eq!(up.peer.to_string(), "203.0.113.9");
        assert_eq!((up.remote_as, up.state), (Some(4_200_000_000), Some(BgpState::Established)));
        assert_eq!((up.in_state_for, up.transitions), (Some(Duration::from_secs(86_400)), Some(3)));
        assert_eq!(up.last_error, Some([6, 2]));
    }
}
