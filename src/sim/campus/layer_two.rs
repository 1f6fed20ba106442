//! LLDP (IEEE 802.1AB), Q-BRIDGE and BRIDGE-MIB (RFC 4363, 4188), IEEE8023-LAG, POWER-ETHERNET (RFC 3621), ARP (RFC 4293).

use super::{AGGREGATE, Campus};
use crate::sim::snmp::{Cell, More};
use crate::sim::topology::Topology;

const LLDP_OWN: [u32; 8] = [1, 0, 8802, 1, 1, 2, 1, 3];
const LLDP_LOCAL: [u32; 10] = [1, 0, 8802, 1, 1, 2, 1, 3, 7, 1];
const LLDP_REMOTE: [u32; 10] = [1, 0, 8802, 1, 1, 2, 1, 4, 1, 1];
const LLDP_ADDRESS: [u32; 10] = [1, 0, 8802, 1, 1, 2, 1, 4, 2, 1];
const BRIDGE: [u32; 7] = [1, 3, 6, 1, 2, 1, 17];
const IF_ENTRY: [u32; 9] = [1, 3, 6, 1, 2, 1, 2, 2, 1];
const IFX_ENTRY: [u32; 10] = [1, 3, 6, 1, 2, 1, 31, 1, 1, 1];

/// The servers' VLAN, and that of the telephones.
const SERVERS: u32 = 10;
const VOICE: u32 = 20;
const MANAGEMENT: u32 = 99;
const VLANS: [(u32, &str); 3] = [(SERVERS, "servers"), (VOICE, "voice"), (MANAGEMENT, "management")];

/// The bridge's number of the aggregate.
const BRIDGE_AGGREGATE: u32 = 400;

fn under(root: &[u32], below: &[u32]) -> Vec<u32> {
    [root, below].concat()
}

