//! What is walked beside the port table: one file per group of tables that belong together, one row each in [`GROUPS`]. A
//! group says what to ask for and how often, and makes of what came a part of the device's [`Equipment`]. It asks nobody
//! itself; [`super::survey`] does.

mod addresses;
mod arp;
mod bgp;
mod bridge_ports;
mod cdp;
mod entity;
mod err_disable;
mod ethernet;
mod forwarding;
mod host_resources;
mod if_stack;
mod lag;
mod lldp;
mod mau;
mod mstp;
mod names;
mod numbering;
mod ospf;
mod poe;
mod profile;
mod sensors;
mod spanning_tree;
#[cfg(test)]
pub mod testing;
mod ucd;
mod ups;
pub mod values;
mod vlans;

use std::time::Duration;

use super::cells::Tables;
use crate::model::{Device, Equipment, Port};
use crate::proto::snmp::Oid;

/// What a bridge says of itself, in the order in which it is folded.
pub static BRIDGE: &[&dyn Group] = &[&bridge_ports::GROUP, &spanning_tree::GROUP, &forwarding::GROUP];
/// The group that what is asked VLAN by VLAN goes with.
pub static FORWARDING: &dyn Group = &forwarding::GROUP;

/// Tables that are walked together.
pub trait Group: Send + Sync + std::fmt::Debug {
    /// Unique; shown where the age or the absence of its values is told.
    fn name(&self) -> &str;

    /// How long what it brings is good for.
    fn pace(&self) -> Duration;

    /// Whether this device is asked for it at all.
    fn applies(&self, device: &Device) -> bool;

    /// Instances, with their `.0`.
    fn scalars(&self) -> Vec<Oid>;

    /// Columns, without an index.
    fn columns(&self) -> Vec<Oid>;

    fn weight(&self) -> Weight {
        Weight::Light
    }

    /// Cells of one column at most; what a hostile or very large device has beyond that is left out, and said.
    fn max_rows(&self) -> u32 {
        MAX_ROWS
    }

    /// Replaces this group's part of the equipment. Called with what came, which may be nothing.
    fn fold(&self, tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment);
}

/// Enough for every table whose rows are ports, parts or neighbors.
pub const MAX_ROWS: u32 = 20_000;

/// What a walk of a group means for the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Walked with others in one conversation.
    Light,
    /// Long tables that many devices must not be asked for in the same minute. Walked alone.
    Heavy,
}

/// What a fold may look at besides its own tables.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// In the order of ifIndex.
    pub ports: &'a [Port],
}

impl<'a> Walk<'a> {
    /// The port with this ifIndex.
    pub fn port(&self, index: u32) -> Option<&'a Port> {
        self.ports.binary_search_by_key(&index, |p| p.index).ok().map(|at| &self.ports[at])
    }

    /// `index`, where it is the ifIndex of a port.
    pub fn known(&self, index: u32) -> Option<u32> {
        self.port(index).map(|port| port.index)
    }
}

/// A group whose tables are known when noctty is compiled, and which every agent is asked for.
#[derive(Debug)]
pub struct Fixed {
    pub name: &'static str,
    pub pace: Duration,
    pub weight: Weight,
    pub max_rows: u32,
    pub scalars: &'static [&'static [u32]],
    pub columns: &'static [&'static [u32]],
    pub fold: fn(&Tables<'_>, &Walk<'_>, &mut Equipment),
}

impl Group for Fixed {
    fn name(&self) -> &str {
        self.name
    }

    fn pace(&self) -> Duration {
        self.pace
    }

    fn applies(&self, _: &Device) -> bool {
        true
    }

    fn scalars(&self) -> Vec<Oid> {
        self.scalars.iter().map(|arcs| Oid::from_arcs(arcs)).collect()
    }

    fn columns(&self) -> Vec<Oid> {
        self.columns.iter().map(|arcs| Oid::from_arcs(arcs)).collect()
    }

    fn weight(&self) -> Weight {
        self.weight
    }

    fn max_rows(&self) -> u32 {
        self.max_rows
    }

    fn fold(&self, tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
        (self.fold)(tables, walk, equipment);
    }
}

/// Every group that any agent may have. Folded in this order: a later one may build on an earlier one's part.
pub static GROUPS: &[&dyn Group] = &[
    &if_stack::GROUP,
    &addresses::GROUP,
    &ethernet::GROUP,
    &mau::GROUP,
    &bridge_ports::GROUP,
    &entity::GROUP,
    &lldp::GROUP,
    &cdp::GROUP,
    &vlans::GROUP,
    &spanning_tree::GROUP,
    &mstp::GROUP,
    &lag::GROUP,
    &err_disable::GROUP,
    &poe::GROUP,
    &sensors::GROUP,
    &host_resources::GROUP,
    &ucd::GROUP,
    &bgp::GROUP,
    &ospf::GROUP,
    &ups::GROUP,
    &forwarding::GROUP,
    &arp::GROUP,
];
