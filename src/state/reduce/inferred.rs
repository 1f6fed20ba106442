//! Parents that nobody configured. A switch names its neighbor (LLDP, CDP), and that is a host of the inventory which
//! forwards for nobody and has no parents of its own; or this machine itself goes to the host through another, a jump host
//! or a gateway. Such a parent is marked, hides the host only when the two fell silent within 90 seconds of each other,
//! nothing while it never answered itself, and never what is tagged critical. What a neighbor calls itself is foreign text,
//! and the rest are conclusions: that is why it may hide so little.
//!
//! Of several the surest counts: a jump host before a neighbor before a gateway.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use crate::base::Timestamp;
use crate::model::{Inference, Inventory, PortTable, Subject};
use crate::state::event::Effect;
use crate::state::identities::{Identities, Seen};
use crate::state::view::InferredParent;

/// What fell silent further apart has causes of its own.
const TOGETHER: Duration = Duration::from_secs(90);

/// Neighbors that are said to be ambiguous at most: devices can make them up.
const AMBIGUITIES: usize = 20;

impl super::HostSlot {
    /// The device that named it as its neighbor, where it hangs on that.
    pub(super) fn neighbor(&self) -> Option<Arc<str>> {
        let parent = self.view.care.inferred_parent.as_ref().filter(|parent| parent.by == Inference::Neighbor);
        parent.map(|parent| parent.name.clone())
    }

    /// When it fell silent.
    pub(super) fn fell(&self) -> Timestamp {
        let since = self.lineage.silent_since.unwrap_or(self.view.since);
        // What an earlier run found down began then, and not with the first look of this one.
        if self.down { since.min(self.view.since) } else { since }
    }
}

impl State {
    /// After the inventory changed: what was inferred before goes on where it still may.
    pub(super) fn resume_inferences(&mut self, inventory: &Inventory) {
        *self.identities = Identities::default();
        for (row, slot) in self.hosts.iter().enumerate() {
            self.identities.add(&row, &slot.view.host);
            if let Some(device) = &slot.device {
                self.identities.take_device(&row, &device.table.device.name, device.table.equipment.chassis_macs());
            } else if let Some(stored) = self.unclaimed.stored(&slot.view.host.id) {
                self.identities.take_device(&row, &stored.name, stored.chassis);
            }
        }
        for row in 0..self.hosts.len() {
            if let Some(InferredParent { name, by }) = self.hosts[row].view.care.inferred_parent.clone() {
                let parent = self.identities.named(&name).copied().filter(|_| by == Inference::Neighbor);
                let may = parent.filter(|parent| self.may_hang(row, *parent));
                self.hang(row, may.map(|parent| (parent, by)));
            }
        }
        for row in 0..self.hosts.len() {
            let Some((parent, by)) = inventory.inferred.get(&self.hosts[row].view.host.id) else { continue };
            let Some(parent) = self.host_rows.get(parent).copied() else { continue };
            if self.is_surer(row, *by) && !self.hangs_on(parent, row) {
                self.hang(row, Some((parent, *by)));
            }
        }
    }

    /// What a walk says of a device and of its neighbors.
    pub(super) fn infer(&mut self, device: usize, table: &PortTable, effects: &mut Vec<Effect>) {
        self.identities.take_device(&device, &table.device.name, table.equipment.chassis_macs());
        self.tell_ambiguities(table);
        let neighbors = table.equipment.ports.iter().flat_map(|facts| &facts.neighbors);
        let ends = neighbors.filter(|neighbor| neighbor.forwards == Some(false));
        let found: Vec<usize> = ends.filter_map(|neighbor| self.identities.find(neighbor.into())).collect();
        let mut anew = false;
        for row in found {
            if self.may_hang(row, device) && self.hang(row, Some((device, Inference::Neighbor))) {
                anew = true;
                effects.push(Effect::RememberAsset(Subject::Host(self.hosts[row].view.host.id.clone())));
            }
        }
        if anew {
            self.count_voters();
        }
    }