impl Campus<'_> {
    pub(super) fn neighbors(&self, switch: usize, more: &mut More) {
        // As LLDP numbers its kinds of names.
        const INTERFACE_NAME: i64 = 5;
        const MAC: i64 = 4;
        // bridge and router: bits 2 and 4, the highest first.
        const CAPABILITIES: [u8; 2] = [0x28, 0x00];
        more.row(&LLDP_OWN, &[0], [(1, Cell::Integer(MAC)), (2, Cell::mac(Self::switch_mac(switch)))]);
        for port in 0..self.ports() {
            let name = self.port_name(port);
            more.row(
                &LLDP_LOCAL,
                &[port + 1],
                [(2, Cell::Integer(INTERFACE_NAME)), (3, Cell::text(name.clone())), (4, Cell::text(name))],
            );
        }
        for (port, far) in self.cables(switch) {
            let index = [0, port + 1, 1];
            let capabilities = || Cell::Text(Box::from(CAPABILITIES));
            more.row(
                &LLDP_REMOTE,
                &index,
                [
                    (4, Cell::Integer(MAC)),
                    (5, Cell::mac(far.mac)),
                    (6, Cell::Integer(INTERFACE_NAME)),
                    (7, Cell::text(far.port.clone())),
                    (8, Cell::text(far.port)),
                    (9, Cell::text(far.name)),
                    (10, Cell::text(format!("Simulated switch, {} ports", self.ports()))),
                    (11, capabilities()),
                    (12, capabilities()),
                ],
            );
            let octets = far.address.octets().map(u32::from);
            let index = under(&index, &[1, 4, octets[0], octets[1], octets[2], octets[3]]);
            more.row(&LLDP_ADDRESS, &index, [(3, Cell::Integer(2)), (4, Cell::Integer(i64::from(port + 1)))]);
        }
    }

    /// Bridge ports, and who is heard on which.
    pub(super) fn bridge(&self, switch: usize, more: &mut More) {
        let base = under(&BRIDGE, &[1, 4, 1]);
        for port in 1..=self.ports() {
            more.row(&base, &[port], [(2, Cell::Integer(i64::from(port)))]);
        }
        more.row(&base, &[BRIDGE_AGGREGATE], [(2, Cell::Integer(i64::from(AGGREGATE)))]);
        for host in 0..self.topology.size.hosts {
            let Some(home) = self.topology.switch_of(host) else { continue };
            let port = if home == switch { self.host_port(host) + 1 } else { self.towards(switch, home) };
            heard(more, SERVERS, Self::host_mac(host), port);
        }
        for other in (0..self.topology.size.switches).filter(|other| *other != switch) {
            heard(more, MANAGEMENT, Self::switch_mac(other), self.towards(switch, other));
        }
    }

    pub(super) fn vlans(&self, switch: usize, more: &mut More) {
        let database = under(&BRIDGE, &[7, 1, 4]);
        let trunks: Vec<u32> = self.cables(switch).iter().map(|(port, _)| port + 1).collect();
        let pvid = |port: u32| {
            if trunks.contains(&port) {
                MANAGEMENT
            } else if Self::is_voice(port - 1) {
                VOICE
            } else {
                SERVERS
            }
        };
        for port in 1..=self.ports() {
            more.add(&under(&database, &[5, 1, 1]), &[port], Cell::Gauge(pvid(port)));
        }
        for (id, name) in VLANS {
            let untagged: Vec<u32> = (1..=self.ports()).filter(|port| pvid(*port) == id).collect();
            let egress: Vec<u32> = untagged.iter().chain(&trunks).copied().collect();
            more.row(
                &under(&database, &[3, 1]),
                &[id],
                [(1, Cell::text(name)), (2, port_list(&egress)), (4, port_list(&untagged)), (5, Cell::Integer(1))],
            );
            more.row(
                &under(&database, &[2, 1]),
                &[0, id],
                [(3, Cell::Gauge(id)), (4, port_list(&egress)), (5, port_list(&untagged))],
            );
        }
    }

    /// The first core switch is the root.
    pub(super) fn spanning_tree(&self, switch: usize, more: &mut More) {
        const FORWARDING: i64 = 5;
        const DISABLED: i64 = 1;
        let tree = under(&BRIDGE, &[2]);
        let mut root = vec![0x10, 0x00];
        root.extend(Self::switch_mac(0));
        let root_port = match switch {
            0 => 0,
            1 => BRIDGE_AGGREGATE,
            _ => self.ports() - 3,
        };
        more.add(&tree, &[3, 0], Cell::Ticks(8_640_000));
        more.add(&tree, &[4, 0], Cell::Counter(7 + switch as u32));
        more.add(&tree, &[5, 0], Cell::Text(root.into()));
        more.add(&tree, &[7, 0], Cell::Integer(i64::from(root_port)));
        for port in 0..self.ports() {
            let state = Cell::Link { port, up: FORWARDING, down: DISABLED };
            more.add(&under(&tree, &[15, 1, 3]), &[port + 1], state);
        }
    }

    /// The aggregate to the other core switch, in the tables of interfaces and in its own.
    pub(super) fn aggregate(&self, switch: usize, more: &mut More) {
        let members: Box<[u32]> = self.members().collect();
        let octets = |direction, wide| Cell::Octets { ports: members.clone(), direction, wide };
        more.row(
            &IF_ENTRY,
            &[AGGREGATE],
            [
                (1, Cell::Integer(i64::from(AGGREGATE))),
                (2, Cell::text("Port-channel1")),
                (3, Cell::Integer(161)),
                (4, Cell::Integer(1500)),
                (5, Cell::Gauge(2_000_000_000)),
                (6, Cell::mac(Self::switch_mac(switch))),
                (7, Cell::Integer(1)),
                (8, Cell::AnyUp(members.clone())),
                (9, Cell::Ticks(0)),
                (10, octets(0, false)),
                (13, Cell::Counter(0)),
                (14, Cell::Counter(0)),
                (16, octets(1, false)),
                (19, Cell::Counter(0)),
                (20, Cell::Counter(0)),
            ],
        );
        more.row(
            &IFX_ENTRY,
            &[AGGREGATE],
            [
                (1, Cell::text("Po1")),
                (6, octets(0, true)),
                (10, octets(1, true)),
                (15, Cell::Gauge(2000)),
                (17, Cell::Integer(2)),
                (18, Cell::text(format!("to {}", self.topology.switch_name(1 - switch)))),
                (19, Cell::Ticks(0)),
            ],
        );
        let stack = [1, 3, 6, 1, 2, 1, 31, 1, 2, 1, 3];
        let lag = [1, 2, 840, 10_006, 300, 43, 1, 2, 1, 1];
        for port in self.members() {
            more.add(&stack, &[AGGREGATE, port + 1], Cell::Integer(1));
            // Active, aggregating, in step, collecting and distributing.
            more.row(
                &lag,
                &[port + 1],
                [
                    (12, Cell::Integer(i64::from(AGGREGATE))),
                    (13, Cell::Integer(i64::from(AGGREGATE))),
                    (21, Cell::Text(Box::from([0b1011_1100]))),
                ],
            );
        }
    }

    /// Every address, as a router has it.
    pub(super) fn arp(&self, more: &mut More) {
        const DYNAMIC: i64 = 3;
        let entry = [1, 3, 6, 1, 2, 1, 4, 22, 1];
        let hosts = (0..self.topology.size.hosts).map(|h| (Topology::host_address(h), Self::host_mac(h)));
        let switches = (0..self.topology.size.switches).map(|s| (Topology::switch_address(s), Self::switch_mac(s)));
        for (address, mac) in hosts.chain(switches) {
            let [a, b, c, d] = address.octets().map(u32::from);
            more.row(
                &entry,
                &[1, a, b, c, d],
                [
                    (1, Cell::Integer(1)),
                    (2, Cell::mac(mac)),
                    (3, Cell::Address(address.octets())),
                    (4, Cell::Integer(DYNAMIC)),
                ],
            );
        }
    }

    /// Telephones on every sixth port get power.
    pub(super) fn power(&self, switch: usize, more: &mut More) {
        const DELIVERING: i64 = 3;
        const SEARCHING: i64 = 2;
        let entry = [1, 3, 6, 1, 2, 1, 105, 1, 1, 1];
        let access = self.ports() - 4;
        let voice = (0..access).filter(|port| Self::is_voice(*port)).count() as u32;
        for port in 0..access {
            let on = if Self::is_voice(port) { DELIVERING } else { SEARCHING };
            more.row(
                &entry,
                &[1, port + 1],
                [
                    (3, Cell::Integer(1)),
                    (6, Cell::Link { port, up: on, down: SEARCHING }),
                    (10, Cell::Integer(if Self::is_voice(port) { 3 } else { 1 })),
                ],
            );
        }
        let main = [1, 3, 6, 1, 2, 1, 105, 1, 3, 1, 1];
        // The last switch is near its limit.
        let budget = if switch + 1 == self.topology.size.switches { voice * 7 } else { 370 };
        more.row(
            &main,
            &[1],
            [
                (2, Cell::Gauge(budget)),
                (3, Cell::Integer(1)),
                (4, Cell::Wave { middle: i64::from(voice * 6 + voice / 2), by: i64::from(voice / 3), period: 120 }),
            ],
        );
    }
}

