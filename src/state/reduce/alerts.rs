//! What an announcement says, as the list of problems would.

use super::{HostSlot, State};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{Alert, AlertKind, Condition, Host, Target};
use crate::state::event::News;
use crate::state::rules::ports::bundle::{self, Root};
use crate::state::rules::together::Falls;
use crate::state::snapshot::{Problem, problems};
use crate::state::view::{Care, DeviceView};

impl State {
    /// How much is hidden behind a problem by now.
    pub fn hides(&self, target: &Target) -> usize {
        if let Some((device, root)) = self.root(target) {
            return self.bundling(device).behind(root).count();
        }
        let Target::Host(id) = target else { return 0 };
        let Some(slot) = self.host_rows.get(id).map(|row| &self.hosts[*row]) else { return 0 };
        let parts = |slot: &HostSlot| {
            let device = slot.device.as_ref().filter(|device| problems::is_cut_off(&slot.view, device.stale));
            device.map_or(0, |device| problems::parts(device))
        };
        let own = parts(slot) + self.lost_links(id);
        // Most hosts have nothing that hangs on them, and an outage tells of many.
        if slot.children.is_empty() {
            return own;
        }
        let name = &*slot.view.host.name;
        let behind = self.hosts.iter().filter(|other: &&HostSlot| other.view.behind.as_deref() == Some(name));
        behind.map(|other| 1 + parts(other)).sum::<usize>() + own
    }

    /// The part of a device that may stand for others.
    fn root(&self, target: &Target) -> Option<(&DeviceView, Root)> {
        let device = || self.device(target.asset()).map(|device| &**device);
        match target {
            Target::Port(_, key) => device().and_then(|device| Some((device, Root::Port(device.row(key)?)))),
            Target::GonePorts(_) => device().map(|device| (device, Root::Gone)),
            Target::Host(_) | Target::Check(_) | Target::Device(_) | Target::Job(_) => None,
        }
    }

    /// It is a consequence of another problem of its device.
    fn is_behind(&self, target: &Target) -> bool {
        let Some((device, Root::Port(row))) = self.root(target) else { return false };
        self.bundling(device).root(row).is_some()
    }

