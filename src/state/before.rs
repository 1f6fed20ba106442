//! What changed just before a problem began: on the host itself, on what it hangs on, on the link that it is about. It is a
//! remark for whoever looks for the cause, and concludes nothing.
//!
//! ```text
//! snapshot ─events(around)─► what happened near it ─before(onset, target)─► the last five of a quarter of an hour
//! ```

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::Duration;

use super::lookup::{Lookup, port_called};
use super::view::{DeviceView, HostView};
use super::{Problem, Snapshot};
use crate::base::{Timestamp, Untrusted, units};
use crate::model::{AssetId, EntryKind, Facts, NotificationKind, PortChange, PortKey, PortRole, Subject, Target};

/// What is longer ago is not "just before".
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// So many are told, the newest.
pub const MOST: usize = 5;

/// Something that happened, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub at: Timestamp,
    pub target: Target,
    pub words: Untrusted,
}

/// What is near a problem.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The host itself, what it hangs on, and who is at the other end of the link.
    hosts: Vec<AssetId>,
    /// Ports of these or of others that lead from one to the other.
    links: Vec<(AssetId, PortKey)>,
}

impl Around {
    /// What a target is, hangs on and leads to.
    pub fn of(snapshot: &Snapshot, lookup: &Lookup, target: &Target) -> Self {
        let mut out = Self::default();
        match target {
            Target::Port(id, key) => {
                out.add(id);
                out.links.push((id.clone(), key.clone()));
                out.add_far_end(snapshot, lookup, id, key);
            }
            Target::Host(id) | Target::GonePorts(id) | Target::Device(id) => out.add(id),
            Target::Check(key) => match &key.subject {
                Subject::Host(id) => out.add(id),
                Subject::Job(id) => out.add_protected(snapshot, id),
            },
            Target::Job(id) => out.add_protected(snapshot, id),
        }
        for host in out.hosts.clone() {
            let Some(host) = snapshot.host(&host) else { continue };
            for parent in parents(snapshot, host) {
                out.add_ports_to(snapshot, lookup, &parent, &host.host.id);
                out.add(&parent);
            }
        }
        out
    }

    /// A port that leads to the host, by its ifIndex.
    pub fn add_link(&mut self, device: &DeviceView, index: u32) {
        if let Some(key) = device.table.row(index).and_then(|row| device.key(row)) {
            self.add(&device.host.id);
            self.links.push((device.host.id.clone(), key));
        }
    }

    fn add(&mut self, host: &AssetId) {
        if !self.hosts.contains(host) {
            self.hosts.push(host.clone());
        }
    }

    fn add_protected(&mut self, snapshot: &Snapshot, job: &AssetId) {
        for host in snapshot.job(job).iter().flat_map(|job| &job.job.protects) {
            self.add(host);
        }
    }

    fn add_far_end(&mut self, snapshot: &Snapshot, lookup: &Lookup, id: &AssetId, key: &PortKey) {
        let Some((device, row)) = snapshot.device(id).and_then(|device| Some((device, device.row(key)?))) else {
            return;
        };
        let heard = device.table.facts(&device.table.ports[row]).and_then(|facts| facts.neighbors.first());
        let known = device.ports[row].ties.as_ref().and_then(|ties| ties.neighbor.as_ref());
        let far = match (heard, known) {
            (Some(heard), _) => lookup.neighbor_host(heard),
            (None, Some((id, _))) => lookup.host_of(id),
            (None, None) => None,
        };
        let Some(far) = far else { return };
        self.add(&far);
        if let (Some(device), Some(heard)) = (snapshot.device(&far), heard)
            && let Some(key) = port_called(device, &heard.port).and_then(|row| device.key(row))
        {
            self.links.push((far, key));
        }
    }

    fn add_ports_to(&mut self, snapshot: &Snapshot, lookup: &Lookup, parent: &AssetId, host: &AssetId) {
        let Some(device) = snapshot.device(parent) else { return };
        for facts in &device.table.equipment.ports {
            if facts.neighbors.iter().any(|neighbor| lookup.neighbor_host(neighbor).as_ref() == Some(host)) {
                self.add_link(device, facts.index);
            }
        }
    }

    /// Whether what happens to this port may have to do with it: a port of the network, or one that leads there.
    fn has_port(&self, device: Option<&DeviceView>, id: &AssetId, key: &PortKey) -> bool {
        let is_link = || self.links.iter().any(|(host, port)| host == id && port == key);
        let seen = device.and_then(|device| device.row(key).map(|row| &device.ports[row]));
        let matters = || {
            seen.is_none_or(|port| port.ties.is_some() || matches!(port.role, PortRole::Uplink | PortRole::MustBeUp))
        };
        is_link() || matters()
    }

    fn has(&self, snapshot: &Snapshot, target: &Target) -> bool {
        if !self.hosts.contains(target.asset()) {
            return false;
        }
        match target {
            Target::Port(id, key) => self.has_port(snapshot.device(id).map(|device| &**device), id, key),
            Target::Host(_) | Target::Check(_) | Target::GonePorts(_) | Target::Device(_) | Target::Job(_) => true,
        }
    }
}

/// What the host hangs on, nearest first.
fn parents(snapshot: &Snapshot, host: &HostView) -> Vec<AssetId> {
    if !host.host.parents.is_empty() {
        return host.host.parents.clone();
    }
    let Some(inferred) = &host.care.inferred_parent else { return Vec::new() };
    let parent = snapshot.hosts.iter().find(|one| one.host.name == inferred.name);
    parent.map(|parent| parent.host.id.clone()).into_iter().collect()
}

