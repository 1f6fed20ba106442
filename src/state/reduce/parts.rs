//! What is told of a device's ports and of what it says of itself: each problem once when it begins and once when it is over.
//! What the first walk of all finds is how things stand, and no news; a later run goes on from what was told. In maintenance
//! nothing new is told; what still stands after it is. What is behind another problem of the device is told when it stands for
//! itself; that it is over is told where it was told before. The same holds for a lost link to a host that is to be heard first.

use std::collections::BTreeMap;

use super::{HostSlot, State};
use crate::model::{Condition, Subject, Target, ToldPart};
use crate::state::event::Effect;
use crate::state::rules::ports::bundle::Bundling;
use crate::state::view::DeviceView;

/// What was told of each part of a device.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// `None` until a walk said how things stand.
    parts: Option<BTreeMap<Target, Known>>,
    /// As this run found it, and nothing was told since.
    found: bool,
    /// Walks that end nothing yet.
    grace: u8,
}

/// So many walks of a later run end nothing that was told: what has to be seen several times is no problem at the first.
const GRACE: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    condition: Condition,
    /// It was found, and nobody was told.
    untold: bool,
}

impl Told {
    /// What an earlier run told, unless this one has told something already.
    pub(super) fn resume(&mut self, parts: Vec<ToldPart>) {
        if self.parts.is_none() || self.found {
            self.grace = if parts.is_empty() { 0 } else { GRACE };
            let known = |ToldPart { target, condition, untold }| (target, Known { condition, untold });
            (self.parts, self.found) = (Some(parts.into_iter().map(known).collect()), false);
        }
    }

    /// The same for a later run.
    pub(super) fn kept(&self) -> Option<Vec<ToldPart>> {
        let parts = self.parts.as_ref()?.iter();
        Some(parts.map(|(target, known)| known.kept(target)).collect())
    }

    /// Takes in how things stand and says what is news of it, and whether a later run has to know more than before.
    fn learn(&mut self, now: BTreeMap<Target, Part>, recalled: bool, quiet: bool) -> (Vec<Effect>, bool) {
        let mut effects = Vec::new();
        let Some(told) = &mut self.parts else {
            let found = |condition| Known { condition, untold: !recalled };
            self.parts = Some(now.into_iter().map(|(target, part)| (target, found(part.condition))).collect());
            self.found = true;
            return (effects, true);
        };
        let count = told.len();
        let ends = self.grace == 0;
        self.grace = self.grace.saturating_sub(1);
        told.retain(|target, known| {
            let stands = !ends || now.contains_key(target);
            if !stands && !known.untold {
                let target = target.clone();
                effects.push(Effect::AnnouncePart { target, from: known.condition, to: Condition::Ok });
            }
            stands
        });
        let mut changed = told.len() != count;
        for (target, Part { condition: to, .. }) in now.into_iter().filter(|(_, part)| !quiet && !part.is_behind) {
            let usual = Known { condition: Condition::Ok, untold: false };
            let known = told.get(&target).copied().unwrap_or(usual);
            let (from, untold) = (known.condition, known.untold && to <= known.condition);
            let new = Known { condition: to, untold };
            changed |= told.insert(target.clone(), new) != Some(new);
            if from != to && !untold {
                effects.push(Effect::AnnouncePart { target, from, to });
            }
        }
        self.found &= effects.is_empty();
        (effects, changed)
    }
}

impl Known {
    fn kept(self, target: &Target) -> ToldPart {
        ToldPart { target: target.clone(), condition: self.condition, untold: self.untold }
    }
}

impl State {
    /// After a walk. `recalled`: an earlier run knew the device, and said what was wrong with it.
    pub(super) fn tell_parts(&mut self, row: usize, recalled: bool, effects: &mut Vec<Effect>) {
        let HostSlot { device, told, .. } = &self.hosts[row];
        let Some(device) = device.clone().filter(|device| !device.stale) else { return };
        // Most walks of most devices find nothing.
        let calm = !device.condition.is_problem() && device.findings.is_empty();
        if calm && told.parts.as_ref().is_some_and(BTreeMap::is_empty) {
            self.forget_ends(row, &[]);
            return;
        }
        let bundling = self.bundling(&device);
        self.ask_ends(row, &device, &bundling, effects);
        let HostSlot { told, view, .. } = &mut self.hosts[row];
        let (news, changed) = told.learn(problems(&device, &bundling), recalled, view.care.maintenance.is_some());
        effects.extend(news);
        if changed {
            effects.push(Effect::RememberAsset(Subject::Host(view.host.id.clone())));
        }
    }
}

/// How a part of a device stands.
#[derive(Clone, Copy, Debug)]
struct Part {
    condition: Condition,
    /// It is a consequence, or may be one.
    is_behind: bool,
}

fn problems(device: &DeviceView, bundling: &Bundling) -> BTreeMap<Target, Part> {
    let id = &device.host.id;
    let mut out = BTreeMap::new();
    let by_itself = |condition| Part { condition, is_behind: false };
    for port in device.ports.iter().filter(|port| port.condition.is_problem()) {
        if let Some(key) = device.key(port.row) {
            let is_behind = bundling.root(port.row).is_some() || bundling.open(port.row).is_some();
            let part = Part { condition: port.condition, is_behind };
            out.insert(Target::Port(id.clone(), key), part);
        }
    }
    if let Some(worst) = device.firm_findings().map(|finding| finding.condition).max() {
        out.insert(Target::Device(id.clone()), by_itself(worst));
    }
    if device.missing.is_some() {
        out.insert(Target::GonePorts(id.clone()), by_itself(Condition::Critical));
    }
    out
}

#[cfg(test)]
mod tests;
