//! What may be seen of one host, device, port or backup job: immutable, shared, complete enough to be
//! drawn, printed or exported without asking anybody else.

use std::sync::Arc;

use super::rules;
use crate::base::{Timestamp, Untrusted, units};
pub use crate::model::PortState;
use crate::model::{
    Acknowledgement, BackupReport, CheckSpec, Condition, EASES_AFTER, Flap, Flaps, Host, Inference, Job, Maintenance,
    Observation, Port, PortEvent, PortKey, PortMemory, PortRole, PortTable, Remembered, RememberedDevice, Ties,
    ToldApart,
};

#[derive(Clone, Debug, PartialEq)]
pub struct CheckView {
    pub spec: Arc<CheckSpec>,
    /// The condition that counts: soft problems leave it where it was.
    pub condition: Condition,
    /// Bad results in a row so far; 0 when the last was good.
    pub attempt: u8,
    /// Since when `condition` holds.
    pub since: Timestamp,
    pub last: Option<Arc<Observation>>,
    pub last_good: Option<Timestamp>,
    pub last_bad: Option<Arc<Observation>>,
    /// The last good result, where a bad one came since.
    pub good_before: Option<Arc<Observation>>,
    /// The last result is older than it may be.
    pub stale: bool,
    /// The last result came from the store at start, not from this run.
    pub restored: bool,
    /// It was good for so long that it is asked less often.
    pub eased: bool,
    /// How its last results changed.
    pub flap: Flap,
    /// Who has taken on what is wrong with it, apart from its host.
    pub ack: Option<Arc<Acknowledgement>>,
    /// A number that has limits used to come, and does not any more.
    pub missing: Option<Arc<str>>,
}

/// What people and rules make of a thing beside its condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Care {
    /// Who has taken it on.
    pub ack: Option<Arc<Acknowledgement>>,
    /// It is being worked on.
    pub maintenance: Option<Arc<Maintained>>,
    pub flapping: Option<Flapping>,
    /// What it hangs on, where nobody has configured that.
    pub inferred_parent: Option<InferredParent>,
    /// Since when it is a problem that nobody has taken on; `None` while somebody has, or there is none.
    pub unowned_since: Option<Timestamp>,
}

impl Care {
    /// Somebody has taken it on, or works on it.
    pub fn is_handled(&self) -> bool {
        self.ack.is_some() || self.maintenance.is_some()
    }
}

/// A parent that nobody has configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferredParent {
    pub name: Arc<str>,
    pub by: Inference,
}

/// It is in maintenance now.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintained {
    pub maintenance: Arc<Maintenance>,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// It changes too often to tell each change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flapping {
    /// The weighted share of its last results that differ from the one before.
    pub percent: u8,
    pub since: Timestamp,
    /// The worst that it was meanwhile; a warning at the least.
    pub worst: Condition,
}

impl CheckView {
    /// That it runs less often than configured, and why; `None` where it does not.
    pub fn stretched(&self) -> Option<String> {
        let last = self.last.as_ref()?;
        let every = self.spec.interval_after(last, self.eased);
        if self.eased && every == self.spec.pace(true) {
            let [every, interval, after] = [every, self.spec.interval, EASES_AFTER].map(units::config_duration);
            return Some(format!("asked each {every} instead of {interval}: good for {after} and more"));
        }
        let words = || {
            let [every, interval, took] = [every, self.spec.interval, last.took].map(units::age);
            format!("walked each {every} instead of {interval}: a walk takes {took}, over a quarter of the interval")
        };
        (every > self.spec.interval).then(words)
    }

    /// A bad result that is not yet believed.
    pub fn is_soft(&self) -> bool {
        self.attempt > 0 && self.attempt < self.spec.attempts
    }

    /// `2/3`: bad results in a row, and how many of them are believed; nothing where the last was good.
    pub fn tries(&self) -> Option<String> {
        (self.attempt > 0).then(|| format!("{}/{}", self.attempt, self.spec.attempts))
    }

