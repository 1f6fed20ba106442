//! What is at the other end of a link that was lost. Where that is a host of the inventory which fell at that time, the loss is a
//! consequence of it; where it was not heard since, it is asked first, and the loss is told when it is known what it is.
//!
//! A host keeps which devices have lost links to it: they are walked when it is heard, and when it falls or is back.

use super::State;
use crate::base::Timestamp;
use crate::model::device::NeighborId;
use crate::model::{AssetId, Condition, Target};
use crate::state::event::Effect;
use crate::state::rules::parents::askable;
use crate::state::rules::ports::bundle::{Bundling, Far, Root, TOGETHER};
use crate::state::snapshot::problems;
use crate::state::view::DeviceView;

/// A device that has lost a link to a host.
#[derive(Clone, Copy, Debug)]
pub struct Loser {
    device: usize,
    /// The last loss.
    at: Timestamp,
    /// The host was down when that was found.
    down: bool,
}

impl State {
    /// What belongs together on a device, and what of it is behind hosts.
    pub fn bundling(&self, device: &DeviceView) -> Bundling {
        Bundling::of(device, &|end, lost| self.far_end(device, end, lost))
    }

    fn far_end(&self, device: &DeviceView, end: &NeighborId, lost: Timestamp) -> Option<(usize, Far)> {
        let row = self.identities.find(end.into())?;
        let slot = &self.hosts[row];
        let host = &slot.view;
        // What never answered did not fall.
        let heard = host.last_seen.filter(|_| host.host.id != device.host.id)?;
        if host.is_down() {
            let fell = slot.fell();
            return (fell.since(lost).max(lost.since(fell)) <= TOGETHER).then_some((row, Far::Down));
        }
        let is_judged =
            matches!(host.condition, Condition::Ok | Condition::Warning | Condition::Critical | Condition::Unknown);
        let is_new = device.table.collected_at.since(lost) <= TOGETHER;
        let waits = !self.policy.longest_wait.is_zero() && !self.sight.is_blind() && askable(host).next().is_some();
        (is_judged && is_new && waits && heard < lost).then_some((row, Far::Unheard))
    }

    /// What stands for ports of a device.
    pub fn root_target(&self, device: &DeviceView, root: Root) -> Option<Target> {
        let id = device.host.id.clone();
        Some(match root {
            Root::Gone => Target::GonePorts(id),
            Root::Port(row) => Target::Port(id, device.key(row)?),
            Root::Host(row) => Target::Host(self.hosts.get(row)?.view.host.id.clone()),
        })
    }

    /// After a walk: has hosts asked that may be the cause of a loss, and keeps who wants to know how they stand.
    pub(super) fn ask_ends(&mut self, row: usize, device: &DeviceView, bundling: &Bundling, effects: &mut Vec<Effect>) {
        let ends: Vec<usize> = bundling.hosts().collect();
        self.forget_ends(row, &ends);
        for end in ends {
            let slot = &mut self.hosts[end];
            let down = slot.view.is_down();
            if !down && !slot.losers.iter().any(|loser| loser.device == row) {
                effects.extend(askable(&slot.view).cloned().map(Effect::Ask));
            }
            slot.losers.retain(|loser| loser.device != row);
            slot.losers.push(Loser { device: row, at: device.table.collected_at, down });
        }
    }

    /// Links of a device to all but these are back, or their loss is told: nobody has to hear how those hosts stand.
    pub(super) fn forget_ends(&mut self, row: usize, but: &[usize]) {
        let known = std::mem::replace(&mut self.hosts[row].ends, but.to_vec());
        for end in known.into_iter().filter(|end| !but.contains(end)) {
            self.hosts[end].losers.retain(|loser| loser.device != row);
        }
    }

    /// The host was judged: whoever has lost a link to it is walked where that tells what the loss is, or whether it is over.
    pub(super) fn tell_losers(&mut self, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        if slot.losers.is_empty() {
            return;
        }
        let (down, heard) = (slot.view.is_down(), slot.view.last_seen);
        let unreachable = slot.view.condition == Condition::Unreachable;
        let mut known = Vec::new();
        slot.losers.retain_mut(|loser| {
            let fell = down && !loser.down;
            let is_open = down || (!loser.down && !unreachable && heard.is_none_or(|heard| heard < loser.at));
            if fell || !is_open {
                known.push(loser.device);
            }
            // For as long as the host is down they count as what hangs on it.
            loser.down |= fell;
            is_open
        });
        effects.extend(known.into_iter().map(|device| Effect::Look(self.hosts[device].view.host.id.clone())));
    }

    /// Links to a host that is down which were lost with it, as they are listed behind it.
    pub(super) fn lost_links(&self, id: &AssetId) -> usize {
        let Some(row) = self.host_rows.get(id).copied() else { return 0 };
        let slot = &self.hosts[row];
        if !slot.view.is_down() {
            return 0;
        }
        let device = |row: usize| {
            let slot = &self.hosts[row];
            slot.device.as_ref().filter(|device| !problems::is_cut_off(&slot.view, device.stale))
        };
        let devices = slot.losers.iter().filter_map(|loser| device(loser.device));
        devices.map(|device| self.bundling(device).behind(Root::Host(row)).count()).sum()
    }
}

#[cfg(test)]
mod tests;
