//! BGP4-MIB (RFC 4273) of the router at the edge, OSPF-MIB (RFC 4750) between it and the core.

use std::net::Ipv4Addr;

use super::Campus;
use crate::sim::snmp::{Cell, More};
use crate::sim::topology::Topology;

const BGP_PEER: [u32; 9] = [1, 3, 6, 1, 2, 1, 15, 3, 1];
const OSPF_NEIGHBOR: [u32; 9] = [1, 3, 6, 1, 2, 1, 14, 10, 1];

impl Campus<'_> {
    /// The router at the edge: two carriers, one of which stumbles for a minute in every seven, and one that was stopped.
    pub(super) fn edge(&self) -> More {
        const ESTABLISHED: i64 = 6;
        const ACTIVE: i64 = 3;
        const IDLE: i64 = 1;
        const STOPPED: i64 = 1;
        const STARTED: i64 = 2;
        let mut more = More::default();
        let (from, to, round) = (90, 150, 420);
        let stumbling = Cell::Within { from, to, round, inside: ACTIVE, outside: ESTABLISHED };
        for (address, remote_as, admin, state, transitions, since) in [
            (Ipv4Addr::new(192, 0, 2, 1), 64_500, STARTED, Cell::Integer(ESTABLISHED), 2, Cell::Uptime),
            (Ipv4Addr::new(192, 0, 2, 5), 64_501, STARTED, stumbling, 37, Cell::Since { from, to, round }),
            (Ipv4Addr::new(192, 0, 2, 9), 64_502, STOPPED, Cell::Integer(IDLE), 1, Cell::Uptime),
        ] {
            let index = address.octets().map(u32::from);
            more.row(
                &BGP_PEER,
                &index,
                [
                    (1, Cell::Address([10, 255, 0, 1])),
                    (2, state),
                    (3, Cell::Integer(admin)),
                    (7, Cell::Address(address.octets())),
                    (9, Cell::Integer(remote_as)),
                    (14, Cell::Text(Box::from([6, 4]))),
                    (15, Cell::Counter(transitions)),
                    (16, since),
                ],
            );
        }
        for core in 0..2 {
            neighbor(&mut more, Topology::switch_address(core), [10, 255, 0, 2 + core as u8]);
        }
        self.parts(self.topology.size.switches, &mut more);
        more
    }

    pub(super) fn ospf(&self, switch: usize, more: &mut More) {
        neighbor(more, Topology::switch_address(1 - switch), [10, 255, 0, 3 - switch as u8]);
        neighbor(more, Topology::switch_address(self.topology.size.switches), [10, 255, 0, 1]);
    }
}

/// A neighbor on a numbered interface, fully adjacent.
fn neighbor(more: &mut More, address: Ipv4Addr, router_id: [u8; 4]) {
    const FULL: i64 = 8;
    let octets = address.octets().map(u32::from);
    more.row(
        &OSPF_NEIGHBOR,
        &[octets[0], octets[1], octets[2], octets[3], 0],
        [
            (1, Cell::Address(address.octets())),
            (2, Cell::Integer(0)),
            (3, Cell::Address(router_id)),
            (6, Cell::Integer(FULL)),
            (7, Cell::Counter(6)),
        ],
    );
}
