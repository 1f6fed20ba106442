//! Who hangs where: from a MAC address, an IP address or a host to the switch port, and from a port to what is beyond it.
//!
//! Answers come from what devices said of themselves: forwarding tables, ARP tables, LLDP and CDP neighbors. [`Lookup`] holds
//! one small index a device, made when somebody asks and made anew only for devices whose slower tables were walked again. Pure;
//! it never asks a device, and it never guesses: a station that is heard only through another switch is said to be beyond it.

mod attach;
mod index;
pub mod needle;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

pub use self::attach::{Attachment, Beyond, How, port_called};
use self::index::DeviceIndex;
use crate::base::Timestamp;
pub use crate::model::device::Mac;
use crate::model::device::{Equipment, ForwardingEntry, Neighbor, NeighborId};
use crate::model::{AssetId, Host};
use crate::state::identities::Identities;
use crate::state::{DeviceView, Snapshot};

/// The groups of tables that stations come from, as [`crate::model::device::TablesWalked`] names them.
const FORWARDING: &[&str] = &["forwarding"];
const ARP: &[&str] = &["arp"];
const NEIGHBORS: &[&str] = &["lldp", "cdp"];

/// Where a MAC address was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    pub device: AssetId,
    /// ifIndex.
    pub port: u32,
    pub mac: Mac,
    pub vlan: Option<u16>,
    /// Stations that are heard on that port.
    pub stations: usize,
    /// Something that forwards for others is at the other end: the station may be beyond it.
    pub shared: bool,
    /// When the table was walked.
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub struct Lookup {
    devices: HashMap<AssetId, DeviceIndex>,
    /// In the order of the snapshot.
    order: Vec<AssetId>,
    hosts: Vec<Arc<Host>>,
    identities: Identities<AssetId>,
    /// Grows with every change.
    generation: u64,
}

impl Lookup {
    /// Takes in what has changed since the last time.
    pub fn refresh(&mut self, snapshot: &Snapshot) {
        let mut changed = self.take_hosts(snapshot);
        let mut order = Vec::with_capacity(snapshot.devices.len());
        for view in &snapshot.devices {
            let id = &view.host.id;
            let equipment = &view.table.equipment;
            let known = self.devices.get(id);
            if known.is_none_or(|index| !Arc::ptr_eq(&index.equipment, equipment)) {
                changed = true;
                self.devices.insert(id.clone(), DeviceIndex::new(equipment));
            }
            changed |= self.identities.take_device(id, &view.table.device.name, equipment.chassis_macs());
            order.push(id.clone());
        }
        if self.devices.len() > order.len() {
            let kept: HashSet<&AssetId> = order.iter().collect();
            self.devices.retain(|id, _| kept.contains(id));
            self.identities.retain_devices(|id| kept.contains(id));
        }
        changed |= self.order != order;
        self.order = order;
        self.generation += u64::from(changed);
    }

    /// Differs from what it was when anything has changed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes in one device only: enough for who is heard on its ports.
    pub fn refresh_device(&mut self, view: &DeviceView) {
        let (id, equipment) = (&view.host.id, &view.table.equipment);
        if self.devices.get(id).is_none_or(|index| !Arc::ptr_eq(&index.equipment, equipment)) {
            self.devices.insert(id.clone(), DeviceIndex::new(equipment));
        }
    }

    /// Whether the inventory's hosts are other ones than before.
    fn take_hosts(&mut self, snapshot: &Snapshot) -> bool {
        let same = self.hosts.len() == snapshot.hosts.len()
            && self.hosts.iter().zip(&snapshot.hosts).all(|(old, new)| Arc::ptr_eq(old, &new.host));
        if same {
            return false;
        }
        self.hosts = snapshot.hosts.iter().map(|h| h.host.clone()).collect();
        self.identities = Identities::default();
        for host in &self.hosts {
            self.identities.add(&host.id, host);
        }
        true
    }

    pub fn equipment(&self, device: &AssetId) -> Option<&Arc<Equipment>> {
        self.devices.get(device).map(|index| &index.equipment)
    }