/// Everything near it that this console knows to have happened, in no order.
pub fn events(snapshot: &Snapshot, around: &Around) -> Vec<Happening> {
    let mut out = Vec::new();
    for id in &around.hosts {
        out.extend(started(snapshot, id));
        if let Some(device) = snapshot.device(id) {
            of_ports(device, around, &mut out);
        }
    }
    let changes = snapshot.changes.iter().filter(|change| around.has(snapshot, &change.target));
    out.extend(changes.map(|change| Happening {
        at: change.at,
        target: change.target.clone(),
        words: change.words.clone(),
    }));
    // Links and starts are better known from the walk that follows.
    let told = snapshot.notifications.iter().map(|told| &told.told).filter(|told| around.hosts.contains(&told.host));
    out.extend(told.filter(|told| matches!(told.kind, NotificationKind::Other(_))).map(|told| Happening {
        at: told.at,
        target: Target::Host(told.host.clone()),
        words: format!("told {} {}", told.kind.as_str(), told.detail.line()).trim_end().to_owned().into(),
    }));
    notes(snapshot, around, &mut out);
    out
}

/// When the machine was started, by how long it says that it is up.
fn started(snapshot: &Snapshot, id: &AssetId) -> Option<Happening> {
    let of_device = snapshot.device(id).and_then(|device| {
        let table = &device.table;
        Some(table.collected_at.minus(table.device.host_uptime.or_else(|| table.device.up())?))
    });
    let of_machine = snapshot.host(id).into_iter().flat_map(|host| &host.checks).find_map(|check| {
        let last = check.last.as_ref()?;
        let Facts::Vitals(told) = &last.reading.facts else { return None };
        Some(last.at.minus(told.uptime?))
    });
    let at = of_machine.or(of_device)?;
    Some(Happening { at, target: Target::Host(id.clone()), words: "was started".into() })
}

fn of_ports(device: &DeviceView, around: &Around, out: &mut Vec<Happening>) {
    let id = &device.host.id;
    for event in device.events.iter() {
        let target = match &event.port {
            Some(key) if around.has_port(Some(device), id, key) => Target::Port(id.clone(), key.clone()),
            Some(_) => continue,
            // When it was is said better by how long it is up.
            None if matches!(event.change, PortChange::Restarted) => continue,
            None => Target::Host(id.clone()),
        };
        out.push(Happening { at: event.at, target, words: event.change.words().into() });
    }
}

/// What people wrote about it in an incident.
fn notes(snapshot: &Snapshot, around: &Around, out: &mut Vec<Happening>) {
    let entries = snapshot.incidents.iter().flat_map(|incident| &incident.entries);
    for entry in entries.filter(|entry| is_by_a_person(entry.kind)) {
        let Some(about) = entry.about.as_ref().map(Untrusted::line) else { continue };
        let is_about = |id: &&AssetId| {
            let name = snapshot.host(id).map(|host| host.host.name.clone());
            let named =
                |name: &str| about.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            named(id.as_str()) || name.is_some_and(|name| named(&name))
        };
        let Some(id) = around.hosts.iter().find(is_about) else { continue };
        let words = format!("{} by {}: {}", entry.kind.as_str(), entry.author.line(), entry.text.line());
        out.push(Happening { at: entry.at, target: Target::Host(id.clone()), words: words.into() });
    }
}

fn is_by_a_person(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Note | EntryKind::Decision | EntryKind::Action | EntryKind::Hypothesis => true,
        EntryKind::Opened
        | EntryKind::Acknowledged
        | EntryKind::Role
        | EntryKind::State
        | EntryKind::Closed
        | EntryKind::Claimed
        | EntryKind::Released
        | EntryKind::MaintenanceOrdered
        | EntryKind::MaintenanceCancelled
        | EntryKind::Paused
        | EntryKind::Resumed => false,
    }
}

/// Of these the last ones before a problem of `target` that began at `onset`, newest first. What the problem itself is, is no
/// cause of it.
pub fn before(events: Vec<Happening>, onset: Timestamp, target: &Target) -> Vec<Happening> {
    let mut found: Vec<Happening> = events
        .into_iter()
        .filter(|one| one.at <= onset && onset.since(one.at) <= WINDOW)
        .filter(|one| one.at < onset || one.target != *target)
        .collect();
    found.sort_by_key(|one| Reverse(one.at));
    let mut seen = HashSet::new();
    found.retain(|one| seen.insert((one.target.clone(), one.words.as_bytes().to_vec(), one.at)));
    found.truncate(MOST);
    found
}

/// What changed just before a problem began; see [`before`]. What is behind the problem is its consequence, though it may have
/// been noticed first.
pub fn of(snapshot: &Snapshot, around: &Around, problem: &Problem) -> Vec<Happening> {
    let is_behind = |other: &&Problem| other.behind.as_ref().is_some_and(|behind| behind.target == problem.target);
    let behind: Vec<&Problem> = snapshot.consequences.iter().filter(is_behind).collect();
    let mut events = events(snapshot, around);
    events.retain(|one| !behind.iter().any(|other| other.target == one.target && one.at >= other.since));
    before(events, problem.since, &problem.target)
}

impl Happening {
    /// `4m before`; what fell into the same seconds is not told apart.
    pub fn distance(&self, onset: Timestamp) -> String {
        let distance = onset.since(self.at);
        if distance < Duration::from_secs(1) {
            "same moment".to_owned()
        } else {
            format!("{} before", units::age(distance))
        }
    }
}

#[cfg(test)]
mod tests;
