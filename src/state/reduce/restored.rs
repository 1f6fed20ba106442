//! What an earlier run knew. It fills in what this one has not seen, and never overrules what it has; but what people were told is
//! known to who told it, whatever this run has found meanwhile.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Row, State};
use crate::base::Timestamp;
use crate::model::device::Neighbor;
use crate::model::{AssetId, CheckKey, Condition, Facts, Machine, PortTable, RememberedAsset, Subject, Told};
use crate::state::event::{Effect, Remembered, RememberedDevice};
use crate::state::rules;
use crate::state::rules::backup::Now;
use crate::state::view::{CheckView, DeviceView};

/// What is stored of things that are not in the inventory (yet), or were not looked at.
#[derive(Debug, Default)]
pub struct Unclaimed {
    checks: HashMap<CheckKey, Remembered>,
    /// Of devices that were not walked yet.
    devices: HashMap<AssetId, RememberedDevice>,
    assets: HashMap<Subject, RememberedAsset>,
}

impl Unclaimed {
    /// What is stored of a device that was not walked yet.
    pub(super) fn stored(&self, id: &AssetId) -> Option<&RememberedDevice> {
        self.devices.get(id)
    }

    /// What is stored of a device that is walked for the first time.
    pub(super) fn device(&mut self, id: &AssetId) -> Option<RememberedDevice> {
        self.devices.remove(id)
    }
}

impl State {
    pub(super) fn restore(&mut self, at: Timestamp, remembered: Vec<Remembered>, effects: &mut Vec<Effect>) {
        self.unclaimed.checks.extend(remembered.into_iter().map(|one| (one.check.clone(), one)));
        self.claim_restored(at, effects);
        self.rejudge_all(at, effects);
    }

    /// Comes before the states of checks, so that nothing is judged without it.
    pub(super) fn restore_assets(&mut self, assets: Vec<RememberedAsset>) {
        self.unclaimed.assets.extend(assets.into_iter().map(|one| (one.subject.clone(), one)));
    }

    /// What is known of ports from before the restart. A device that was walked already is judged again by it.
    pub(super) fn restore_devices(&mut self, devices: Vec<RememberedDevice>) {
        for stored in devices {
            let row = self.host_rows.get(&stored.host).copied();
            let walked = row.and_then(|row| Some((row, self.hosts[row].device.as_ref()?.table.clone())));
            if let Some((row, table)) = walked {
                self.hosts[row].device = Some(Arc::new(self.recall(row, &stored, &table)));
                continue;
            }
            if let Some(row) = row {
                self.identities.take_device(&row, &stored.name, stored.chassis);
            }
            self.unclaimed.devices.insert(stored.host.clone(), stored);
        }
    }

    pub(super) fn recall(&self, row: usize, stored: &RememberedDevice, table: &Arc<PortTable>) -> DeviceView {
        let is_device = |neighbor: &Neighbor| self.is_other_device(row, neighbor);
        rules::ports::recall(&is_device, stored, table, &self.hosts[row].view.host)
    }

    /// Gives what is stored to what is in the inventory.
    pub(super) fn claim_restored(&mut self, at: Timestamp, effects: &mut Vec<Effect>) {
        self.claim_checks(at);
        if self.unclaimed.assets.is_empty() {
            return;
        }
        for row in 0..self.hosts.len() {
            let subject = Subject::Host(self.hosts[row].view.host.id.clone());
            if let Some(stored) = self.unclaimed.assets.remove(&subject) {
                self.claim_host(at, row, stored, effects);
            }
        }
        for slot in &mut self.jobs {
            let Some(stored) = self.unclaimed.assets.remove(&Subject::Job(slot.view.job.id.clone())) else { continue };
            if slot.told.condition.is_none() || slot.found {
                (slot.told, slot.found) = (stored.told, false);
            }
        }
        self.count_voters();
    }

    fn claim_host(&mut self, at: Timestamp, row: usize, stored: RememberedAsset, effects: &mut Vec<Effect>) {
        let lineage = &mut self.hosts[row].lineage;
        if lineage.told.condition.is_none() || lineage.found {
            (lineage.told, lineage.found) = (stored.told, false);
        }
        self.revive(at, row, effects);
        if let Some(neighbor) = stored.neighbor {
            self.hang_again(row, &neighbor);
        }
        self.recall_machines(row, stored.machines, effects);
        if let Some(parts) = stored.parts {
            self.hosts[row].told.resume(parts);
            self.tell_parts(row, true, effects);
        }
    }

