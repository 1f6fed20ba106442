//! The published whole: one `Arc` per host, device and job, so that a new snapshot shares everything
//! that did not change with the one before.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::reduce::State;
use super::rules;
use super::rules::refresh::Pace;
use super::view::{CheckView, DeviceView, HostView, JobView};
use crate::base::{Timestamp, text};
use crate::model::{
    Acknowledgement, AssetId, Change, ChannelStatus, Condition, Entry, Fault, Holders, Incident, IncidentStatus,
    Maintenance, NotificationView, Pause, Policy, Role, Session, Target, Transition, TrapStatus,
};

pub mod problems;

pub use problems::{Behind, Problem, ProblemKind};

/// Whether anything is sent at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Polling,
    /// `:pause`; until `:resume`, over restarts too.
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
    /// It is another process's.
    Attached(Arc<Attached>),
    /// It is gone, or says nothing: why and what is being done, in words.
    Lost { since: Timestamp, what: Arc<str> },
}

/// The engine of another process, and what this console is to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// The machine, where it is another one, as the operator calls it.
    pub machine: Option<Arc<str>>,
    pub process: u32,
    pub user: Arc<str>,
    pub role: Role,
    /// Who has which role, where roles are by lists.
    pub holders: Option<Arc<Holders>>,
    /// In whose name one writes there, where that was said: `anna (noc)`.
    pub author: Option<Arc<str>>,
}

impl Attached {
    /// `far pid 4242 of noc (you may operate) as anna (noc)`, without the process, and only the name: as there is room.
    pub fn words(&self) -> [Option<String>; 3] {
        let place = self.machine.as_ref().map(|machine| format!("{machine} ")).unwrap_or_default();
        let may = match self.role {
            // Whoever may do all need not be told.
            Role::Admin => String::new(),
            role => format!(" (you may {})", role.as_str()),
        };
        let name = self.author.as_ref().map(|author| format!("as {author}"));
        let rest = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let user = &self.user;
        [
            Some(format!("attached to {place}pid {} of {user}{may}{rest}", self.process)),
            Some(format!("attached to {place}{user}{may}{rest}")),
            name,
        ]
        .map(|words| words.map(|words| text::clean(&words)))
    }

    /// Which engine it is: `far pid 4242 of noc`.
    pub fn who(&self) -> String {
        let place = self.machine.as_ref().map(|machine| format!("{machine} ")).unwrap_or_default();
        text::clean(&format!("{place}pid {} of {}", self.process, self.user))
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineView {
    pub mode: Mode,
    /// Who has stopped all polling, where somebody has.
    pub pause: Option<Arc<Pause>>,
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
    /// An inventory was given, if an empty one.
    pub has_inventory: bool,
    /// The listener for traps, where there is one.
    pub traps: Option<Arc<TrapStatus>>,
    pub watch: Option<WatchView>,
    pub hosts_watched: Arc<[HostWatch]>,
    /// Made by whoever shows the snapshot, not by the reducer.
    pub link: Link,
    /// How the channels to people stand.
    pub channels: Arc<[ChannelStatus]>,
    /// This console can't see.
    pub blind: Option<Blindness>,
}

/// Much of what is watched is not seen: the likely cause is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blindness {
    pub since: Timestamp,
    pub silent: usize,
    /// All that it could be.
    pub targets: usize,
    pub cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Most of what answered before fell silent together.
    Silence,
    /// The machine has no way out, and says so: "no default route".
    NoWayOut(Arc<str>),
    /// Names cannot be resolved, and those that are silent are known by name only.
    NoNames(Arc<str>),
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

/// A host that is asked each second whether it lives.
#[derive(Clone, Debug, PartialEq)]
pub struct HostWatch {
    pub asset: AssetId,
    /// The check that is asked.
    pub check: Arc<str>,
    pub every: Duration,
    pub since: Timestamp,
    /// It ends by itself then.
    pub until: Timestamp,
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
    /// Problems that somebody has taken on, and those that nobody has.
    pub owned: usize,
    pub unowned: usize,
    pub flapping: usize,
    /// Problems in maintenance: counted here and nowhere else.
    pub in_maintenance: usize,
}

/// How much of a picture that comes from elsewhere is still on its way: such and so many are there and nothing is known of
/// them here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    pub problems: usize,
    pub hosts: usize,
    pub devices: usize,
    pub jobs: usize,
    pub incidents: usize,
    /// Claims, windows, what happened and what is hidden behind problems, together.
    pub others: usize,
}

impl Awaited {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
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
    /// What is hidden behind those: hosts that cannot be reached, ports and devices with a common cause.
    pub consequences: Arc<[Problem]>,
    /// Newest first.
    pub incidents: Arc<[Arc<Incident>]>,
    pub sessions: Arc<[Session]>,
    pub totals: Totals,
    pub engine: EngineView,
    /// What cannot be watched, and why; said once, shown where it belongs.
    pub remarks: Arc<[Arc<str>]>,
    /// What devices told by themselves, newest first.
    pub notifications: Arc<[Arc<NotificationView>]>,
    /// Every maintenance window that is known, open or not.
    pub maintenance: Arc<[Arc<Maintenance>]>,
    /// All claims that stand.
    pub acks: Arc<HashMap<Target, Arc<Acknowledgement>>>,
    /// What was done about problems, newest first; by the wall clock.
    pub deeds: Arc<[Arc<Entry>]>,
    /// Which conditions changed, newest first, over restarts too.
    pub transitions: Arc<[Arc<Transition>]>,
    /// What changed and is no condition, newest first, since the engine began.
    pub changes: Arc<[Arc<Change>]>,
    /// Tasks of the engine that ended in a fault, newest first, over restarts too.
    pub faults: Arc<[Arc<Fault>]>,
    /// What of these lists has not come yet; the totals count it already.
    pub awaited: Awaited,
}

impl Snapshot {
    /// Whether nobody has said yet what is watched: the configuration is being read, or nothing has come from an engine elsewhere.
    pub fn is_starting(&self) -> bool {
        let engine = &self.engine;
        !engine.has_inventory && !engine.discovering && self.hosts.is_empty() && self.jobs.is_empty()
    }

