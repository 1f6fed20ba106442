//! The published whole: one `Arc` per host, device and job, so that a new snapshot shares everything
//! that did not change with the one before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::reduce::State;
use super::rules;
use super::rules::refresh::Pace;
use super::view::{CheckView, DeviceView, HostView, JobState, JobView, NotificationView};
use crate::base::{Timestamp, Untrusted};
use crate::model::{AssetId, Condition, Incident, IncidentStatus, Policy, Session, TrapStatus};

/// Whether anything is sent at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Polling,
    /// `:pause`; until `:resume`.
    Paused,
    /// `--passive`; for the life of the process.
    Passive,
}

/// Whether what the operator writes reaches the disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Storage {
    /// Not opened yet.
    #[default]
    Opening,
    Ready,
    /// Read-only, full or damaged: the reason in words, and what to do.
    NotSaved {
        reason: Arc<str>,
    },
}

/// How the screen stands with the engine that polls.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Link {
    /// It is this process's own.
    #[default]
    Own,
    /// It is another process's; which, in words.
    Attached { to: Arc<str> },
    /// It is gone, or says nothing: why and what is being done, in words.
    Lost { since: Timestamp, what: Arc<str> },
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineView {
    pub mode: Mode,
    pub storage: Storage,
    /// Checks that run at this moment.
    pub running: usize,
    /// Checks that are due but wait for a place.
    pub waiting: usize,
    /// Checks that began later than they should have, since the start.
    pub late: u64,
    /// Runs since the start.
    pub runs: u64,
    /// Whether a task died and was restarted, in words.
    pub faults: Vec<Arc<str>>,
    /// The inventory is still being looked up.
    pub discovering: bool,
    /// The listener for traps, where there is one.
    pub traps: Option<Arc<TrapStatus>>,
    pub watch: Option<WatchView>,
    /// Made by whoever shows the snapshot, not by the reducer.
    pub link: Link,
}

/// A device whose ports are asked as fast as its agent counts anew.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchView {
    pub asset: AssetId,
    pub since: Timestamp,
    /// It ends by itself then.
    pub until: Timestamp,
    /// From one walk to the next.
    pub every: Duration,
    /// How often the agent counts anew, as measured.
    pub refresh: Pace,
    /// How long the last walk took.
    pub took: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    Host,
    Port,
    Backup,
}

/// One line of the first pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The host or job it belongs to.
    pub asset: AssetId,
    /// For a port: its row in the device's table.
    pub port: Option<usize>,
    /// What it is called; foreign where a device named it.
    pub title: Untrusted,
    pub condition: Condition,
    /// The state in a word or two ("DOWN", "RPO BREACH").
    pub word: Arc<str>,
    pub reason: Untrusted,
    pub since: Timestamp,
    /// How many things are hidden behind it.
    pub hides: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub hosts: usize,
    pub hosts_ok: usize,
    pub hosts_stale: usize,
    pub hosts_pending: usize,
    pub hosts_not_probed: usize,
    pub critical: usize,
    pub warning: usize,
    pub unknown: usize,
    pub unreachable: usize,
    pub devices: usize,
    pub ports: usize,
    pub ports_up: usize,
    pub jobs: usize,
    pub jobs_ok: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub revision: u64,
    /// Steady time of publication.
    pub at: Timestamp,
    /// In the order of the inventory.
    pub hosts: Vec<Arc<HostView>>,
    pub devices: Vec<Arc<DeviceView>>,
    pub jobs: Vec<Arc<JobView>>,
    /// Worst first.
    pub problems: Arc<[Problem]>,
    /// Newest first.
    pub incidents: Arc<[Arc<Incident>]>,
    pub sessions: Arc<[Session]>,
    pub totals: Totals,
    pub engine: EngineView,
    /// What cannot be watched, and why; said once, shown where it belongs.
    pub remarks: Arc<[Arc<str>]>,
    /// What devices told by themselves, newest first.
    pub notifications: Arc<[Arc<NotificationView>]>,
}

impl Snapshot {
    pub fn host(&self, id: &AssetId) -> Option<&Arc<HostView>> {
        self.hosts.iter().find(|h| h.host.id == *id)
    }

    pub fn device(&self, id: &AssetId) -> Option<&Arc<DeviceView>> {
        self.devices.iter().find(|d| d.host.id == *id)
    }

