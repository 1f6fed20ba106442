//! One device's stations, by port and by address: row numbers into its own tables, four bytes each.

use std::net::IpAddr;
use std::sync::Arc;

use super::Mac;
use crate::model::device::{ArpEntry, Equipment, ForwardingEntry, Neighbor};

#[derive(Clone, Debug)]
pub struct DeviceIndex {
    pub equipment: Arc<Equipment>,
    /// Rows of `forwarding`, by port, then address.
    by_port: Vec<u32>,
    /// Rows of `arp`, by MAC address.
    by_mac: Vec<u32>,
}

impl DeviceIndex {
    pub fn new(equipment: &Arc<Equipment>) -> Self {
        let rows = |count: usize| (0..u32::try_from(count).unwrap_or(u32::MAX)).collect::<Vec<u32>>();
        let mut by_port = rows(equipment.forwarding.len());
        by_port.sort_by_key(|row| {
            let entry = &equipment.forwarding[*row as usize];
            (entry.port, entry.mac)
        });
        let mut by_mac = rows(equipment.arp.len());
        by_mac.sort_by_key(|row| equipment.arp[*row as usize].mac);
        Self { equipment: equipment.clone(), by_port, by_mac }
    }

    /// Entries of a port; those of its aggregate where it has none of its own and is a member of one.
    pub fn stations(&self, port: u32) -> impl Iterator<Item = &ForwardingEntry> {
        self.rows(port).iter().map(|row| &self.equipment.forwarding[*row as usize])
    }

    /// Addresses that are heard on a port, each once however many VLANs it is in.
    pub fn station_count(&self, port: u32) -> usize {
        let mut count = 0;
        let mut last: Option<Mac> = None;
        for entry in self.stations(port) {
            count += usize::from(last != Some(entry.mac));
            last = Some(entry.mac);
        }
        count
    }

    fn rows(&self, port: u32) -> &[u32] {
        let own = self.rows_of(port);
        let aggregate = self.equipment.port(port).and_then(|facts| facts.lag).map(|lag| lag.aggregate);
        match aggregate.filter(|_| own.is_empty()) {
            Some(aggregate) => self.rows_of(aggregate),
            None => own,
        }
    }

    fn rows_of(&self, port: u32) -> &[u32] {
        let port_of = |row: &u32| self.equipment.forwarding[*row as usize].port;
        let from = self.by_port.partition_point(|row| port_of(row) < port);
        let to = self.by_port.partition_point(|row| port_of(row) <= port);
        &self.by_port[from..to]
    }

    /// Where an address is heard. The table is sorted by address.
    pub fn heard(&self, mac: Mac) -> impl Iterator<Item = &ForwardingEntry> {
        let all = &self.equipment.forwarding;
        let from = all.partition_point(|entry| entry.mac < mac);
        all[from..].iter().take_while(move |entry| entry.mac == mac)
    }

    pub fn addresses(&self, mac: Mac) -> impl Iterator<Item = IpAddr> {
        let arp = |row: &u32| &self.equipment.arp[*row as usize];
        let from = self.by_mac.partition_point(|row| arp(row).mac < mac);
        self.by_mac[from..].iter().map(arp).take_while(move |entry| entry.mac == mac).map(|entry| entry.address)
    }

    pub fn macs(&self, address: IpAddr) -> impl Iterator<Item = Mac> {
        let all = &self.equipment.arp;
        let from = all.partition_point(|entry: &ArpEntry| entry.address < address);
        all[from..].iter().take_while(move |entry| entry.address == address).map(|entry| entry.mac)
    }

    /// Neighbors of a port, of the members of an aggregate, and of what an interface stands on.
    pub fn neighbors(&self, port: u32) -> impl Iterator<Item = &Neighbor> {
        let own = self.equipment.port(port);
        let lower = own.map(|facts| &facts.lower[..]).unwrap_or_default();
        let is_member = move |index: u32, aggregate: Option<u32>| aggregate == Some(port) || lower.contains(&index);
        self.equipment
            .ports
            .iter()
            .filter(move |facts| facts.index == port || is_member(facts.index, facts.lag.map(|lag| lag.aggregate)))
            .flat_map(|facts| &facts.neighbors)
    }
}
