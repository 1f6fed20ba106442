//! What a filter asks of a port: its VLANs, who is at its other end, who is heard there.

use std::net::IpAddr;

use super::{Subject, contains};
use crate::state::lookup::needle::{self, IpPart, MacPart};
use crate::state::lookup::{Lookup, Mac};
use crate::ui::port::{Seen, shown};

/// A port, and who hangs where.
#[derive(Clone, Copy, Debug)]
pub struct PortSubject<'a> {
    pub seen: Seen<'a>,
    pub lookup: &'a Lookup,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PortTest {
    Vlan(u16),
    VlanNamed(String),
    Mac(MacPart),
    /// An address, and the MAC addresses that it was seen with, in order.
    Ip(IpPart, Vec<Mac>),
    Neighbor(String),
    /// It cannot be meant: the key and the value as typed.
    Nothing(&'static str, String),
}

impl PortTest {
    pub const KEYS: [&str; 4] = ["vlan", "mac", "ip", "neighbor"];

    pub fn parse(key: &str, value: &str) -> Self {
        match key {
            "vlan" => match value.parse() {
                Ok(id) => Self::Vlan(id),
                Err(_) => Self::VlanNamed(value.to_lowercase()),
            },
            "mac" => MacPart::parse(value).map_or_else(|| Self::Nothing("mac", value.to_owned()), Self::Mac),
            "ip" => IpPart::parse(value)
                .map_or_else(|| Self::Nothing("ip", value.to_owned()), |part| Self::Ip(part, Vec::new())),
            _ => Self::Neighbor(value.to_lowercase()),
        }
    }

    /// A plain word that is a whole address.
    pub fn station(word: &str) -> Option<Self> {
        if let Ok(address) = word.parse::<IpAddr>() {
            return Some(Self::Ip(IpPart::One(address), Vec::new()));
        }
        needle::mac(word)?;
        MacPart::parse(word).map(Self::Mac)
    }

    pub fn is_for_station(&self) -> bool {
        matches!(self, Self::Mac(_) | Self::Ip(..))
    }

    pub fn resolve(&mut self, lookup: &Lookup) {
        if let Self::Ip(part, macs) = self {
            *macs = match part {
                IpPart::One(address) => lookup.macs(*address),
                IpPart::Network(..) | IpPart::Begins(_) => lookup.macs_where(|address| part.holds(address)),
            };
        }
    }

    pub fn mistake(&self) -> Option<String> {
        match self {
            Self::Nothing("mac", value) => Some(format!("mac:{value} is no MAC address, nor a piece of one")),
            Self::Nothing(key, value) => Some(format!("{key}:{value} is no address, nor a network")),
            Self::Vlan(_) | Self::VlanNamed(_) | Self::Mac(_) | Self::Ip(..) | Self::Neighbor(_) => None,
        }
    }

    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        let Some(port) = &subject.port else {
            let address = subject.address.and_then(|a| a.parse::<IpAddr>().ok());
            return matches!((self, address), (Self::Ip(part, _), Some(address)) if part.holds(address));
        };
        let facts = port.seen.facts;
        let neighbors = facts.map(|f| &f.neighbors[..]).unwrap_or_default();
        match self {
            Self::Vlan(id) => port.carries(*id),
            Self::VlanNamed(name) => {
                let vlans = &port.seen.device.table.equipment.vlans;
                vlans.iter().any(|v| contains(&shown(&v.name), name) && port.carries(v.id))
            }
            Self::Neighbor(name) => neighbors.iter().any(|n| contains(&shown(&n.name), name)),
            Self::Mac(part) => {
                port.seen.port.mac.is_some_and(|mac| part.is_in(mac))
                    || neighbors.iter().any(|n| n.chassis_mac.is_some_and(|mac| part.is_in(mac)))
                    || port.stations().any(|mac| part.is_in(mac))
            }
            Self::Ip(part, macs) => {
                facts.is_some_and(|f| f.addresses.iter().any(|own| part.holds(own.address)))
                    || neighbors.iter().any(|n| n.addresses.iter().any(|address| part.holds(*address)))
                    || (!macs.is_empty() && port.stations().any(|mac| macs.binary_search(&mac).is_ok()))
            }
            Self::Nothing(..) => false,
        }
    }
}