    /// What is kept of it for a later run; nothing where it has no result.
    pub fn remembered(&self) -> Option<Remembered> {
        Some(Remembered {
            check: self.spec.key.clone(),
            condition: self.condition,
            since: self.since,
            last_good: self.last_good,
            observation: (**self.last.as_ref()?).clone(),
            flap: self.flap,
        })
    }

    pub fn metric(&self, name: &str) -> Option<f64> {
        let last = self.last.as_ref()?;
        last.reading.metrics.iter().find(|m| &*m.name == name).map(|m| m.value)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct HostView {
    pub host: Arc<Host>,
    pub condition: Condition,
    pub since: Timestamp,
    /// Why the condition is what it is, in words; quotes foreign text.
    pub reason: Untrusted,
    /// In the order of the inventory.
    pub checks: Vec<CheckView>,
    /// When anything of it last answered.
    pub last_seen: Option<Timestamp>,
    /// All that is known is older than it may be.
    pub stale: bool,
    /// The parent that is to blame while UNREACHABLE.
    pub behind: Option<Arc<str>>,
    /// Recent values of the host's leading metric (load, else round trip), oldest first.
    pub trail: Arc<[f32]>,
    pub care: Care,
}

impl HostView {
    /// The state in a word. A host that is critical and answers is not `DOWN`.
    pub fn word(&self) -> &'static str {
        match self.condition {
            Condition::Critical if self.is_down() => "DOWN",
            Condition::Critical => "CRITICAL",
            Condition::Warning => "WARNING",
            Condition::Unknown if self.last_seen.is_none() => "NEVER SEEN",
            Condition::Unknown if self.lacks_only_numbers() => "NO DATA",
            Condition::Unknown => "UNKNOWN",
            Condition::Unreachable => "UNREACHABLE",
            Condition::Pending => "PENDING",
            Condition::NotProbed => "NOT PROBED",
            Condition::Ok => "UP",
        }
    }

    /// A check of it as it is shown beside it. What is bad and says nothing of the host is not believed: it is open whether the host lives,
    /// or it is found by itself and never answered so.
    pub fn believed(&self, check: &CheckView) -> Condition {
        let says_nothing = check.condition.is_problem() && matches!(self.condition, Condition::Ok | Condition::Pending);
        if says_nothing { Condition::Pending } else { check.condition }
    }

    /// The tries of a check whose last result is bad and not believed.
    pub fn tries(&self, check: &CheckView) -> Option<String> {
        check.tries().filter(|_| check.is_soft() || self.believed(check) != check.condition)
    }

    /// Nothing that proves life answers.
    pub fn is_down(&self) -> bool {
        self.condition == Condition::Critical && rules::host::is_silent(self)
    }

    /// All that is not known of it is a number that used to come.
    fn lacks_only_numbers(&self) -> bool {
        let mut unknown = self.checks.iter().filter(|check| check.condition == Condition::Unknown).peekable();
        unknown.peek().is_some() && unknown.all(|check| check.missing.is_some())
    }

    /// The newest value of a metric over all checks.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.checks.iter().find_map(|c| c.metric(name))
    }

    /// When the newest result came in.
    pub fn last_result(&self) -> Option<Timestamp> {
        self.checks.iter().filter_map(|c| c.last.as_ref().map(|o| o.at)).max()
    }
}

/// Rates between the last two walks, by the agent's own clock; per second. Four octets each: there are many ports.
#[derive(Clone, Copy)]
pub struct Rates([f32; 6]);

impl Rates {
    /// Bits in and out, errors in and out, discards in and out.
    pub fn new(rates: [Option<f64>; 6]) -> Self {
        Self(rates.map(|rate| rate.map_or(f32::NAN, |r| r as f32)))
    }

    /// Bits in and out, and nothing else.
    pub fn of_bits(received: f64, sent: f64) -> Self {
        Self::new([Some(received), Some(sent), None, None, None, None])
    }

    pub fn in_bps(&self) -> Option<f64> {
        self.rate(0)
    }

