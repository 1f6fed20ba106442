//! The list of problems: one line a problem over hosts, ports and backups. What nobody has taken on comes first, worst
//! first; what is owned sinks below it and stays.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Timestamp, Untrusted};
use crate::model::{AssetId, Condition, Host, PortKey, Target};
use crate::state::reduce::State;
use crate::state::rules;
use crate::state::rules::ports::bundle::{self, Bundling, Root};
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
    /// What it is hidden behind; `None` in the list of problems.
    pub behind: Option<Behind>,
    /// Who has taken it on, and what else keeps it from being everybody's business.
    pub care: Care,
    /// Why it stands where it stands, in a few words.
    pub rank: Cow<'static, str>,
}

/// What something is a consequence of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    pub target: Target,
    /// Nobody says so: it fell at the same time.
    pub inferred: bool,
}

impl Behind {
    /// A link that was lost, and the host that it led to: its own device is seen.
    pub fn is_far(&self) -> bool {
        self.inferred && matches!(self.target, Target::Host(_))
    }
}

impl Problem {
    fn behind(self, target: Target, inferred: bool) -> Self {
        let rank = Cow::Borrowed("hidden behind something else");
        Self { behind: Some(Behind { target, inferred }), rank, ..self }
    }

    /// How much is hidden behind it, in words; that of the console's own problem stands in its reason already.
    pub fn behind_it(&self) -> Option<String> {
        (self.hides > 0 && self.kind != ProblemKind::Console).then(|| format!("{} behind it", self.hides))
    }

    /// How long it has been a problem that nobody owns.
    pub fn unowned(&self, now: Timestamp) -> Option<Duration> {
        self.care.unowned_since.map(|since| now.since(since))
    }

    fn place(&self, host: Option<&Host>) -> Place {
        let handled = if self.care.maintenance.is_some() { 2 } else { u8::from(self.care.ack.is_some()) };
        Place { handled, tagged: host.and_then(vital_tag) }
    }
}

/// What comes before the condition, and between the condition and the time.
struct Place {
    handled: u8,
    tagged: Option<&'static str>,
}

/// Its tag that says that everything else needs it.
fn vital_tag(host: &Host) -> Option<&'static str> {
    ["critical", "core"].into_iter().find(|tag| host.has_tag(tag))
}

fn rank(problem: &Problem, tagged: Option<&'static str>) -> Cow<'static, str> {
    if problem.care.maintenance.is_some() {
        return "in maintenance".into();
    }
    if problem.care.ack.is_some() {
        return "owned".into();
    }
    if problem.hides > 0 {
        return format!("{} hidden behind it", problem.hides).into();
    }
    if let Some(tag) = tagged {
        return format!("tagged {tag}").into();
    }
    if problem.care.flapping.is_some() {
        return "flapping".into();
    }
    problem.condition.as_str().into()
}

/// The problems, and what is hidden behind them.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Unowned before owned before what is in maintenance; worst first, then what hides most, then what is tagged as vital, newest
    /// first among equals, then by name.
    pub problems: Vec<Problem>,
    /// Worst first, then by name.
    pub consequences: Vec<Problem>,
}

impl Lists {
    fn sort_consequences(&mut self) {
        self.consequences.sort_by(|a, b| b.condition.cmp(&a.condition).then_with(|| a.title.cmp(&b.title)));
    }
}

/// How much is behind each cause.
fn count(consequences: &[Problem]) -> HashMap<Target, usize> {
    let mut counts = HashMap::new();
    for behind in consequences.iter().filter_map(|problem| problem.behind.as_ref()) {
        *counts.entry(behind.target.clone()).or_default() += 1;
    }
    counts
}

/// How many lost links are behind each host that they led to.
fn lost_links(consequences: &[Problem]) -> HashMap<Target, usize> {
    let mut links = HashMap::new();
    for behind in consequences.iter().filter_map(|problem| problem.behind.as_ref()).filter(|behind| behind.is_far()) {
        *links.entry(behind.target.clone()).or_default() += 1;
    }
    links
}