/// `dot1qTpFdbPort` and its status, learned.
fn heard(more: &mut More, vlan: u32, mac: [u8; 6], port: u32) {
    const LEARNED: i64 = 3;
    let number = if port == AGGREGATE { BRIDGE_AGGREGATE } else { port };
    let index: Vec<u32> = [vlan].into_iter().chain(mac.map(u32::from)).collect();
    let entry = under(&BRIDGE, &[7, 1, 2, 2, 1]);
    more.row(&entry, &index, [(2, Cell::Integer(i64::from(number))), (3, Cell::Integer(LEARNED))]);
}

/// A `PortList`: a bit for each bridge port, the first one the highest of the first octet.
fn port_list(ports: &[u32]) -> Cell {
    let octets = ports.iter().max().map_or(0, |last| last.div_ceil(8)) as usize;
    let mut list = vec![0u8; octets];
    for port in ports {
        let at = port - 1;
        list[(at / 8) as usize] |= 0x80 >> (at % 8);
    }
    Cell::Text(list.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_list_has_its_first_port_in_the_highest_bit() {
        let Cell::Text(list) = port_list(&[1, 8, 9, 20]) else { panic!("octets") };
        assert_eq!(*list, [0b1000_0001, 0b1000_0000, 0b0001_0000]);
    }
}
