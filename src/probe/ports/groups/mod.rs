//! What is walked beside the port table: one file per group of tables that belong together, one row each in [`GROUPS`]. A
//! group says what to ask for and how often, and makes of what came a part of the device's [`Equipment`]. It asks nobody
//! itself; [`super::survey`] does.

mod host_resources;
mod if_stack;
#[cfg(test)]
mod testing;

use std::time::Duration;

use super::cells::Tables;
use crate::model::{Device, Equipment, Port};
use crate::proto::snmp::Oid;

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

    /// Replaces this group's part of the equipment. Called with what came, which may be nothing.
    fn fold(&self, tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment);
}

/// What a fold may look at besides its own tables.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// In the order of ifIndex.
    pub ports: &'a [Port],
}

/// A group whose tables are known when noctty is compiled, and which every agent is asked for.
#[derive(Debug)]
pub struct Fixed {
    pub name: &'static str,
    pub pace: Duration,
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

    fn fold(&self, tables: &Tables<'_>, walk: &Walk<'_>, equipment: &mut Equipment) {
        (self.fold)(tables, walk, equipment);
    }
}

/// Every group that any agent may have. Folded in this order: a later one may build on an earlier one's part.
pub static GROUPS: &[&dyn Group] = &[&if_stack::GROUP, &host_resources::GROUP];