    pub fn job(&self, id: &AssetId) -> Option<&Arc<JobView>> {
        self.jobs.iter().find(|j| j.job.id == *id)
    }

    /// The same when no engine looks at the clock any more: what has become too old by now is stale. `None` where nothing
    /// has.
    pub fn aged(&self, policy: &Policy, now: Timestamp) -> Option<Self> {
        let too_old = |check: &CheckView| !check.stale && rules::check::is_stale(check, policy, now);
        let (mut hosts, mut devices, mut jobs) = (self.hosts.clone(), self.devices.clone(), self.jobs.clone());
        let mut changed = false;
        for host in hosts.iter_mut().filter(|host| host.checks.iter().any(too_old)) {
            changed = true;
            let view = Arc::make_mut(host);
            for check in &mut view.checks {
                check.stale |= rules::check::is_stale(check, policy, now);
            }
            view.stale = rules::host::is_stale(&view.checks);
            if rules::host::ports_stale(view)
                && let Some(device) = devices.iter_mut().find(|device| device.host.id == view.host.id)
            {
                Arc::make_mut(device).stale = true;
            }
        }
        for job in jobs.iter_mut().filter(|job| job.check.as_ref().is_some_and(too_old)) {
            changed = true;
            let view = Arc::make_mut(job);
            view.stale = true;
            if let Some(check) = &mut view.check {
                check.stale = true;
            }
        }
        changed.then(|| Self {
            problems: problems(&hosts, &devices, &jobs).into(),
            totals: totals(&hosts, &devices, &jobs),
            hosts,
            devices,
            jobs,
            ..self.clone()
        })
    }

    /// The incident that the header shows: the newest open one.
    pub fn open_incident(&self) -> Option<&Arc<Incident>> {
        self.incidents.iter().find(|i| i.status == IncidentStatus::Open)
    }
}

/// Builds the whole from the state; called by [`State::publish`].
pub(super) fn build(state: &State, at: Timestamp) -> Snapshot {
    let hosts: Vec<Arc<HostView>> = state.hosts.iter().map(|slot| slot.view.clone()).collect();
    let devices: Vec<Arc<DeviceView>> = state.hosts.iter().filter_map(|slot| slot.device.clone()).collect();
    let jobs: Vec<Arc<JobView>> = state.jobs.iter().map(|slot| slot.view.clone()).collect();
    let problems = problems(&hosts, &devices, &jobs);
    let totals = totals(&hosts, &devices, &jobs);
    Snapshot {
        revision: state.revision,
        at,
        hosts,
        devices,
        jobs,
        problems: problems.into(),
        incidents: state.incidents.clone().into(),
        sessions: state.sessions.clone().into(),
        totals,
        engine: state.engine.clone(),
        remarks: state.remarks.clone().into(),
        notifications: state.notifications.published(),
    }
}

/// One list over everything: worst first, newest first among equals, then by name.
fn problems(hosts: &[Arc<HostView>], devices: &[Arc<DeviceView>], jobs: &[Arc<JobView>]) -> Vec<Problem> {
    let mut hidden: HashMap<&str, usize> = HashMap::new();
    for host in hosts {
        if let (Condition::Unreachable, Some(behind)) = (host.condition, &host.behind) {
            *hidden.entry(behind).or_default() += 1;
        }
    }
    let mut out: Vec<Problem> = Vec::new();
    out.extend(hosts.iter().filter(|h| h.condition.is_problem()).map(|h| Problem {
        kind: ProblemKind::Host,
        asset: h.host.id.clone(),
        port: None,
        title: Untrusted::from(&*h.host.name),
        condition: h.condition,
        word: host_word(h).into(),
        reason: h.reason.clone(),
        since: h.since,
        hides: hidden.get(&*h.host.name).copied().unwrap_or(0),
    }));
    for device in devices.iter().filter(|d| d.condition.is_problem() && !d.stale) {
        out.extend(device.missing.as_ref().map(|missing| Problem {
            kind: ProblemKind::Port,
            asset: device.host.id.clone(),
            port: None,
            title: Untrusted::from(&*device.host.name),
            condition: Condition::Critical,
            word: "PORTS GONE".into(),
            reason: Untrusted::from(&*missing.reason),
            since: missing.since,
            hides: 0,
        }));
        for port in device.ports.iter().filter(|p| p.condition.is_problem()) {
            let Some(row) = device.table.ports.get(port.row) else { continue };
            let mut title = device.host.name.as_bytes().to_vec();
            title.push(b' ');
            title.extend_from_slice(row.label().as_bytes());
            out.push(Problem {
                kind: ProblemKind::Port,
                asset: device.host.id.clone(),
                port: Some(port.row),
                title: Untrusted::new(title),
                condition: port.condition,
                word: port.state.as_str().into(),
                reason: port.reason.as_deref().map(Untrusted::from).unwrap_or_default(),
                since: port.changed.unwrap_or(device.table.collected_at),
                hides: 0,
            });
        }
    }
    out.extend(jobs.iter().filter(|j| j.condition.is_problem()).map(|j| Problem {
        kind: ProblemKind::Backup,
        asset: j.job.id.clone(),
        port: None,
        title: Untrusted::from(&*j.job.name),
        condition: j.condition,
        word: job_word(j.state).into(),
        reason: j.reason.clone(),
        since: j.since,
        hides: 0,
    }));
    out.sort_by(|a, b| {
        b.condition
            .cmp(&a.condition)
            .then(b.hides.cmp(&a.hides))
            .then(b.since.cmp(&a.since))
            .then_with(|| a.title.cmp(&b.title))
    });
    out
}