    /// What fell silent together at each site, as things stand.
    pub fn falls(&self) -> Falls<'_> {
        Falls::of(self.hosts.iter().map(|slot| &slot.view), self.devices())
    }

    /// What a host that is down fell silent with, in words, links to it included; or which links a device lost together.
    pub fn company(&self, falls: &Falls<'_>, target: &Target) -> Option<String> {
        if let Some((device, root)) = self.root(target) {
            return self.bundling(device).words(root);
        }
        let Target::Host(id) = target else { return None };
        let company = falls.company(&self.hosts[*self.host_rows.get(id)?].view).map(|company| company.words());
        let words: Vec<String> = company.into_iter().chain(bundle::links(self.lost_links(id))).collect();
        (!words.is_empty()).then(|| words.join(" · "))
    }

    /// The words of a change that was announced; `wall` is when. `None` where the thing is gone.
    pub fn alert(&self, target: &Target, change: (Condition, Condition), news: News, wall: Timestamp) -> Option<Alert> {
        let kind = match news {
            News::FlappingBegins => AlertKind::FlappingBegins,
            News::FlappingEnds => AlertKind::FlappingEnds,
            News::Another => AlertKind::Problem,
            News::Changed if change.1.is_problem() => AlertKind::Problem,
            News::Changed => AlertKind::Recovery,
        };
        let mut alert = self.told(target, change, kind, wall)?;
        if news == News::Another {
            // What happened may be less bad than what the host is known for.
            for words in self.events(target) {
                alert.reason = alert.reason.beside(words.as_bytes());
            }
        }
        Some(alert)
    }

    /// What volatile checks of a host say that are less bad than the host is, by their names.
    fn events(&self, target: &Target) -> impl Iterator<Item = Untrusted> {
        let row = self.host_rows.get(target.asset()).filter(|_| matches!(target, Target::Host(_)));
        let view = row.map(|row| &self.hosts[*row].view);
        let checks = view.into_iter().flat_map(|view| view.checks.iter().map(|check| (view.condition, check)));
        checks.filter_map(|(condition, check)| {
            let less = check.spec.volatile && check.condition.is_problem() && check.condition < condition;
            let last = check.last.as_ref().filter(|_| less)?;
            let name = format!("{}: ", check.spec.key.name);
            Some(Untrusted::new([name.as_bytes(), last.reading.summary.as_bytes()].concat()))
        })
    }

    /// A problem that people were told of and that still stands, once more; `at` is now by the steady clock. Nothing where somebody
    /// has it, it is in maintenance or hidden, it flaps, or it cannot be judged at the moment.
    pub fn reminder(&self, target: &Target, (at, wall): (Timestamp, Timestamp)) -> Option<Alert> {
        let condition = self.stands(target).filter(|condition| condition.is_problem())?;
        let problem = self.problem_of(target, self.hides(target))?;
        let Care { ack, maintenance, flapping, .. } = &problem.care;
        // Ports and what a device says are in the maintenance of their host.
        let host = self.host_rows.get(target.asset()).filter(|_| !matches!(target, Target::Job(_)));
        let upkeep = host.is_some_and(|row| self.hosts[*row].view.care.maintenance.is_some()) || maintenance.is_some();
        if self.sight.is_blind() || ack.is_some() || upkeep || flapping.is_some() || self.is_behind(target) {
            return None;
        }
        let mut alert = self.told(target, (condition, condition), AlertKind::Reminder, wall)?;
        let stands_for = units::age(at.since(problem.since));
        alert.reason = alert.reason.beside(format!("for {stands_for}"));
        Some(alert)
    }

    /// As the list of problems has it, whether it is one or not.
    fn problem_of(&self, target: &Target, hides: usize) -> Option<Problem> {
        if let Target::Job(id) = target {
            let view = &self.jobs.iter().find(|slot| slot.view.job.id == *id)?.view;
            return Some(problems::of_job(view));
        }
        let slot = &self.hosts[*self.host_rows.get(target.asset())?];
        let device = slot.device.as_ref();
        match target {
            Target::Host(_) | Target::Check(_) | Target::Job(_) => Some(problems::of_host(&slot.view, hides)),
            Target::Device(_) => device.and_then(|device| problems::of_device_itself(self, device)),
            Target::GonePorts(_) => device.map(|device| problems::of_gone_ports(self, device)),
            Target::Port(_, key) => {
                let port = device.and_then(|device| Some((device, device.ports.get(device.row(key)?)?)));
                port.and_then(|(device, port)| problems::of_port(self, device, port, &self.bundling(device)))
            }
        }
    }

    fn told(
        &self,
        target: &Target,
        (from, to): (Condition, Condition),
        kind: AlertKind,
        wall: Timestamp,
    ) -> Option<Alert> {
        let mut alert = Alert {
            kind,
            target: target.clone(),
            title: Untrusted::default(),
            from,
            to,
            word: "".into(),
            reason: Untrusted::default(),
            hides: 0,
            tags: Vec::new(),
            group: None,
            at: wall,
        };
        if !matches!(target, Target::Job(_)) {
            let host: &Host = &self.hosts[*self.host_rows.get(target.asset())?].view.host;
            alert.tags.clone_from(&host.tags);
            alert.group.clone_from(&host.group);
            alert.hides = self.hides(target);
        } else if !self.has(target) {
            return None;
        }
        if let Some(problem) = self.problem_of(target, alert.hides) {
            (alert.title, alert.word, alert.reason) = (problem.title, problem.word, problem.reason);
        }
        // Its host has problems and recoveries of the same name.
        if alert.title.is_empty() || matches!(target, Target::Device(_) | Target::GonePorts(_)) {
            alert.title = target.label();
        }
        Some(alert)
    }
}

#[cfg(test)]
mod tests;