    pub fn out_bps(&self) -> Option<f64> {
        self.rate(1)
    }

    pub fn in_errors(&self) -> Option<f64> {
        self.rate(2)
    }

    pub fn out_errors(&self) -> Option<f64> {
        self.rate(3)
    }

    pub fn in_discards(&self) -> Option<f64> {
        self.rate(4)
    }

    pub fn out_discards(&self) -> Option<f64> {
        self.rate(5)
    }

    /// The share of the speed that is used, in and out apart: 1 is all of it. Nothing where the speed is not known.
    pub fn utilisation(&self, speed_bps: Option<u64>) -> (Option<f64>, Option<f64>) {
        let share = |bps: Option<f64>| Some(bps? / speed_bps.filter(|s| *s > 0)? as f64);
        (share(self.in_bps()), share(self.out_bps()))
    }

    fn rate(&self, at: usize) -> Option<f64> {
        Some(f64::from(self.0[at])).filter(|rate| !rate.is_nan())
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self([f32::NAN; 6])
    }
}

impl PartialEq for Rates {
    /// Unknown equals unknown.
    fn eq(&self, other: &Self) -> bool {
        self.0.map(f32::to_bits) == other.0.map(f32::to_bits)
    }
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = ["in_bps", "out_bps", "in_errors", "out_errors", "in_discards", "out_discards"];
        let mut out = f.debug_struct("Rates");
        for (at, name) in names.into_iter().enumerate() {
            out.field(name, &self.rate(at));
        }
        out.finish()
    }
}

/// Why there are no rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gap {
    FirstWalk,
    FirstSeen,
    DeviceRestarted,
    AgentRestarted,
    NoClock,
    ClockJumped,
    Discontinuity,
    WidthChanged,
    MayHaveWrapped,
    Reset,
    Jumped,
}

impl Gap {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstWalk => "first walk",
            Self::FirstSeen => "first seen",
            Self::DeviceRestarted => "the device was restarted",
            Self::AgentRestarted => "the agent was restarted",
            Self::NoClock => "the agent has no clock",
            Self::ClockJumped => "the agent's clock jumped",
            Self::Discontinuity => "the counters began anew",
            Self::WidthChanged => "the counters changed their width",
            Self::MayHaveWrapped => "32-bit counters wrap faster than they are read",
            Self::Reset => "the counters were reset",
            Self::Jumped => "the counters jumped",
        }
    }
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long something has been too much: twice in a row makes a problem, three times not ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strain(u8);

impl Strain {
    /// 0: nothing; 1: once; 2: a problem; 3 and 4: a problem that was not seen once, twice.
    #[must_use]
    pub fn after(self, too_much: bool) -> Self {
        Self(match (self.0, too_much) {
            (0, true) => 1,
            (_, true) => 2,
            (2 | 3, false) => self.0 + 1,
            (_, false) => 0,
        })
    }

    pub fn is_problem(self) -> bool {
        self.0 >= 2
    }

    /// As a number, for other forms of it; [`Strain::from_level`] is the way back.
    pub fn level(self) -> u8 {
        self.0
    }