    /// This run was quicker than the store, and has found alive what was told to be down: what fell silent with it then is asked anew.
    fn revive(&mut self, at: Timestamp, row: usize, effects: &mut Vec<Effect>) {
        let slot = &mut self.hosts[row];
        let life = slot.view.checks.iter().filter(|check| check.spec.decides_reachability && !check.restored);
        let answered = life.filter(|check| check.condition == Condition::Ok).filter_map(|check| check.last_good).max();
        let Some(answered) = answered.filter(|_| slot.lineage.told.down) else { return };
        let silent = |check: &&mut CheckView| {
            check.spec.decides_reachability && check.condition == Condition::Critical && check.since <= answered
        };
        for check in Arc::make_mut(&mut slot.view).checks.iter_mut().filter(silent) {
            rules::check::begin_anew(check, at);
            effects.push(Effect::Ask(check.spec.key.clone()));
        }
    }

    /// Gives stored states to checks that have no result of this run.
    fn claim_checks(&mut self, at: Timestamp) {
        if self.unclaimed.checks.is_empty() {
            return;
        }
        let now = Now { at, ahead: self.ahead };
        for (key, row) in &self.checks {
            let Some(one) = self.unclaimed.checks.remove(key) else { continue };
            match *row {
                Row::Host(host, check) => {
                    let slot = &mut self.hosts[host];
                    // Where this run was quicker than the store, it found a problem that was told before.
                    slot.lineage.told.untold &= !(one.condition.is_problem() && one.last_good.is_some());
                    // Who takes over from another engine knows all that it knew.
                    if let Facts::Vitals(told) = &one.observation.reading.facts
                        && !slot.machines.iter().any(|(name, _)| *name == key.name)
                    {
                        slot.machines.push((key.name.clone(), Machine::default().renewed(told)));
                    }
                    let view = Arc::make_mut(&mut slot.view);
                    rules::check::restore(&mut view.checks[check], one, &self.policy, at);
                }
                Row::Job(job) => {
                    let slot = &mut self.jobs[job];
                    if let Some(check) = &mut slot.check {
                        rules::check::restore(check, one, &self.policy, at);
                    }
                    slot.view =
                        Arc::new(rules::backup::judge(&slot.view.job, Some(&slot.view), slot.check.as_ref(), now));
                }
                Row::Verdict(_) => {}
            }
        }
    }

    /// A check's state for a later run; nothing where it has none, or none of this run. What is bad and says nothing of its host yet
    /// is no more believed there than here: it begins anew.
    pub fn remembered(&self, key: &CheckKey) -> Option<Remembered> {
        let check = self.check(key).filter(|check| !check.restored)?;
        let mut one = check.remembered()?;
        if let Row::Host(row, index) = *self.checks.get(key)?
            && self.hosts[row].lineage.withheld.contains(&index)
        {
            one.condition = if one.last_good.is_some() { Condition::Ok } else { Condition::Pending };
            one.since = one.last_good.unwrap_or(one.since);
        }
        Some(one)
    }

    /// What has to be known of a host or a job as a whole after a restart; nothing where nothing is.
    pub fn asset(&self, subject: &Subject) -> Option<RememberedAsset> {
        let of = |told: &Told| RememberedAsset {
            subject: subject.clone(),
            told: told.clone(),
            parts: None,
            neighbor: None,
            machines: Vec::new(),
        };
        let one = match subject {
            Subject::Host(id) => {
                let slot = &self.hosts[*self.host_rows.get(id)?];
                let (parts, neighbor, machines) = (slot.told.kept(), slot.neighbor(), slot.machines.clone());
                RememberedAsset { parts, neighbor, machines, ..of(&slot.lineage.told) }
            }
            Subject::Job(id) => of(&self.jobs.iter().find(|slot| slot.view.job.id == *id)?.told),
        };
        Some(one).filter(|one| one.told.condition.is_some())
    }
}

#[cfg(test)]
mod tests;
