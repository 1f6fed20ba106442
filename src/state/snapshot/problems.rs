//! The list of problems: one line a problem over hosts, ports and backups. What nobody has taken on comes first, worst
//! first; what is owned sinks below it and stays.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Timestamp, Untrusted};
use crate::model::{AssetId, Condition, Host, PortKey, Target};
use crate::state::reduce::State;
use crate::state::rules;
use crate::state::rules::together::Falls;
use crate::state::snapshot::{Blindness, Cause};
use crate::state::view::{Care, DeviceView, HostView, JobState, JobView, PortView};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// This console itself: it cannot see.
    Console,
    Host,
    Port,
    /// What a device says of itself beside its ports.
    Device,
    Backup,
}

/// One line of the first pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The host or job it belongs to.
    pub asset: AssetId,
    /// What a claim of it names.
    pub target: Target,
    /// For a port: its row in the device's table.
    pub port: Option<usize>,
    /// What it is called; foreign where a device named it.
    pub title: Untrusted,
    pub condition: Condition,
    /// Found longer ago than it should be: it may be over.
    pub stale: bool,
    /// The state in a word or two ("DOWN", "RPO BREACH").
    pub word: Arc<str>,
    pub reason: Untrusted,
    pub since: Timestamp,
    /// How many things are hidden behind it.
    pub hides: usize,
    /// Who has taken it on, and what else keeps it from being everybody's business.
    pub care: Care,
    /// Why it stands where it stands, in a few words.
    pub rank: Cow<'static, str>,
}

impl Problem {
    /// How long it has been a problem that nobody owns.
    pub fn unowned(&self, now: Timestamp) -> Option<Duration> {
        self.care.unowned_since.map(|since| now.since(since))
    }

    fn place(&self, host: Option<&Host>) -> Place {
        let handled = if self.care.maintenance.is_some() { 2 } else { u8::from(self.care.ack.is_some()) };
        Place { handled, tagged: host.is_some_and(matters) }
    }
}

/// What comes before the condition, and between the condition and the time.
struct Place {
    handled: u8,
    tagged: bool,
}

/// Tagged as something that everything else needs.
fn matters(host: &Host) -> bool {
    host.has_tag("critical") || host.has_tag("core")
}

fn rank(problem: &Problem, tagged: bool) -> Cow<'static, str> {
    if problem.care.maintenance.is_some() {
        return "in maintenance".into();
    }
    if problem.care.ack.is_some() {
        return "owned".into();
    }
    if problem.hides > 0 {
        return format!("{} hidden behind it", problem.hides).into();
    }
    if tagged {
        return "tagged as vital".into();
    }
    if problem.care.flapping.is_some() {
        return "flapping".into();
    }
    problem.condition.as_str().into()
}

/// One list over everything: unowned before owned before what is in maintenance; worst first, then what hides most, then what is tagged as vital, newest
/// first among equals, then by name.
pub(super) fn list(
    state: &State,
    blind: Option<&Blindness>,
    hosts: &[Arc<HostView>],
    jobs: &[Arc<JobView>],
) -> Vec<Problem> {
    let mut hidden: HashMap<&str, usize> = HashMap::new();
    for host in hosts {
        if let (Condition::Unreachable, Some(behind)) = (host.condition, &host.behind) {
            *hidden.entry(behind).or_default() += 1;
        }
    }
    let mut out: Vec<(Place, Problem)> = Vec::new();
    let mut add = |host: Option<&Host>, mut problem: Problem| {
        let place = problem.place(host);
        problem.rank = rank(&problem, place.tagged);
        out.push((place, problem));
    };
    if let Some(blind) = blind {
        add(None, of_console(blind));
    }
    let falls = Falls::of(hosts, state.devices());
    for host in hosts.iter().filter(|h| h.condition.is_problem() || h.care.flapping.is_some()) {
        let mut problem = of_host(host, hidden.get(&*host.host.name).copied().unwrap_or(0));
        if let Some(company) = falls.company(host) {
            problem.reason = problem.reason.beside(company.words());
        }
        add(Some(&host.host), problem);
    }
    for (view, device) in in_sight(state, blind.is_some()) {
        let mut of_device = |mut problem: Problem| {
            if let Some(maintained) = &view.care.maintenance {
                problem.care.maintenance = Some(maintained.clone());
                problem.care.unowned_since = None;
            }
            add(Some(&device.host), problem);
        };
        if let Some(problem) = of_device_itself(state, device) {
            of_device(problem);
        }
        if device.missing.is_some() {
            of_device(of_gone_ports(state, device));
        }
        for port in device.ports.iter().filter(|p| p.condition.is_problem()) {
            if let Some(problem) = of_port(state, device, port) {
                of_device(problem);
            }
        }
    }
    for job in jobs.iter().filter(|j| j.condition.is_problem()) {
        add(None, of_job(job));
    }
    out.sort_by(|(a_place, a), (b_place, b)| {
        a_place
            .handled
            .cmp(&b_place.handled)
            .then(b.condition.cmp(&a.condition))
            .then(b.hides.cmp(&a.hides))
            .then(b_place.tagged.cmp(&a_place.tagged))
            .then(b.since.cmp(&a.since))
            .then_with(|| a.title.cmp(&b.title))
    });
    out.into_iter().map(|(_, problem)| problem).collect()
}