    pub fn from_level(level: u8) -> Option<Self> {
        (level <= 4).then_some(Self(level))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PortView {
    /// Where in `DeviceView::table.ports` it stands.
    pub row: usize,
    pub state: PortState,
    /// Why, where the state alone does not say it ("half duplex"). Fit for the screen: foreign names in it are encoded.
    pub reason: Option<Arc<str>>,
    pub condition: Condition,
    /// When the state was seen to change; `None` while it is what the first walk found.
    pub changed: Option<Timestamp>,
    pub rates: Rates,
    /// Why there are no rates.
    pub gap: Option<Gap>,
    /// Link changes seen in the last hour.
    pub flaps: Flaps,
    /// Whether it was ever seen up since it is watched.
    pub seen_up: bool,
    /// Whether spanning tree was ever seen to let it forward.
    pub forwarded: bool,
    /// What the operator's rules make of it.
    pub role: PortRole,
    pub told_apart: ToldApart,
    /// The fastest speed it was seen up with, in bits per second.
    pub fastest: Option<u64>,
    /// Since when it has been slower than that whenever it was up.
    pub slower_since: Option<Timestamp>,
    pub first_seen: Timestamp,
    /// What makes it part of the network, kept when the link is gone.
    pub ties: Option<Arc<Ties>>,
    pub errors: Strain,
    pub discards: Strain,
}

impl PortView {
    /// A port of which nothing is known but its state.
    pub fn new(row: usize, state: PortState, first_seen: Timestamp) -> Self {
        Self {
            row,
            state,
            reason: None,
            condition: Condition::Ok,
            changed: None,
            rates: Rates::default(),
            gap: None,
            flaps: Flaps::default(),
            seen_up: state == PortState::Up,
            forwarded: false,
            role: PortRole::Plain,
            told_apart: ToldApart::ByLabel,
            fastest: None,
            slower_since: None,
            first_seen,
            ties: None,
            errors: Strain::default(),
            discards: Strain::default(),
        }
    }

    /// Its name does not tell it apart, so its history does not survive a renumbering.
    pub fn is_weak(&self) -> bool {
        matches!(self.told_apart, ToldApart::ByIndex(_))
    }

    /// Times that the link went and came in the last hour.
    pub fn flaps_per_hour(&self) -> usize {
        self.flaps.len() / 2
    }
}

/// A port that the device listed before and does not now. Its history waits for it.
#[derive(Clone, Debug, PartialEq)]
pub struct AbsentPort {
    pub key: PortKey,
    /// As it was last seen.
    pub memory: PortMemory,
    /// A whole walk said so; else the walk was not complete, or the device has just started.
    pub gone: bool,
}

/// Ports that are gone and should not be.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// Which, in words; fit for the screen.
    pub reason: Arc<str>,
    pub since: Timestamp,
}

/// Something that is wrong with a device, by what it says itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub condition: Condition,
    /// Names the thing for good: `BGP 192.0.2.5`, `fan PSU 2`.
    pub what: Box<str>,
    /// How it stands, fit for the screen.
    pub words: Box<str>,
    /// The first walk that found it.
    pub since: Timestamp,
    /// It lasts long enough to be a problem.
    pub firm: bool,
}

/// A device with ports, after a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    pub host: Arc<Host>,
    pub table: Arc<PortTable>,
    /// One for each row of the table, in its order.
    pub ports: Vec<PortView>,
    pub up: usize,
    /// The worst condition of its ports, and of those that are missing.
    pub condition: Condition,
    pub stale: bool,
    /// The device rebooted between the last two walks.
    pub rebooted: bool,
    /// What happened to its ports, newest first; no more than a screenful or two.
    pub events: Arc<[PortEvent]>,
    /// Ports that it lists no more.
    pub absent: Arc<[AbsentPort]>,
    pub missing: Option<Missing>,
    /// What is wrong with it beside its ports, by what it says itself, worst first.
    pub findings: Arc<[Finding]>,
    /// The walk that the next rates are counted from, where that is not this one: it came too soon after it.
    pub counted_from: Option<Arc<PortTable>>,
}

impl DeviceView {
    /// The worst of its ports and of what it says of itself beside them.
    pub fn worst(&self) -> Condition {
        self.firm_findings().map(|finding| finding.condition).fold(self.condition, Condition::max)
    }

    /// A rate of all its ports together; `None` before the second walk, where none has any.
    pub fn total(&self, rate: fn(&Rates) -> Option<f64>) -> Option<f64> {
        self.ports.iter().filter_map(|port| rate(&port.rates)).reduce(|a, b| a + b)
    }