    /// How a host is watched, where it is.
    pub fn watch_of(&self, id: &AssetId) -> Option<&HostWatch> {
        self.engine.hosts_watched.iter().find(|watch| watch.asset == *id)
    }

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
        let too_old = |check: &CheckView| grew_too_old(check, policy, now);
        let is_older = self.hosts.iter().any(|host| host.checks.iter().any(too_old))
            || self.jobs.iter().any(|job| job.check.as_ref().is_some_and(too_old));
        is_older.then(|| self.clone().grown_old(policy, now))
    }

    /// The same of one that nobody else shows: nothing of it is copied, and one that is as young as before is itself.
    #[must_use]
    pub fn grown_old(mut self, policy: &Policy, now: Timestamp) -> Self {
        let too_old = |check: &CheckView| grew_too_old(check, policy, now);
        let mut changed = false;
        for host in self.hosts.iter_mut().filter(|host| host.checks.iter().any(too_old)) {
            changed = true;
            let view = Arc::make_mut(host);
            for check in &mut view.checks {
                check.stale |= rules::check::is_stale(check, policy, now);
            }
            view.stale = rules::host::is_stale(&view.checks);
            if rules::host::ports_stale(view)
                && let Some(device) = self.devices.iter_mut().find(|device| device.host.id == view.host.id)
            {
                Arc::make_mut(device).stale = true;
            }
        }
        for job in self.jobs.iter_mut().filter(|job| job.check.as_ref().is_some_and(too_old)) {
            changed = true;
            let view = Arc::make_mut(job);
            view.stale = true;
            if let Some(check) = &mut view.check {
                check.stale = true;
            }
        }
        if !changed {
            return self;
        }
        let lists = (&*self.problems, &*self.consequences);
        let lists = problems::aged(lists, self.engine.blind.is_some(), &self.hosts, &self.devices, &self.jobs);
        let here = totals(&self.hosts, &self.devices, &self.jobs, &lists.problems);
        self.totals = if self.awaited.is_nothing() {
            here
        } else {
            // Problems that have not come are none the fewer; what is good is what is here and is not old.
            let Totals { hosts_ok, hosts_stale, ports_up, jobs_ok, .. } = here;
            Totals { hosts_ok, hosts_stale, ports_up, jobs_ok, ..self.totals }
        };
        (self.problems, self.consequences) = (lists.problems.into(), lists.consequences.into());
        self
    }

    /// With what has not come yet as it was in a picture from before: nothing vanishes because a line was cut.
    #[must_use]
    pub fn over(mut self, before: &Self) -> Self {
        fn keep<T: Clone>(awaited: usize, list: &mut Vec<T>, before: &[T], id: impl Fn(&T) -> &AssetId) {
            if awaited > 0 {
                let there: HashSet<&AssetId> = list.iter().map(&id).collect();
                let kept: Vec<T> = before.iter().filter(|one| !there.contains(id(one))).cloned().collect();
                list.extend(kept);
            }
        }
        keep(self.awaited.hosts, &mut self.hosts, &before.hosts, |host| &host.host.id);
        keep(self.awaited.devices, &mut self.devices, &before.devices, |device| &device.host.id);
        keep(self.awaited.jobs, &mut self.jobs, &before.jobs, |job| &job.job.id);
        self
    }

