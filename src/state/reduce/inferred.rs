//! Parents that nobody configured: a switch names its neighbour (LLDP, CDP), and that is a host of the inventory which
//! forwards for nobody and has no parents of its own. Such a parent is marked, hides the host only when the two fell silent
//! within 90 seconds of each other, and never hides what is tagged critical. What a neighbour calls itself is foreign text:
//! that is why it may hide so little.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use crate::model::PortTable;
use crate::model::device::Neighbor;

/// What fell silent further apart has causes of its own.
const TOGETHER: Duration = Duration::from_secs(90);

/// Hosts by what they are called, where only one is called so.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, Option<usize>>);

impl Names {
    fn find(&self, neighbor: &Neighbor) -> Option<usize> {
        let by_address = neighbor.address.and_then(|address| self.row(&address.to_string()));
        by_address.or_else(|| {
            let name = neighbor.name.line().to_lowercase();
            self.row(&name).or_else(|| self.row(name.split('.').next().unwrap_or_default()))
        })
    }

    fn row(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied().flatten()
    }
}

impl State {
    /// After the inventory changed: what was inferred before goes on where it still may.
    pub(super) fn resume_inferences(&mut self) {
        let mut names: HashMap<String, Option<usize>> = HashMap::new();
        for (row, slot) in self.hosts.iter().enumerate() {
            let host = &slot.view.host;
            let name = host.name.to_lowercase();
            let address = host.address.as_deref().filter(|address| **address != *name).map(str::to_lowercase);
            for one in std::iter::once(name).chain(address) {
                names.entry(one).and_modify(|known| *known = None).or_insert(Some(row));
            }
        }
        self.names = Names(names);
        for row in 0..self.hosts.len() {
            if let Some(parent) = self.hosts[row].view.care.inferred_parent.clone() {
                let parent = self.names.row(&parent.to_lowercase());
                let may = parent.filter(|parent| self.may_hang(row, *parent));
                self.hang(row, may);
            }
        }
    }

    /// What a walk says of the neighbours of a device.
    pub(super) fn infer(&mut self, device: usize, table: &PortTable) {
        let neighbors = table.equipment.ports.iter().flat_map(|facts| &facts.neighbors);
        let ends = neighbors.filter(|neighbor| neighbor.forwards == Some(false));
        let found: Vec<usize> = ends.filter_map(|neighbor| self.names.find(neighbor)).collect();
        for row in found {
            if self.may_hang(row, device) {
                self.hang(row, Some(device));
            }
        }
    }

    /// It hid nothing by itself when both fell silent, or it must not hide this one.
    pub(super) fn is_only_inferred(&self, row: usize) -> bool {
        let slot = &self.hosts[row];
        if slot.view.care.inferred_parent.is_none() {
            return false;
        }
        let began = |slot: &super::HostSlot| slot.lineage.silent_since.unwrap_or(slot.view.since);
        let apart = slot.parents.iter().all(|parent| {
            let (mine, its) = (began(slot), began(&self.hosts[*parent]));
            mine.since(its).max(its.since(mine)) > TOGETHER
        });
        let down = slot.parents.iter().all(|parent| self.hosts[*parent].down);
        slot.view.host.has_tag("critical") || (down && apart)
    }

    fn may_hang(&self, row: usize, parent: usize) -> bool {
        let slot = &self.hosts[row];
        let inferred = slot.view.care.inferred_parent.is_some();
        // What others hang on is no end of the network: so there can be no circle.
        row != parent && slot.children.is_empty() && (slot.parents.is_empty() || inferred)
    }

    fn hang(&mut self, row: usize, parent: Option<usize>) {
        self.hosts[row].redundancy.clear();
        for old in std::mem::take(&mut self.hosts[row].parents) {
            self.hosts[old].children.retain(|child| *child != row);
        }
        let name = parent.map(|parent| self.hosts[parent].view.host.name.clone());
        if let Some(parent) = parent {
            self.hosts[row].parents.push(parent);
            self.hosts[parent].children.push(row);
        }
        if self.hosts[row].view.care.inferred_parent != name {
            Arc::make_mut(&mut self.hosts[row].view).care.inferred_parent = name;
            self.count_voters();
        }
    }
}

#[cfg(test)]
mod tests;
