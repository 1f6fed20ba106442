//! What a page is about: everything, or what its filter, group, site and tag let through. A backup belongs to the hosts that it
//! protects.

use std::collections::HashMap;
use std::sync::Arc;

use super::unowned;
use crate::base::Timestamp;
use crate::config::wall::{Form, Page};
use crate::model::AssetId;
use crate::state::lookup::Lookup;
use crate::state::snapshot::ProblemKind;
use crate::state::snapshot::problems::job_word;
use crate::state::{DeviceView, HostView, JobView, Problem, Snapshot};
use crate::ui::filter::{Filter, PortSubject, Subject};
use crate::ui::parts::Parts;
use crate::ui::port::Seen;

#[derive(Debug)]
pub struct Scope {
    pub page: Page,
    filter: Filter,
    /// Somebody wrote it down: it is shown even if it is empty.
    always: bool,
}

impl Scope {
    pub fn new(page: &Page, always: bool) -> Self {
        Self { page: page.clone(), filter: Filter::parse(&page.filter), always }
    }

    pub fn has_something(&self, snapshot: &Snapshot) -> bool {
        self.always
            || match self.page.form {
                Form::Problems | Form::Digits | Form::Grid => !snapshot.hosts.is_empty() || !snapshot.jobs.is_empty(),
                Form::Ports => !snapshot.devices.is_empty(),
                Form::Backups => !snapshot.jobs.is_empty(),
                Form::Incident => snapshot.open_incident().is_some(),
            }
    }

    /// Whether what it is about has anything that a part of another form would show.
    pub fn has(&self, snapshot: &Snapshot, parts: &Parts, form: Form) -> bool {
        match form {
            Form::Problems => !self.problems(snapshot).is_empty(),
            Form::Grid => !self.hosts(snapshot, parts).is_empty(),
            Form::Digits => !snapshot.hosts.is_empty(),
            Form::Ports => !snapshot.devices.is_empty(),
            Form::Backups => !self.jobs(snapshot).is_empty(),
            Form::Incident => snapshot.open_incident().is_some(),
        }
    }

    /// Whether something critical that it is about waits for somebody.
    pub fn is_alarmed(&self, snapshot: &Snapshot, now: Timestamp) -> bool {
        let shows = |problem: &&Problem| match (self.page.form, problem.kind) {
            (Form::Problems | Form::Digits, _) => true,
            (Form::Grid, kind) => kind != ProblemKind::Backup,
            (Form::Ports, kind) => matches!(kind, ProblemKind::Port | ProblemKind::Device),
            (Form::Backups, kind) => kind == ProblemKind::Backup,
            (Form::Incident, _) => false,
        };
        self.problems(snapshot).into_iter().filter(shows).any(|problem| unowned(problem, now).is_some())
    }

    /// Whether its filter asks who hangs where.
    pub fn needs_lookup(&self) -> bool {
        self.filter.needs_lookup()
    }

    pub fn resolve(&mut self, lookup: &Lookup) {
        self.filter.resolve(lookup);
    }

    /// Whether it is about a part only.
    pub fn is_narrow(&self) -> bool {
        let Page { group, site, tag, .. } = &self.page;
        !self.filter.is_empty() || group.is_some() || site.is_some() || tag.is_some()
    }

    fn takes(&self, host: Option<&HostView>, subject: &Subject<'_>) -> bool {
        let tags = host.map(|view| view.host.tags.as_slice()).unwrap_or_default();
        let group = host.and_then(|view| view.host.group.as_deref());
        let site = host.and_then(|view| view.host.site.as_deref());
        self.page.tag.as_deref().is_none_or(|tag| tags.iter().any(|t| **t == *tag))
            && self.page.group.as_deref().is_none_or(|wanted| group == Some(wanted))
            && self.page.site.as_deref().is_none_or(|wanted| site == Some(wanted))
            && (self.filter.is_empty() || self.filter.lets_through(subject))
    }