    /// As what somebody knew who is gone: nothing in it was seen by whoever shows it now.
    #[must_use]
    pub fn recalled(mut self) -> Self {
        for host in &mut self.hosts {
            for check in &mut Arc::make_mut(host).checks {
                check.restored = check.last.is_some();
            }
        }
        for check in self.jobs.iter_mut().filter_map(|job| Arc::make_mut(job).check.as_mut()) {
            check.restored = check.last.is_some();
        }
        self
    }

    /// A problem by its place in the list; what is hidden comes after all that is not.
    pub fn problem(&self, row: usize) -> Option<&Problem> {
        self.problems.get(row).or_else(|| self.consequences.get(row.checked_sub(self.problems.len())?))
    }

    /// The problem or consequence of that name.
    pub fn problem_of(&self, target: &Target) -> Option<&Problem> {
        self.problems.iter().chain(&*self.consequences).find(|problem| problem.target == *target)
    }

    /// The incident that the header shows: the newest open one.
    pub fn open_incident(&self) -> Option<&Arc<Incident>> {
        self.incidents.iter().find(|i| i.status == IncidentStatus::Open)
    }
}

/// Whether it was young enough the last time that somebody looked.
fn grew_too_old(check: &CheckView, policy: &Policy, now: Timestamp) -> bool {
    !check.stale && rules::check::is_stale(check, policy, now)
}

/// Builds the whole from the state; called by [`State::publish`].
pub(super) fn build(state: &State, at: Timestamp) -> Snapshot {
    let hosts: Vec<Arc<HostView>> = state.hosts.iter().map(|slot| slot.view.clone()).collect();
    let devices: Vec<Arc<DeviceView>> = state.hosts.iter().filter_map(|slot| slot.device.clone()).collect();
    let jobs: Vec<Arc<JobView>> = state.jobs.iter().map(|slot| slot.view.clone()).collect();
    let mut engine = state.engine.clone();
    engine.blind = state.blindness();
    let lists = problems::list(state, engine.blind.as_ref(), &hosts, &jobs);
    let totals = totals(&hosts, &devices, &jobs, &lists.problems);
    Snapshot {
        revision: state.revision,
        at,
        hosts,
        devices,
        jobs,
        problems: lists.problems.into(),
        consequences: lists.consequences.into(),
        incidents: state.incidents.clone().into(),
        sessions: state.sessions.clone().into(),
        totals,
        engine,
        remarks: state.remarks.clone().into(),
        notifications: state.notifications.published(),
        maintenance: state.upkeep.orders.clone(),
        acks: state.desk.acks().clone(),
        deeds: state.desk.entries.clone(),
        transitions: state.transitions.published(),
        changes: state.changes.published(),
        faults: state.faults.published(),
        awaited: Awaited::default(),
    }
}

/// The counts of problems are those of their list, so that both say the same.
fn totals(hosts: &[Arc<HostView>], devices: &[Arc<DeviceView>], jobs: &[Arc<JobView>], problems: &[Problem]) -> Totals {
    let mut t = Totals { hosts: hosts.len(), devices: devices.len(), jobs: jobs.len(), ..Totals::default() };
    for host in hosts {
        t.hosts_stale += usize::from(host.stale);
        match host.condition {
            // Old good news is not good news.
            Condition::Ok => t.hosts_ok += usize::from(!host.stale),
            Condition::Pending => t.hosts_pending += 1,
            Condition::NotProbed => t.hosts_not_probed += 1,
            Condition::Unreachable => t.unreachable += 1,
            // Counted as problems.
            Condition::Critical | Condition::Warning | Condition::Unknown => {}
        }
    }
    for device in devices {
        t.ports += device.ports.len();
        // Old good news is not good news.
        t.ports_up += if device.stale { 0 } else { device.up };
    }
    t.jobs_ok = jobs.iter().filter(|job| job.condition == Condition::Ok && !job.stale).count();
    for problem in problems {
        if problem.care.maintenance.is_some() {
            t.in_maintenance += 1;
            continue;
        }
        match problem.condition {
            Condition::Critical => t.critical += 1,
            Condition::Warning => t.warning += 1,
            Condition::Unknown => t.unknown += 1,
            Condition::Ok | Condition::Unreachable | Condition::Pending | Condition::NotProbed => {}
        }
        t.owned += usize::from(problem.care.ack.is_some());
        t.unowned += usize::from(problem.care.unowned_since.is_some());
        t.flapping += usize::from(problem.care.flapping.is_some());
    }
    t
}