    /// The stations heard on a port, in the order of their addresses; those of its aggregate where it is a member of one.
    pub fn stations<'a>(&'a self, device: &AssetId, port: u32) -> impl Iterator<Item = &'a ForwardingEntry> + use<'a> {
        let index = self.devices.get(device);
        index.into_iter().flat_map(move |index| index.stations(port))
    }

    /// How many MAC addresses are heard on a port; `None` where the device's forwarding table is not known.
    pub fn station_count(&self, device: &AssetId, port: u32) -> Option<usize> {
        let index = self.devices.get(device)?;
        if index.equipment.forwarding.is_empty() && walked(&index.equipment, FORWARDING).is_none() {
            return None;
        }
        Some(index.station_count(port))
    }

    /// The IP addresses of a MAC address, by the ARP tables of all devices; each once, in order.
    pub fn addresses(&self, mac: Mac) -> Vec<IpAddr> {
        let mut out: Vec<IpAddr> = self.devices.values().flat_map(|index| index.addresses(mac)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The MAC addresses that an IP address was seen with.
    pub fn macs(&self, address: IpAddr) -> Vec<Mac> {
        let mut out: Vec<Mac> = self.devices.values().flat_map(|index| index.macs(address)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The MAC addresses of all IP addresses that `wanted` says yes to.
    pub fn macs_where(&self, wanted: impl Fn(IpAddr) -> bool) -> Vec<Mac> {
        let arp = self.devices.values().flat_map(|index| index.equipment.arp.iter());
        let mut out: Vec<Mac> = arp.filter(|entry| wanted(entry.address)).map(|entry| entry.mac).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Everywhere that a MAC address is heard, the likeliest access port first: without another switch at the other end, and
    /// with the fewest stations.
    pub fn sightings(&self, mac: Mac) -> Vec<Sighting> {
        let mut out = Vec::new();
        for id in &self.order {
            let Some(index) = self.devices.get(id) else { continue };
            out.extend(index.heard(mac).map(|entry| Sighting {
                device: id.clone(),
                port: entry.port,
                mac,
                vlan: entry.vlan,
                stations: index.station_count(entry.port),
                shared: self.is_shared(index, entry.port),
                at: walked(&index.equipment, FORWARDING),
            }));
        }
        // One port may hear it in several VLANs.
        out.sort_by_key(|s| (s.shared, s.stations));
        let mut seen: Vec<(AssetId, u32)> = Vec::new();
        out.retain(|s| {
            let place = (s.device.clone(), s.port);
            let fresh = !seen.contains(&place);
            if fresh {
                seen.push(place);
            }
            fresh
        });
        out
    }

    /// The host of the inventory with that address.
    pub fn host_at(&self, address: IpAddr) -> Option<&AssetId> {
        self.identities.at(address)
    }

    /// The host of the inventory that a neighbor is.
    pub fn neighbor_host(&self, neighbor: &Neighbor) -> Option<AssetId> {
        self.identities.find(neighbor.into())
    }

    /// The same of one that is heard no more.
    pub fn host_of(&self, id: &NeighborId) -> Option<AssetId> {
        self.identities.find(id.into())
    }

    /// Whether stations that are heard on a port may be beyond another switch there.
    pub fn is_shared_port(&self, device: &AssetId, port: u32) -> bool {
        self.devices.get(device).is_some_and(|index| self.is_shared(index, port))
    }

    /// Something that forwards for others is on this port, or on a member of this aggregate.
    fn is_shared(&self, index: &DeviceIndex, port: u32) -> bool {
        index.neighbors(port).any(|neighbor| self.is_network(neighbor))
    }

    /// A neighbor that says so, or that is a walked device.
    fn is_network(&self, neighbor: &Neighbor) -> bool {
        neighbor.forwards == Some(true) || self.neighbor_host(neighbor).is_some_and(|id| self.devices.contains_key(&id))
    }
}

/// When the first of these groups was last walked.
fn walked(equipment: &Equipment, groups: &[&str]) -> Option<Timestamp> {
    groups.iter().find_map(|group| equipment.walked.iter().find(|w| *w.group == **group && w.rows > 0)).map(|w| w.at)
}

#[cfg(test)]
mod tests;
