//! What is told of a device's ports and of what it says of itself: each problem once when it begins and once when it is over.
//! What the first walk of this run finds is how things stand, and no news. In maintenance nothing new is told; what
//! still stands after it is.

use std::collections::BTreeMap;

use super::{HostSlot, State};
use crate::model::{Condition, Target};
use crate::state::event::Effect;
use crate::state::view::DeviceView;

/// What was told of each part of a device; `None` until a walk said how things stand.
#[derive(Clone, Debug, Default)]
pub struct Told(Option<BTreeMap<Target, Known>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    condition: Condition,
    /// It was found, and nobody was told.
    untold: bool,
}

impl State {
    /// After a walk. `recalled`: an earlier run knew the device, and said what was wrong with it.
    pub(super) fn tell_parts(&mut self, row: usize, recalled: bool, effects: &mut Vec<Effect>) {
        let HostSlot { device, told, view, .. } = &mut self.hosts[row];
        let Some(device) = device.as_ref().filter(|device| !device.stale) else { return };
        // Most walks of most devices find nothing.
        let calm = !device.condition.is_problem() && device.findings.is_empty();
        if calm && told.0.as_ref().is_some_and(BTreeMap::is_empty) {
            return;
        }
        let now = problems(device);
        let Some(told) = &mut told.0 else {
            let found = |condition| Known { condition, untold: !recalled };
            told.0 = Some(now.into_iter().map(|(target, condition)| (target, found(condition))).collect());
            return;
        };
        told.retain(|target, known| {
            let stands = now.contains_key(target);
            if !stands && !known.untold {
                let target = target.clone();
                effects.push(Effect::AnnouncePart { target, from: known.condition, to: Condition::Ok });
            }
            stands
        });
        if view.care.maintenance.is_some() {
            return;
        }
        for (target, to) in now {
            let usual = Known { condition: Condition::Ok, untold: false };
            let known = told.get(&target).copied().unwrap_or(usual);
            let (from, untold) = (known.condition, known.untold && to <= known.condition);
            told.insert(target.clone(), Known { condition: to, untold });
            if from != to && !untold {
                effects.push(Effect::AnnouncePart { target, from, to });
            }
        }
    }
}

fn problems(device: &DeviceView) -> BTreeMap<Target, Condition> {
    let id = &device.host.id;
    let mut out = BTreeMap::new();
    for port in device.ports.iter().filter(|port| port.condition.is_problem()) {
        if let Some(key) = device.key(port.row) {
            out.insert(Target::Port(id.clone(), key), port.condition);
        }
    }
    if let Some(worst) = device.firm_findings().map(|finding| finding.condition).max() {
        out.insert(Target::Device(id.clone()), worst);
    }
    if device.missing.is_some() {
        out.insert(Target::GonePorts(id.clone()), Condition::Critical);
    }
    out
}

#[cfg(test)]
mod tests;
