//! What the devices of the demo say beside their ports: neighbors, VLANs, who is heard where, power, sensors, routing. Made
//! of the topology, so that what one device says of another is what the other says of it.

mod layer_two;
mod parts;
mod routing;

use std::net::Ipv4Addr;

use super::snmp::More;
use super::topology::Topology;

/// ifIndex of the aggregate between the two core switches.
const AGGREGATE: u32 = 5_001;

/// What the agents say, in their order: switches, then what stands [beside](super::topology::BESIDE).
pub fn says(topology: &Topology) -> Vec<More> {
    if !topology.is_talkative() {
        return Vec::new();
    }
    let campus = Campus { topology };
    let switches = (0..topology.size.switches).map(|switch| campus.switch(switch));
    switches.chain([campus.edge(), Campus::ups()]).collect()
}

/// The network, seen from each of its devices.
struct Campus<'a> {
    topology: &'a Topology,
}

/// The other end of a cable.
struct Far {
    name: String,
    address: Ipv4Addr,
    mac: [u8; 6],
    port: String,
}

impl Campus<'_> {
    fn switch(&self, switch: usize) -> More {
        let mut more = More::default();
        self.neighbors(switch, &mut more);
        self.bridge(switch, &mut more);
        self.vlans(switch, &mut more);
        self.spanning_tree(switch, &mut more);
        self.parts(switch, &mut more);
        if switch < 2 {
            self.aggregate(switch, &mut more);
            self.arp(&mut more);
            self.ospf(switch, &mut more);
        } else {
            self.power(switch, &mut more);
        }
        for host in self.hosts(switch) {
            more.occupy(self.host_port(host));
        }
        for (port, _) in self.cables(switch) {
            more.occupy(port);
        }
        more
    }

    fn ports(&self) -> u32 {
        u32::try_from(self.topology.size.ports).unwrap_or(0)
    }

    fn hosts(&self, switch: usize) -> impl Iterator<Item = usize> {
        (0..self.topology.size.hosts).filter(move |host| self.topology.switch_of(*host) == Some(switch))
    }

    /// The port of its switch that a host is plugged into, counted from 0; those of the aggregate and uplinks stay free.
    fn host_port(&self, host: usize) -> u32 {
        let below = self.topology.size.switches - 2;
        let room = (self.ports() - 6) as usize;
        (host / below % room) as u32
    }

    /// Each switch hangs with its first uplink on a core switch: its first three on uplinks of the core, the others on its
    /// access ports.
    fn core_port(&self, switch: usize) -> u32 {
        let child = u32::try_from(switch / 2 - 1).unwrap_or(0);
        if child < 3 { self.ports() - 4 + child } else { (child - 3) % (self.ports() - 6) }
    }

    /// The ports of a switch that lead to another one, counted from 0, and what is at their other end.
    fn cables(&self, switch: usize) -> Vec<(u32, Far)> {
        let last = self.ports() - 1;
        if let Some(core) = self.topology.uplink(switch) {
            return vec![(last - 3, self.far(core, self.core_port(switch)))];
        }
        let below = (2..self.topology.size.switches).filter(|s| self.topology.uplink(*s) == Some(switch));
        let mut out: Vec<(u32, Far)> = below.map(|s| (self.core_port(s), self.far(s, last - 3))).collect();
        let other = 1 - switch;
        out.extend(self.members().map(|port| (port, self.far(other, port))));
        out
    }

    /// The two access ports that lead from one core switch to the other.
    fn members(&self) -> impl Iterator<Item = u32> + use<> {
        let last_access = self.ports() - 5;
        [last_access - 1, last_access].into_iter()
    }

    fn far(&self, switch: usize, port: u32) -> Far {
        Far {
            name: self.topology.switch_name(switch),
            address: Topology::switch_address(switch),
            mac: Self::switch_mac(switch),
            port: self.port_name(port),
        }
    }

    fn port_name(&self, port: u32) -> String {
        let access = self.ports() - 4;
        if port < access { format!("Gi1/0/{}", port + 1) } else { format!("Te1/1/{}", port - access + 1) }
    }

    /// ifIndex of the port towards a switch, seen from another one.
    fn towards(&self, from: usize, to: usize) -> u32 {
        let core = |switch: usize| if switch < 2 { switch } else { switch % 2 };
        match (from < 2, core(to) == core(from)) {
            // From below everything is beyond the uplink.
            (false, _) => self.ports() - 3,
            (true, true) if to >= 2 => self.core_port(to) + 1,
            (true, _) => AGGREGATE,
        }
    }

    fn switch_mac(switch: usize) -> [u8; 6] {
        let [high, low] = u16::try_from(switch).unwrap_or(u16::MAX).to_be_bytes();
        [0x02, 0x00, 0x5e, 0x10, high, low]
    }

    fn host_mac(host: usize) -> [u8; 6] {
        let [high, low] = u16::try_from(host).unwrap_or(u16::MAX).to_be_bytes();
        [0x52, 0x54, 0x00, 0x20, high, low]
    }

    fn is_voice(port: u32) -> bool {
        port % 6 == 5
    }
}

#[cfg(test)]
mod tests;