/// The same list when no engine looks at the clock any more: what it says is as old as what it is about.
pub(super) fn aged(
    problems: &[Problem],
    is_blind: bool,
    hosts: &[Arc<HostView>],
    devices: &[Arc<DeviceView>],
    jobs: &[Arc<JobView>],
) -> Vec<Problem> {
    let old_hosts: HashSet<&AssetId> = hosts.iter().filter(|h| h.stale).map(|h| &h.host.id).collect();
    let old_devices: HashSet<&AssetId> = devices.iter().filter(|d| d.stale).map(|d| &d.host.id).collect();
    let old_jobs: HashSet<&AssetId> = jobs.iter().filter(|j| j.stale).map(|j| &j.job.id).collect();
    // As `in_sight` has it.
    let behind: HashSet<&AssetId> =
        hosts.iter().filter(|host| is_blind || cut_off(host)).map(|host| &host.host.id).collect();
    let mut out = problems.to_vec();
    out.retain(|problem| match problem.kind {
        ProblemKind::Port | ProblemKind::Device => {
            !(old_devices.contains(&problem.asset) && behind.contains(&problem.asset))
        }
        ProblemKind::Console | ProblemKind::Host | ProblemKind::Backup => true,
    });
    for problem in &mut out {
        problem.stale |= match problem.kind {
            ProblemKind::Console => false,
            ProblemKind::Host => old_hosts.contains(&problem.asset),
            ProblemKind::Port | ProblemKind::Device => old_devices.contains(&problem.asset),
            ProblemKind::Backup => old_jobs.contains(&problem.asset),
        };
    }
    out
}

/// Devices with a problem, but for those that cannot be reached: their ports' problems are behind that. What is merely old
/// stays: nobody knows that it is over. Of a console that cannot see, that alone is told.
fn in_sight(state: &State, is_blind: bool) -> impl Iterator<Item = (&Arc<HostView>, &Arc<DeviceView>)> {
    let slots = state.hosts.iter().filter_map(|slot| Some((&slot.view, slot.device.as_ref()?)));
    slots.filter(move |(view, device)| {
        (device.condition.is_problem() || !device.findings.is_empty()) && !(device.stale && (is_blind || cut_off(view)))
    })
}

/// What is known of it is behind that it cannot be reached.
fn cut_off(view: &HostView) -> bool {
    matches!(view.condition, Condition::Critical | Condition::Unreachable)
}

/// What is stale because of it stands behind it.
pub fn of_console(blind: &Blindness) -> Problem {
    let id = AssetId::new("this console");
    let silent = format!("{} of {} targets that answered are silent", blind.silent, blind.targets);
    let reason = match &blind.cause {
        Cause::Silence => silent,
        Cause::NoWayOut(reason) if blind.silent == 0 => format!("{reason}: nothing new is believed"),
        Cause::NoWayOut(reason) => format!("{reason} · {silent}"),
        Cause::NoNames(reason) => {
            format!("{reason} · {} of {} targets with a name are not seen", blind.silent, blind.targets)
        }
    };
    Problem {
        kind: ProblemKind::Console,
        asset: id.clone(),
        target: Target::Host(id),
        port: None,
        title: Untrusted::from("this console"),
        condition: Condition::Critical,
        stale: false,
        word: "CAN'T SEE".into(),
        reason: Untrusted::from(reason),
        since: blind.since,
        hides: blind.silent,
        care: Care { unowned_since: Some(blind.since), ..Care::default() },
        rank: Cow::Borrowed(""),
    }
}