    /// What of the findings is a problem.
    pub fn firm_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.firm)
    }

    /// The port's identity, which outlives this walk.
    pub fn key(&self, row: usize) -> Option<PortKey> {
        let told_apart = self.ports.get(row)?.told_apart;
        Some(PortKey { label: self.table.ports.get(row)?.label().clone(), told_apart })
    }

    /// Where that port stands now.
    pub fn row(&self, key: &PortKey) -> Option<usize> {
        let label = key.label.as_bytes();
        let is_it =
            |(seen, port): (&PortView, &Port)| seen.told_apart == key.told_apart && port.label().as_bytes() == label;
        self.ports.iter().zip(&self.table.ports).position(is_it)
    }

    /// Since when the port has had no link, at least: what was seen, or what the device says itself where it says more.
    /// `None` while it has one, and where a port without a link is not a free port.
    pub fn idle_since(&self, row: usize) -> Option<Timestamp> {
        let (seen, port) = (self.ports.get(row)?, self.table.ports.get(row)?);
        if !matches!(seen.state, PortState::NoLink | PortState::LinkLost) {
            return None;
        }
        let started = self.table.device.uptime.map(|up| self.table.collected_at.minus(up)).filter(|_| port.as_started);
        let said = port.last_change.or(started);
        let watched = if seen.seen_up { seen.changed } else { Some(seen.first_seen) };
        match (watched, said) {
            // A restart of the device moves what it says itself, and nothing that was seen.
            (Some(watched), Some(said)) => Some(watched.min(said)),
            (watched, said) => watched.or(said),
        }
    }

    /// What has to be known of its ports after a restart of noctty.
    pub fn remembered(&self) -> RememberedDevice {
        let present =
            self.ports.iter().enumerate().filter_map(|(row, seen)| Some((self.key(row)?, self.memory(seen)?)));
        RememberedDevice {
            host: self.host.id.clone(),
            at: self.table.collected_at,
            uptime: self.table.device.uptime,
            engine: self.table.device.engine,
            name: self.table.device.name.clone(),
            chassis: self.table.equipment.chassis_macs(),
            ports: present.chain(self.absent.iter().map(|gone| (gone.key.clone(), gone.memory.clone()))).collect(),
            events: self.events.to_vec(),
        }
    }

    /// What is carried from this walk of a port to the next.
    pub fn memory(&self, seen: &PortView) -> Option<PortMemory> {
        Some(PortMemory {
            state: seen.state,
            index: self.table.ports.get(seen.row)?.index,
            first_seen: seen.first_seen,
            changed: seen.changed,
            seen_up: seen.seen_up,
            forwarded: seen.forwarded,
            fastest_bps: seen.fastest,
            slower_since: seen.slower_since,
            flaps: seen.flaps.clone(),
            ties: seen.ties.clone(),
            absent: None,
            missed: false,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Pending,
    /// Waits for the operator's word, or is deliberately not read.
    Waiting,
    Ok,
    /// Past 80 % of the RPO target.
    AtRisk,
    /// Past the RPO target.
    Breach,
    Missed,
    Locked,
    Failed,
    Corrupt,
    Warning,
    Unknown,
}

impl JobState {
    /// The word on the screen and in `noctty.backups/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Ok => "ok",
            Self::AtRisk => "at-risk",
            Self::Breach => "rpo-breach",
            Self::Missed => "missed",
            Self::Locked => "locked",
            Self::Failed => "failed",
            Self::Corrupt => "corrupt",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct JobView {
    pub job: Arc<Job>,
    pub state: JobState,
    pub condition: Condition,
    pub since: Timestamp,
    /// The headline in words ("newest restore point 31 h old, target 26 h").
    pub reason: Untrusted,
    /// All findings, the headline first.
    pub findings: Vec<Untrusted>,
    /// The last report that could be had; kept, with its age, when a look fails.
    pub report: Option<Arc<BackupReport>>,
    /// The newest usable restore point.
    pub newest: Option<Timestamp>,
    /// The next scheduled run, and the last one that should have been.
    pub next_expected: Option<Timestamp>,
    pub last_expected: Option<Timestamp>,
    pub check: Option<CheckView>,
    pub stale: bool,
    /// When this verdict may change without a new look (a run falls due, an RPO is reached).
    pub review_at: Option<Timestamp>,
    pub care: Care,
}
