//! What an announcement says, as the list of problems would.

use super::{HostSlot, State};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Alert, AlertKind, Condition, Host, Target};
use crate::state::event::News;
use crate::state::snapshot::problems;

impl State {
    /// How much is hidden behind a host by now.
    pub fn hides(&self, target: &Target) -> usize {
        let Target::Host(id) = target else { return 0 };
        let Some(slot) = self.host_rows.get(id).map(|row| &self.hosts[*row]) else { return 0 };
        // Most hosts have nothing that hangs on them, and an outage tells of many.
        if slot.children.is_empty() {
            return 0;
        }
        let name = &*slot.view.host.name;
        self.hosts.iter().filter(|other: &&HostSlot| other.view.behind.as_deref() == Some(name)).count()
    }

    /// The words of a change that was announced; `wall` is when. `None` where the thing is gone.
    pub fn alert(&self, target: &Target, change: (Condition, Condition), news: News, wall: Timestamp) -> Option<Alert> {
        let (from, to) = change;
        let kind = match news {
            News::FlappingBegins => AlertKind::FlappingBegins,
            News::FlappingEnds => AlertKind::FlappingEnds,
            News::Another => AlertKind::Problem,
            News::Changed if to.is_problem() => AlertKind::Problem,
            News::Changed => AlertKind::Recovery,
        };
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
        if let Target::Job(id) = target {
            let view = &self.jobs.iter().find(|slot| slot.view.job.id == *id)?.view;
            let problem = problems::of_job(view);
            (alert.title, alert.word, alert.reason) = (problem.title, problem.word, problem.reason);
            return Some(alert);
        }
        let slot = &self.hosts[*self.host_rows.get(target.asset())?];
        let host: &Host = &slot.view.host;
        alert.tags.clone_from(&host.tags);
        alert.group.clone_from(&host.group);
        let device = slot.device.as_ref();
        let problem = match target {
            Target::Host(_) | Target::Check(_) | Target::Job(_) => {
                alert.hides = self.hides(target);
                Some(problems::of_host(&slot.view, alert.hides))
            }
            Target::Device(_) => device.and_then(|device| problems::of_device_itself(self, device)),
            Target::GonePorts(_) => device.map(|device| problems::of_gone_ports(self, device)),
            Target::Port(_, key) => {
                let port = device.and_then(|device| Some((device, device.ports.get(device.row(key)?)?)));
                port.and_then(|(device, port)| problems::of_port(self, device, port))
            }
        };
        if let Some(problem) = problem {
            (alert.title, alert.word, alert.reason) = (problem.title, problem.word, problem.reason);
        }
        // Its host has problems and recoveries of the same name.
        if alert.title.is_empty() || matches!(target, Target::Device(_) | Target::GonePorts(_)) {
            alert.title = target.label();
        }
        Some(alert)
    }
}