/// One list over everything, and what is behind it.
pub(super) fn list(state: &State, blind: Option<&Blindness>, hosts: &[Arc<HostView>], jobs: &[Arc<JobView>]) -> Lists {
    let mut lists = Lists::default();
    let mut shown: Vec<(Option<&Host>, Problem)> = Vec::new();
    shown.extend(blind.map(|blind| (None, of_console(blind))));
    let falls = Falls::of(hosts, state.devices());
    for host in hosts.iter().filter(|h| h.condition.is_problem() || h.care.flapping.is_some()) {
        let mut problem = of_host(host, 0);
        if let Some(company) = falls.company(host) {
            problem.reason = problem.reason.beside(company.words());
        }
        shown.push((Some(&host.host), problem));
    }
    let causes = Causes::of(hosts, blind.is_some());
    lists.consequences.extend(hosts.iter().filter_map(|host| {
        let cause = causes.unreachable(host)?;
        Some(of_host(host, 0).behind(cause, false))
    }));
    for slot in &state.hosts {
        let Some(device) = slot.device.as_ref().filter(|device| has_problems(device)) else { continue };
        let cause = causes.of_device(&slot.view, device.stale);
        for mut problem in of_device(state, device) {
            if let Some(maintained) = &slot.view.care.maintenance {
                problem.care.maintenance = Some(maintained.clone());
                problem.care.unowned_since = None;
            }
            match &cause {
                Some(cause) => lists.consequences.push(problem.behind(cause.clone(), false)),
                None if problem.behind.is_some() => lists.consequences.push(problem),
                None => shown.push((Some(&device.host), problem)),
            }
        }
    }
    shown.extend(jobs.iter().filter(|j| j.condition.is_problem()).map(|job| (None, of_job(job))));
    let counts = count(&lists.consequences);
    let links = lost_links(&lists.consequences);
    let mut out: Vec<(Place, Problem)> = Vec::with_capacity(shown.len());
    for (host, mut problem) in shown {
        if let Some(words) = links.get(&problem.target).copied().and_then(bundle::links) {
            problem.reason = problem.reason.beside(words);
        }
        // What a console that cannot see has hidden it says itself.
        problem.hides = problem.hides.max(counts.get(&problem.target).copied().unwrap_or(0));
        let place = problem.place(host);
        problem.rank = rank(&problem, place.tagged);
        out.push((place, problem));
    }
    out.sort_by(|(a_place, a), (b_place, b)| {
        a_place
            .handled
            .cmp(&b_place.handled)
            .then(b.condition.cmp(&a.condition))
            .then(b.hides.cmp(&a.hides))
            .then(b_place.tagged.is_some().cmp(&a_place.tagged.is_some()))
            .then(b.since.cmp(&a.since))
            .then_with(|| a.title.cmp(&b.title))
    });
    lists.problems = out.into_iter().map(|(_, problem)| problem).collect();
    lists.sort_consequences();
    lists
}

/// What is to blame for what cannot be reached.
struct Causes<'a> {
    by_name: FxHashMap<&'a str, &'a AssetId>,
    is_blind: bool,
}

impl<'a> Causes<'a> {
    fn of(hosts: &'a [Arc<HostView>], is_blind: bool) -> Self {
        let some = is_blind || hosts.iter().any(|host| host.condition == Condition::Unreachable);
        let hosts = hosts.iter().filter(|_| some);
        Self { by_name: hosts.map(|host| (&*host.host.name, &host.host.id)).collect(), is_blind }
    }

    fn unreachable(&self, host: &HostView) -> Option<Target> {
        let behind = host.behind.as_deref().filter(|_| host.condition == Condition::Unreachable)?;
        self.by_name.get(behind).map(|id| Target::Host((*id).clone()))
    }

    /// What is known of its ports is behind that. What is merely old stays: nobody knows that it is over. Of a console that cannot
    /// see, that alone is told.
    fn of_device(&self, host: &HostView, stale: bool) -> Option<Target> {
        if self.is_blind && stale {
            return Some(Target::Host(console_id()));
        }
        self.unreachable(host).or_else(|| is_cut_off(host, stale).then(|| Target::Host(host.host.id.clone())))
    }
}

/// Nothing of the host answers, or it is critical and what is known of its ports is too old.
pub fn is_cut_off(host: &HostView, stale: bool) -> bool {
    host.condition == Condition::Unreachable || host.is_down() || (stale && host.condition == Condition::Critical)
}

