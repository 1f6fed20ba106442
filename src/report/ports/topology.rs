//! The rows of `noctty.ports/1` that tell what hangs together: VLANs, the spanning tree, aggregates, stations, parts of the
//! device; and which tables all of it comes from.

use serde::Serialize;

use super::equipment::{NeighborRow, neighbor, port_name};
use super::{mac, said};
use crate::base::Timestamp;
use crate::model::PortTable;
use crate::model::device::{
    ArpEntry, Entity, EntityClass, ErrDisabled, ForwardingEntry, LagMember, PoeBudget, PortAddress, SpanningTree,
    StpState, StrayNeighbor, TablesWalked, TreeScope, Vlan,
};

#[derive(Debug, Serialize)]
pub struct LagRow {
    aggregate: String,
    bundled: Option<bool>,
}

/// An address of the device itself.
#[derive(Debug, Serialize)]
pub struct AddressRow {
    address: String,
    prefix: Option<u8>,
}

/// A port's state in the spanning tree of a VLAN.
#[derive(Debug, Serialize)]
pub struct VlanStateRow {
    vlan: u16,
    state: &'static str,
}

#[derive(Debug, Serialize)]
pub struct ErrDisabledRow {
    cause: String,
    recovers_in_s: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct VlanRow {
    id: u16,
    name: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct SpanningTreeRow {
    root: String,
    is_root: Option<bool>,
    root_port: Option<String>,
    topology_changes: Option<u64>,
    since_topology_change_s: Option<f64>,
}

/// A tree beside the first one: of a VLAN, or of an instance of MSTP.
#[derive(Debug, Serialize)]
pub struct ScopedTreeRow {
    vlan: Option<u16>,
    instance: Option<u16>,
    #[serde(flatten)]
    tree: SpanningTreeRow,
}

#[derive(Debug, Serialize)]
pub struct StrayRow {
    local_port: Option<String>,
    #[serde(flatten)]
    neighbor: NeighborRow,
}

#[derive(Debug, Serialize)]
pub struct StationRow {
    mac: String,
    vlan: Option<u16>,
    port: String,
}

#[derive(Debug, Serialize)]
pub struct ArpRow {
    address: String,
    mac: String,
    port: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct PoeBudgetRow {
    group: u32,
    watts: Option<f64>,
    used_watts: Option<f64>,
    faulty: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct EntityRow {
    index: u32,
    class: &'static str,
    name: Option<String>,
    description: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    version: Option<String>,
    contained_in: Option<u32>,
    position: Option<u32>,
}

#[derive(Debug, Serialize)]
pub struct TablesRow {
    group: String,
    at: String,
    rows: u32,
    incomplete: Option<String>,
}

pub fn address(own: &PortAddress) -> AddressRow {
    AddressRow { address: own.address.to_string(), prefix: own.prefix }
}

pub fn vlan_state((vlan, state): (u16, StpState)) -> VlanStateRow {
    VlanStateRow { vlan, state: state.as_str() }
}

pub fn lag(member: LagMember, table: &PortTable) -> LagRow {
    LagRow { aggregate: port_name(table, member.aggregate), bundled: member.bundled }
}

pub fn err_disabled(why: &ErrDisabled) -> ErrDisabledRow {
    ErrDisabledRow { cause: why.cause.to_string(), recovers_in_s: why.recovers_in.map(|d| d.as_secs_f64()) }
}

pub fn vlan(vlan: &Vlan) -> VlanRow {
    VlanRow { id: vlan.id, name: said(&vlan.name) }
}

pub fn spanning_tree(tree: &SpanningTree, table: &PortTable) -> SpanningTreeRow {
    let [high, low, address @ ..] = tree.root;
    SpanningTreeRow {
        root: format!("{}/{}", u16::from_be_bytes([high, low]), mac(address)),
        is_root: tree.is_root,
        root_port: tree.root_port.map(|index| port_name(table, index)),
        topology_changes: tree.topology_changes,
        since_topology_change_s: tree.since_topology_change.map(|d| d.as_secs_f64()),
    }
}

pub fn scoped_tree((scope, tree): &(TreeScope, SpanningTree), table: &PortTable) -> ScopedTreeRow {
    let (vlan, instance) = match *scope {
        TreeScope::Vlan(vlan) => (Some(vlan), None),
        TreeScope::Instance(instance) => (None, Some(instance)),
    };
    ScopedTreeRow { vlan, instance, tree: spanning_tree(tree, table) }
}

pub fn stray(stray: &StrayNeighbor) -> StrayRow {
    StrayRow { local_port: said(&stray.local), neighbor: neighbor(&stray.neighbor) }
}

pub fn station(entry: &ForwardingEntry, table: &PortTable) -> StationRow {
    StationRow { mac: mac(entry.mac), vlan: entry.vlan, port: port_name(table, entry.port) }
}

pub fn arp(entry: &ArpEntry, table: &PortTable) -> ArpRow {
    let port = entry.port.map(|index| port_name(table, index));
    ArpRow { address: entry.address.to_string(), mac: mac(entry.mac), port }
}

pub fn poe_budget(budget: &PoeBudget) -> PoeBudgetRow {
    PoeBudgetRow { group: budget.group, watts: budget.watts, used_watts: budget.used_watts, faulty: budget.faulty }
}

pub fn entity(entity: &Entity) -> EntityRow {
    EntityRow {
        index: entity.index,
        class: match entity.class {
            EntityClass::Chassis => "chassis",
            EntityClass::Stack => "stack",
            EntityClass::Module => "module",
            EntityClass::PowerSupply => "power-supply",
            EntityClass::Fan => "fan",
            EntityClass::Port => "port",
            EntityClass::Other => "other",
        },
        name: said(&entity.name),
        description: said(&entity.description),
        model: said(&entity.model),
        serial: said(&entity.serial),
        version: said(&entity.version),
        contained_in: Some(entity.contained_in).filter(|index| *index > 0),
        position: entity.position,
    }
}

pub fn tables(walked: &TablesWalked, as_wall: &impl Fn(Timestamp) -> Timestamp) -> TablesRow {
    TablesRow {
        group: walked.group.to_string(),
        at: as_wall(walked.at).rfc3339(),
        rows: walked.rows,
        incomplete: walked.incomplete.as_deref().map(str::to_owned),
    }
}