fn host_word(host: &HostView) -> &'static str {
    let silent = host.checks.iter().all(|c| c.condition == Condition::Critical || !c.spec.decides_reachability);
    match host.condition {
        Condition::Critical if silent => "DOWN",
        Condition::Critical => "CRITICAL",
        Condition::Warning => "WARNING",
        Condition::Unknown if host.last_seen.is_none() => "NEVER SEEN",
        Condition::Unknown => "UNKNOWN",
        Condition::Unreachable => "UNREACHABLE",
        Condition::Pending => "PENDING",
        Condition::NotProbed => "NOT PROBED",
        Condition::Ok => "UP",
    }
}

fn job_word(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "PENDING",
        JobState::Waiting => "WAITING",
        JobState::Ok => "OK",
        JobState::AtRisk => "RPO AT RISK",
        JobState::Breach => "RPO BREACH",
        JobState::Missed => "MISSED",
        JobState::Locked => "LOCKED",
        JobState::Failed => "FAILED",
        JobState::Corrupt => "CORRUPT",
        JobState::Warning => "WARNING",
        JobState::Unknown => "UNKNOWN",
    }
}

fn totals(hosts: &[Arc<HostView>], devices: &[Arc<DeviceView>], jobs: &[Arc<JobView>]) -> Totals {
    let mut t = Totals { hosts: hosts.len(), devices: devices.len(), jobs: jobs.len(), ..Totals::default() };
    for host in hosts {
        t.hosts_stale += usize::from(host.stale);
        match host.condition {
            // Old good news is not good news.
            Condition::Ok => t.hosts_ok += usize::from(!host.stale),
            Condition::Pending => t.hosts_pending += 1,
            Condition::NotProbed => t.hosts_not_probed += 1,
            Condition::Critical => t.critical += 1,
            Condition::Warning => t.warning += 1,
            Condition::Unknown => t.unknown += 1,
            Condition::Unreachable => t.unreachable += 1,
        }
    }
    for device in devices {
        t.ports += device.ports.len();
        t.ports_up += device.up;
        // As the list of problems has them: what is old is not counted as of now.
        t.critical += usize::from(device.missing.is_some() && !device.stale);
        for port in device.ports.iter().filter(|_| !device.stale) {
            match port.condition {
                Condition::Critical => t.critical += 1,
                Condition::Warning => t.warning += 1,
                Condition::Unknown => t.unknown += 1,
                Condition::Ok | Condition::Unreachable | Condition::Pending | Condition::NotProbed => {}
            }
        }
    }
    for job in jobs {
        match job.condition {
            Condition::Ok => t.jobs_ok += usize::from(!job.stale),
            Condition::Critical => t.critical += 1,
            Condition::Warning => t.warning += 1,
            Condition::Unknown => t.unknown += 1,
            Condition::Unreachable | Condition::Pending | Condition::NotProbed => {}
        }
    }
    t
}