pub fn of_host(host: &HostView, hides: usize) -> Problem {
    let mut problem = Problem {
        kind: ProblemKind::Host,
        asset: host.host.id.clone(),
        target: Target::Host(host.host.id.clone()),
        port: None,
        title: Untrusted::from(&*host.host.name),
        condition: host.condition,
        stale: host.stale,
        word: host.word().into(),
        reason: host.reason.clone(),
        since: host.since,
        hides,
        care: host.care.clone(),
        rank: Cow::Borrowed(""),
    };
    let firm = || rules::host::steady(host).is_some_and(Condition::is_problem);
    if let Some(flapping) = host.care.flapping.filter(|_| !firm()) {
        // Where it stands at this moment is the least that is to be said of it.
        let mut reason = format!("{} % of its results change · now {}: ", flapping.percent, host.word()).into_bytes();
        reason.extend_from_slice(host.reason.as_bytes());
        problem.reason = Untrusted::new(reason);
        (problem.word, problem.condition, problem.since) = ("FLAPPING".into(), flapping.worst, flapping.since);
    }
    problem
}

/// What is known of a port's problem beside its condition.
fn care_of(state: &State, since: Timestamp, target: &Target) -> Care {
    // Most networks have no claims at all, and many ports.
    if state.desk.is_blank() {
        return Care { unowned_since: Some(since), ..Care::default() };
    }
    let ack = state.desk.acks().get(target).cloned();
    let unowned_since = ack.is_none().then(|| state.desk.unowned_since(target, since));
    Care { ack, unowned_since, ..Care::default() }
}

/// One line for all that a device complains of: the worst in words, and how much more.
pub fn of_device_itself(state: &State, device: &DeviceView) -> Option<Problem> {
    let worst = device.firm_findings().next()?;
    let more = device.firm_findings().count() - 1;
    let words = if more > 0 { format!("{} · and {more} more", worst.words) } else { worst.words.to_string() };
    let since = device.firm_findings().filter(|f| f.condition == worst.condition).map(|f| f.since).min();
    let since = since.unwrap_or(worst.since);
    let target = Target::Device(device.host.id.clone());
    Some(Problem {
        kind: ProblemKind::Device,
        asset: device.host.id.clone(),
        port: None,
        title: Untrusted::from(&*device.host.name),
        condition: worst.condition,
        stale: device.stale,
        word: if worst.condition == Condition::Critical { "CRITICAL" } else { "WARNING" }.into(),
        reason: Untrusted::from(words),
        since,
        hides: 0,
        care: care_of(state, since, &target),
        target,
        rank: Cow::Borrowed(""),
    })
}

pub fn of_gone_ports(state: &State, device: &DeviceView) -> Problem {
    let (reason, since) =
        device.missing.as_ref().map_or((Untrusted::default(), device.table.collected_at), |missing| {
            (Untrusted::from(&*missing.reason), missing.since)
        });
    let target = Target::GonePorts(device.host.id.clone());
    Problem {
        kind: ProblemKind::Port,
        asset: device.host.id.clone(),
        port: None,
        title: Untrusted::from(&*device.host.name),
        condition: Condition::Critical,
        stale: device.stale,
        word: "PORTS GONE".into(),
        reason,
        since,
        hides: 0,
        care: care_of(state, since, &target),
        target,
        rank: Cow::Borrowed(""),
    }
}

pub fn of_port(state: &State, device: &DeviceView, port: &PortView) -> Option<Problem> {
    let row = device.table.ports.get(port.row)?;
    let mut title = device.host.name.as_bytes().to_vec();
    title.push(b' ');
    title.extend_from_slice(row.label().as_bytes());
    let since = port.changed.unwrap_or(device.table.collected_at);
    let key = PortKey { label: row.label().clone(), told_apart: port.told_apart };
    let target = Target::Port(device.host.id.clone(), key);
    Some(Problem {
        kind: ProblemKind::Port,
        asset: device.host.id.clone(),
        port: Some(port.row),
        title: Untrusted::new(title),
        condition: port.condition,
        stale: device.stale,
        word: port.state.as_str().into(),
        reason: port.reason.as_deref().map(Untrusted::from).unwrap_or_default(),
        since,
        hides: 0,
        care: care_of(state, since, &target),
        target,
        rank: Cow::Borrowed(""),
    })
}

pub fn of_job(job: &JobView) -> Problem {
    Problem {
        kind: ProblemKind::Backup,
        asset: job.job.id.clone(),
        target: Target::Job(job.job.id.clone()),
        port: None,
        title: Untrusted::from(&*job.job.name),
        condition: job.condition,
        stale: job.stale,
        word: job_word(job.state).into(),
        reason: job.reason.clone(),
        since: job.since,
        hides: 0,
        care: job.care.clone(),
        rank: Cow::Borrowed(""),
    }
}

/// The state of a backup in the words of the screen.
pub fn job_word(state: JobState) -> &'static str {
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