    /// Who may be this neighbor or that, and is taken for neither, is said once.
    fn tell_ambiguities(&mut self, table: &PortTable) {
        for neighbor in table.equipment.ports.iter().flat_map(|facts| &facts.neighbors) {
            if self.ambiguities >= AMBIGUITIES {
                return;
            }
            let seen = Seen::from(neighbor);
            let Some(found) = self.identities.ambiguity(seen).filter(|_| self.identities.find(seen).is_none()) else {
                continue;
            };
            let mut names: Vec<&str> = found.hosts.iter().map(|row| &*self.hosts[*row].view.host.name).collect();
            names.sort_unstable();
            let remark = format!(
                "{} fits {}: a neighbor with it (LLDP, CDP) is taken for none of them",
                found.words,
                names.join(" and ")
            );
            if !self.remarks.iter().any(|known| **known == *remark) {
                self.ambiguities += 1;
                self.remarks.push(remark.into());
            }
        }
    }

    /// An earlier run found it to hang on that device.
    pub(super) fn hang_again(&mut self, row: usize, device: &str) {
        let device = self.identities.named(device).copied();
        if let Some(device) = device.filter(|device| self.may_hang(row, *device)) {
            self.hang(row, Some((device, Inference::Neighbor)));
        }
    }

    /// It hid nothing by itself when both fell silent, or it must not hide this one.
    pub(super) fn is_only_inferred(&self, row: usize) -> bool {
        let slot = &self.hosts[row];
        if slot.view.care.inferred_parent.is_none() {
            return false;
        }
        let apart = slot.parents.iter().all(|parent| {
            let (mine, its) = (slot.fell(), self.hosts[*parent].fell());
            mine.since(its).max(its.since(mine)) > TOGETHER
        });
        let down = slot.parents.iter().all(|parent| self.hosts[*parent].down);
        let unseen = slot.parents.iter().all(|parent| !self.may_hide(*parent));
        slot.view.host.has_tag("critical") || unseen || (down && apart)
    }

    /// It has answered before. One cycle alone knows no before: there it may hide what hangs on it as long as nothing of that
    /// answers either.
    fn may_hide(&self, parent: usize) -> bool {
        let answered = |row: &usize| self.hosts[*row].view.last_seen.is_some();
        let alone = self.policy.never_seen_is_down && !self.hosts[parent].children.iter().any(answered);
        answered(&parent) || alone
    }

    fn may_hang(&self, row: usize, parent: usize) -> bool {
        // What others hang on is no end of the network: so there can be no circle.
        row != parent && self.hosts[row].children.is_empty() && self.is_surer(row, Inference::Neighbor)
    }

    /// Nothing is known of what it hangs on, or nothing that is known better.
    fn is_surer(&self, row: usize, by: Inference) -> bool {
        let view = &self.hosts[row].view;
        view.host.parents.is_empty() && view.care.inferred_parent.as_ref().is_none_or(|known| known.by <= by)
    }

    /// Whether `row` is `above`, or hangs on it through whatever.
    fn hangs_on(&self, row: usize, above: usize) -> bool {
        let mut open = vec![row];
        let mut met = HashSet::new();
        while let Some(row) = open.pop() {
            if row == above {
                return true;
            }
            if met.insert(row) {
                open.extend(&self.hosts[row].parents);
            }
        }
        false
    }

    /// True where that is news.
    fn hang(&mut self, row: usize, parent: Option<(usize, Inference)>) -> bool {
        let inferred =
            parent.map(|(parent, by)| InferredParent { name: self.hosts[parent].view.host.name.clone(), by });
        let anew = self.hosts[row].view.care.inferred_parent != inferred;
        if anew {
            Arc::make_mut(&mut self.hosts[row].view).care.inferred_parent = inferred;
        }
        // What is configured stands.
        if !self.hosts[row].view.host.parents.is_empty() {
            return anew;
        }
        for old in std::mem::take(&mut self.hosts[row].parents) {
            self.hosts[old].children.retain(|child| *child != row);
        }
        if let Some((parent, _)) = parent {
            self.hosts[row].parents.push(parent);
            self.hosts[parent].children.push(row);
        }
        anew
    }
}

#[cfg(test)]
mod tests;
