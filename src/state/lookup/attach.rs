//! From a host to the port it hangs on, and from a port to what is beyond it.

use std::net::IpAddr;

use super::{ARP, FORWARDING, Lookup, Mac, NEIGHBORS, Sighting, needle, walked};
use crate::base::{Timestamp, Untrusted};
use crate::model::AssetId;
use crate::model::device::{Neighbor, NeighborProtocol};
use crate::state::{DeviceView, HostView, Snapshot};

/// So many of a device's own addresses are looked for: it is heard by one of the first, or by none.
const OWN_PORTS: usize = 64;

/// How it is known that something hangs on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The two told each other.
    Neighbor(NeighborProtocol),
    /// Its MAC address is heard there.
    Forwarding,
}

/// A port that a host hangs on, or may.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    pub device: AssetId,
    /// ifIndex.
    pub port: u32,
    pub how: How,
    pub mac: Option<Mac>,
    pub vlan: Option<u16>,
    /// Something that forwards for others is at the other end of the cable, and it is not the host itself.
    pub shared: bool,
    pub stations: usize,
    /// When the table was walked that says so.
    pub at: Option<Timestamp>,
}

/// What is at the other end of a port.
#[derive(Clone, Debug, PartialEq)]
pub struct Beyond {
    /// In its own words, or its address.
    pub name: Untrusted,
    /// Its port, where it told.
    pub port: Untrusted,
    pub port_description: Untrusted,
    pub protocol: Option<NeighborProtocol>,
    pub mac: Option<Mac>,
    pub vlan: Option<u16>,
    pub addresses: Vec<IpAddr>,
    /// Who it is in the inventory.
    pub host: Option<AssetId>,
}

impl Lookup {
    /// The ports that a host hangs on, the likeliest first.
    pub fn attachments(&self, snapshot: &Snapshot, host: &HostView) -> Vec<Attachment> {
        let mut out = self.told(host);
        let macs = self.macs_of_host(snapshot, host, out.is_empty());
        for mac in macs {
            for sighting in self.sightings(mac) {
                let known = out.iter().any(|a| a.device == sighting.device && a.port == sighting.port);
                // A device hears its own addresses too.
                if !known && sighting.device != host.host.id {
                    out.push(Attachment::from(sighting));
                }
            }
        }
        out.sort_by_key(|a| (a.how == How::Forwarding, a.shared, a.stations));
        out
    }

    /// Ports whose neighbor says that it is this host.
    fn told(&self, host: &HostView) -> Vec<Attachment> {
        let mut out = Vec::new();
        for id in self.order.iter().filter(|id| **id != host.host.id) {
            let Some(index) = self.devices.get(id) else { continue };
            for facts in &index.equipment.ports {
                let is_it = |neighbor: &&Neighbor| self.neighbor_host(neighbor).as_ref() == Some(&host.host.id);
                if let Some(neighbor) = facts.neighbors.iter().find(is_it) {
                    out.push(Attachment {
                        device: id.clone(),
                        port: facts.index,
                        how: How::Neighbor(neighbor.protocol),
                        mac: neighbor.chassis_mac,
                        vlan: facts.vlan,
                        shared: false,
                        stations: index.station_count(facts.index),
                        at: walked(&index.equipment, NEIGHBORS),
                    });
                }
            }
        }
        out
    }

    /// What is known of a host's MAC addresses: by ARP of its address, and where nobody told who it is, those of its own
    /// ports where it is a walked device.
    fn macs_of_host(&self, snapshot: &Snapshot, host: &HostView, by_ports: bool) -> Vec<Mac> {
        let address = host.host.address.as_deref().and_then(|a| a.parse::<IpAddr>().ok());
        let mut macs = address.map(|address| self.macs(address)).unwrap_or_default();
        if by_ports && let Some(device) = snapshot.device(&host.host.id) {
            macs.extend(device.table.ports.iter().filter_map(|p| p.mac).take(OWN_PORTS));
        }
        macs.sort_unstable();
        macs.dedup();
        macs
    }

    /// What is beyond a port: neighbors first, then stations, those of the inventory before others.
    pub fn beyond(&self, device: &AssetId, port: u32) -> Vec<Beyond> {
        let mut out: Vec<Beyond> = Vec::new();
        let Some(index) = self.devices.get(device) else { return out };
        for neighbor in index.neighbors(port) {
            out.push(Beyond {
                name: neighbor.name.clone(),
                port: neighbor.port.clone(),
                port_description: neighbor.port_description.clone(),
                protocol: Some(neighbor.protocol),
                mac: neighbor.chassis_mac,
                vlan: None,
                addresses: neighbor.addresses.clone(),
                host: self.neighbor_host(neighbor),
            });
        }
        let told = out.len();
        let mut last = None;
        for entry in index.stations(port) {
            if last == Some(entry.mac) || out[..told].iter().any(|b| b.mac == Some(entry.mac)) {
                continue;
            }
            last = Some(entry.mac);
            let addresses = self.addresses(entry.mac);
            let host = addresses.iter().find_map(|address| self.host_at(*address)).cloned();
            out.push(Beyond {
                name: host.as_ref().map(|id| Untrusted::from(id.as_str())).unwrap_or_default(),
                port: Untrusted::default(),
                port_description: Untrusted::default(),
                protocol: None,
                mac: Some(entry.mac),
                vlan: entry.vlan,
                addresses,
                host,
            });
        }
        out[told..].sort_by_key(|b| (b.host.is_none(), b.addresses.is_empty()));
        out
    }

    /// When the forwarding table of a device was walked, and the newest ARP table of any.
    pub fn walked_at(&self, device: &AssetId) -> (Option<Timestamp>, Option<Timestamp>) {
        let forwarding = self.equipment(device).and_then(|equipment| walked(equipment, FORWARDING));
        let arp = self.devices.values().filter_map(|index| walked(&index.equipment, ARP)).max();
        (forwarding, arp)
    }
}

impl From<Sighting> for Attachment {
    fn from(sighting: Sighting) -> Self {
        Self {
            device: sighting.device,
            port: sighting.port,
            how: How::Forwarding,
            mac: Some(sighting.mac),
            vlan: sighting.vlan,
            shared: sighting.shared,
            stations: sighting.stations,
            at: sighting.at,
        }
    }
}

/// The port of a device that a neighbor's words mean: its name, description, alias or address.
pub fn port_called(device: &DeviceView, words: &Untrusted) -> Option<usize> {
    if words.is_empty() {
        return None;
    }
    let wanted = words.as_bytes();
    let mac = needle::mac(&words.line());
    let ports = &device.table.ports;
    let exact = |text: &Untrusted| text.as_bytes().eq_ignore_ascii_case(wanted);
    ports
        .iter()
        .position(|p| exact(&p.name) || exact(&p.description))
        .or_else(|| ports.iter().position(|p| exact(&p.alias)))
        .or_else(|| ports.iter().position(|p| mac.is_some() && p.mac == mac))
}