    pub fn hosts<'a>(&self, snapshot: &'a Snapshot, parts: &Parts) -> Vec<&'a Arc<HostView>> {
        let takes = |view: &&Arc<HostView>| {
            let words = if self.filter.is_empty() { String::new() } else { view.reason.line() };
            let subject = Subject {
                name: &view.host.name,
                words: &words,
                condition: parts.worst(view),
                word: view.word(),
                care: Some(&view.care),
                stale: view.stale,
                tags: view.host.tags.iter().map(|tag| &**tag).collect(),
                group: view.host.group.as_deref().unwrap_or_default(),
                site: view.host.site.as_deref().unwrap_or_default(),
                kind: "host",
                address: view.host.address.as_deref(),
                port: None,
            };
            self.takes(Some(view), &subject)
        };
        snapshot.hosts.iter().filter(|view| !self.is_narrow() || takes(view)).collect()
    }

    /// Devices as the console's filter knows them, and those of which it lets a port through: `sw1 Gi0/7`.
    pub fn devices<'a>(&self, snapshot: &'a Snapshot, parts: &Parts, lookup: &Lookup) -> Vec<&'a Arc<DeviceView>> {
        if !self.is_narrow() {
            return snapshot.devices.iter().collect();
        }
        let hosts = by_id(snapshot);
        let takes = |device: &&Arc<DeviceView>| {
            let host = hosts.get(&device.host.id).copied();
            let words = if self.filter.is_empty() { String::new() } else { device.table.device.description.line() };
            let subject = Subject {
                name: &device.host.name,
                words: &words,
                condition: parts.standing(device),
                word: parts.word(device),
                care: None,
                stale: parts.is_old(device),
                tags: device.host.tags.iter().map(|tag| &**tag).collect(),
                group: device.host.group.as_deref().unwrap_or_default(),
                site: device.host.site.as_deref().unwrap_or_default(),
                kind: "device",
                address: device.host.address.as_deref(),
                port: None,
            };
            let any_port = || Seen::all(device).any(|seen| self.takes_port(host, seen, &subject, lookup));
            self.takes(host, &subject) || any_port()
        };
        snapshot.devices.iter().filter(takes).collect()
    }

    fn takes_port(&self, host: Option<&HostView>, seen: Seen<'_>, device: &Subject<'_>, lookup: &Lookup) -> bool {
        if self.filter.is_empty() {
            return false;
        }
        let name = format!("{} {}", device.name, seen.label());
        let subject = Subject {
            name: &name,
            words: "",
            condition: seen.view.condition,
            word: "",
            kind: "port",
            address: None,
            port: Some(PortSubject { seen, lookup }),
            ..device.clone()
        };
        self.takes(host, &subject)
    }

    pub fn jobs<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Arc<JobView>> {
        if !self.is_narrow() {
            return snapshot.jobs.iter().collect();
        }
        let hosts = by_id(snapshot);
        let takes = |view: &&Arc<JobView>| {
            let words = view.reason.line();
            // With what is said of a host that it protects.
            let takes = |host: Option<&HostView>| {
                let subject = Subject {
                    name: &view.job.name,
                    words: &words,
                    condition: view.condition,
                    word: job_word(view.state),
                    care: Some(&view.care),
                    stale: view.stale,
                    tags: host.map(|view| view.host.tags.iter().map(|tag| &**tag).collect()).unwrap_or_default(),
                    group: host.and_then(|view| view.host.group.as_deref()).unwrap_or_default(),
                    site: host.and_then(|view| view.host.site.as_deref()).unwrap_or_default(),
                    kind: &view.job.kind,
                    address: None,
                    port: None,
                };
                self.takes(host, &subject)
            };
            let protected = view.job.protects.iter().filter_map(|id| hosts.get(id).copied());
            let any = protected.map(|host| takes(Some(host))).reduce(|a, b| a || b);
            any.unwrap_or_else(|| takes(None))
        };
        snapshot.jobs.iter().filter(takes).collect()
    }

    pub fn problems<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Problem> {
        if !self.is_narrow() {
            return snapshot.problems.iter().collect();
        }
        let hosts = by_id(snapshot);
        let takes = |problem: &&Problem| {
            let host = hosts.get(&problem.asset).copied();
            let (name, words) = (problem.title.line(), problem.reason.line());
            let subject = Subject {
                name: &name,
                words: &words,
                condition: problem.condition,
                word: &problem.word,
                care: Some(&problem.care),
                stale: problem.stale,
                tags: host.map(|view| view.host.tags.iter().map(|tag| &**tag).collect()).unwrap_or_default(),
                group: host.and_then(|view| view.host.group.as_deref()).unwrap_or_default(),
                site: host.and_then(|view| view.host.site.as_deref()).unwrap_or_default(),
                kind: match problem.kind {
                    ProblemKind::Host => "host",
                    ProblemKind::Port => "port",
                    ProblemKind::Backup => "backup",
                    ProblemKind::Device => "device",
                    ProblemKind::Console => "console",
                },
                address: None,
                port: None,
            };
            self.takes(host, &subject)
        };
        snapshot.problems.iter().filter(takes).collect()
    }
}

fn by_id(snapshot: &Snapshot) -> HashMap<&AssetId, &HostView> {
    snapshot.hosts.iter().map(|view| (&view.host.id, &**view)).collect()
}