impl PortSubject<'_> {
    /// Whether its description or alias, its device's name or a neighbor's has `text` (lower case) in it. Each by itself:
    /// this is asked of every port of the network for every key that is typed.
    pub fn says(&self, text: &str) -> bool {
        let seen = &self.seen;
        let neighbors = seen.facts.map(|f| &f.neighbors[..]).unwrap_or_default();
        contains(&shown(&seen.port.alias), text)
            || contains(&shown(&seen.port.description), text)
            || contains(&seen.device.host.name, text)
            || neighbors.iter().any(|n| contains(&shown(&n.name), text))
    }

    fn carries(&self, vlan: u16) -> bool {
        self.seen.facts.is_some_and(|f| f.vlan == Some(vlan) || f.tagged.binary_search(&vlan).is_ok())
    }

    fn stations(&self) -> impl Iterator<Item = Mac> {
        self.lookup.stations(&self.seen.device.host.id, self.seen.port.index).map(|entry| entry.mac)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Condition;
    use crate::model::device::{ArpEntry, ForwardingEntry, Neighbor, NeighborProtocol, PortAddress, Vlan};
    use crate::state::{DeviceView, PortState, Snapshot};
    use crate::ui::filter::Filter;
    use crate::ui::tests::fixture;

    fn switch() -> DeviceView {
        let mut view = fixture::device("sw", &[("Gi1/0/1".to_owned(), PortState::Up, Condition::Ok)]);
        let table = Arc::make_mut(&mut view.table);
        let equipment = Arc::make_mut(&mut table.equipment);
        let mac = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55];
        let facts = equipment.port_mut(10_101);
        facts.vlan = Some(10);
        facts.addresses.push(PortAddress { address: IpAddr::from([10, 8, 0, 1]), prefix: Some(24) });
        facts.tagged = vec![20, 30];
        facts.neighbors.push(Neighbor {
            chassis_mac: Some([0, 0, 0, 0xaa, 0xbb, 0xcc]),
            addresses: vec![IpAddr::from([10, 9, 9, 9])],
            ..Neighbor::new(NeighborProtocol::Lldp, "Core-1.example.net", "Te1/1")
        });
        equipment.vlans = vec![Vlan { id: 30, name: "Voice".into() }, Vlan { id: 40, name: "voice-old".into() }];
        equipment.forwarding = [ForwardingEntry { mac, vlan: Some(10), port: 10_101 }].into();
        equipment.arp = [ArpEntry { address: IpAddr::from([10, 0, 0, 5]), mac, port: Some(1) }].into();
        view
    }

    fn through(text: &str) -> bool {
        let view = switch();
        let snapshot = Snapshot { devices: vec![Arc::new(view.clone())], ..Snapshot::default() };
        let mut lookup = Lookup::default();
        lookup.refresh(&snapshot);
        let mut filter = Filter::parse(text);
        filter.resolve(&lookup);
        let seen = Seen::at(&view, 0).expect("a port");
        filter.lets_through(&Subject {
            name: "Gi1/0/1",
            words: "desk 7",
            condition: Condition::Ok,
            word: "",
            care: None,
            stale: false,
            tags: Vec::new(),
            group: "",
            site: "",
            kind: "port",
            address: None,
            port: Some(PortSubject { seen, lookup: &lookup }),
        })
    }

    #[test]
    fn ports_are_found_by_vlan_station_address_and_neighbor() {
        for yes in [
            "vlan:10",
            "vlan:30 vlan:voice",
            "mac:0011.2233.4455",
            "mac:00-11-22",
            "mac:aa:bb:cc",
            "ip:10.0.0.5",
            "ip:10.0.0.0/24",
            "ip:10.9.9.9",
            "ip:10.8.0.1",
            "10.8.0.1",
            "neighbor:core",
            "00:11:22:33:44:55",
            "001122334455 desk",
            "10.0.0.5",
            "!vlan:11 !mac:beef",
            "core-1.EXAMPLE",
            "uplink sw",
            "state:up",
        ] {
            assert!(through(yes), "{yes}");
        }
        for no in [
            "vlan:40",
            "vlan:4",
            "mac:66",
            "mac:xyz",
            "ip:10.0.0.6",
            "ip:10.8.0.2",
            "ip:nonsense",
            "neighbor:edge",
            "10.0.0.6",
            "!vlan:10",
            "state:no-link",
        ] {
            assert!(!through(no), "{no}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (text, said) in [("mac:xyz", true), ("ip:web", true), ("mac:00 ip:10.", false), ("vlan:voice", false)] {
            assert_eq!(Filter::parse(text).mistake().is_some(), said, "{text}");
        }
        assert!(Filter::parse("a mac:00").is_for_station() && !Filter::parse("!mac:00 vlan:1").is_for_station());
    }
}