/// The same lists when no engine looks at the clock any more: what they say is as old as what they are about.
pub(super) fn aged(
    (problems, consequences): (&[Problem], &[Problem]),
    is_blind: bool,
    hosts: &[Arc<HostView>],
    devices: &[Arc<DeviceView>],
    jobs: &[Arc<JobView>],
) -> Lists {
    if problems.is_empty() && consequences.is_empty() {
        return Lists::default();
    }
    let old_hosts: FxHashSet<&AssetId> = hosts.iter().filter(|h| h.stale).map(|h| &h.host.id).collect();
    let old_devices: FxHashSet<&AssetId> = devices.iter().filter(|d| d.stale).map(|d| &d.host.id).collect();
    let old_jobs: FxHashSet<&AssetId> = jobs.iter().filter(|j| j.stale).map(|j| &j.job.id).collect();
    let causes = Causes::of(hosts, is_blind);
    let mut hiding: FxHashMap<&AssetId, Target> = FxHashMap::default();
    for host in hosts {
        if let Some(cause) = causes.of_device(host, old_devices.contains(&host.host.id)) {
            hiding.insert(&host.host.id, cause);
        }
    }
    let is_old = |problem: &Problem| match problem.kind {
        ProblemKind::Console => false,
        ProblemKind::Host => old_hosts.contains(&problem.asset),
        ProblemKind::Port | ProblemKind::Device => old_devices.contains(&problem.asset),
        ProblemKind::Backup => old_jobs.contains(&problem.asset),
    };
    let mut lists = Lists::default();
    for problem in problems.iter().chain(consequences) {
        let stale = problem.stale || is_old(problem);
        let problem = Problem { stale, ..problem.clone() };
        let is_part = matches!(problem.kind, ProblemKind::Port | ProblemKind::Device);
        match hiding.get(&problem.asset).filter(|_| is_part) {
            Some(cause) => lists.consequences.push(problem.behind(cause.clone(), false)),
            None if problem.behind.is_some() => lists.consequences.push(problem),
            None => lists.problems.push(problem),
        }
    }
    let counts = count(&lists.consequences);
    for problem in &mut lists.problems {
        problem.hides = problem.hides.max(counts.get(&problem.target).copied().unwrap_or(0));
    }
    lists.sort_consequences();
    lists
}

fn has_problems(device: &DeviceView) -> bool {
    device.condition.is_problem() || !device.findings.is_empty()
}

/// How much is wrong with a device and its ports.
pub fn parts(device: &DeviceView) -> usize {
    let ports = device.ports.iter().filter(|port| port.condition.is_problem()).count();
    ports + usize::from(device.missing.is_some()) + usize::from(device.firm_findings().next().is_some())
}

/// Everything that is wrong with a device and its ports; what is behind another part of it says so.
fn of_device(state: &State, device: &DeviceView) -> Vec<Problem> {
    let bundling = state.bundling(device);
    let mut out: Vec<Problem> = of_device_itself(state, device).into_iter().collect();
    if device.missing.is_some() {
        let gone = of_gone_ports(state, device);
        out.push(with_company(gone, &bundling, Root::Gone));
    }
    for port in device.ports.iter().filter(|p| p.condition.is_problem()) {
        let Some(problem) = of_port(state, device, port, &bundling) else { continue };
        out.push(match bundling.root(port.row).and_then(|(root, tie)| Some((state.root_target(device, root)?, tie))) {
            Some((target, tie)) => problem.behind(target, tie.is_inferred()),
            None => with_company(problem, &bundling, Root::Port(port.row)),
        });
    }
    out
}

fn with_company(mut problem: Problem, bundling: &Bundling, root: Root) -> Problem {
    if let Some(words) = bundling.words(root) {
        problem.reason = problem.reason.beside(words);
    }
    problem
}

/// What the console's own problem belongs to: there is no such host.
fn console_id() -> AssetId {
    AssetId::new("this console")
}

/// What is stale because of it stands behind it.
pub fn of_console(blind: &Blindness) -> Problem {
    let id = console_id();
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
        behind: None,
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
        behind: None,
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
        behind: None,
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
        behind: None,
        rank: Cow::Borrowed(""),
    }
}

pub fn of_port(state: &State, device: &DeviceView, port: &PortView, bundling: &Bundling) -> Option<Problem> {
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
        word: if bundling.is_degraded(port) { "degraded" } else { port.state.as_str() }.into(),
        reason: port.reason.as_deref().map(Untrusted::from).unwrap_or_default(),
        since,
        hides: 0,
        care: care_of(state, since, &target),
        target,
        behind: None,
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
        behind: None,
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
