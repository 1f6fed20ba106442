//! What may be seen of one host, device, port or backup job: immutable, shared, complete enough to be
//! drawn, printed or exported without asking anybody else.

use std::sync::Arc;

use crate::base::{Timestamp, Untrusted};
use crate::model::{BackupReport, CheckSpec, Condition, Host, Job, Observation, PortTable};

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
    /// The last result is older than it may be.
    pub stale: bool,
    /// The last result came from the store at start, not from this run.
    pub restored: bool,
}

impl CheckView {
    /// A bad result that is not yet believed.
    pub fn is_soft(&self) -> bool {
        self.attempt > 0 && self.attempt < self.spec.attempts
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
}

impl HostView {
    /// The newest value of a metric over all checks.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.checks.iter().find_map(|c| c.metric(name))
    }

    /// When the newest result came in.
    pub fn last_result(&self) -> Option<Timestamp> {
        self.checks.iter().filter_map(|c| c.last.as_ref().map(|o| o.at)).max()
    }
}

/// The port vocabulary. `Up` may carry a reason, then the port counts as a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortState {
    Up,
    AdminDown,
    /// It was up since we watch, and is not now.
    LinkLost,
    /// Down, and never seen up.
    NoLink,
    ErrDisabled,
    LowerLayerDown,
    Dormant,
    MissingModule,
    Testing,
    Unknown,
}

impl PortState {
    /// The word on the screen and in `noctty.ports/1`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::AdminDown => "admin-down",
            Self::LinkLost => "link-lost",
            Self::NoLink => "no-link",
            Self::ErrDisabled => "err-disabled",
            Self::LowerLayerDown => "lower-layer-down",
            Self::Dormant => "dormant",
            Self::MissingModule => "missing-module",
            Self::Testing => "testing",
            Self::Unknown => "unknown",
        }
    }
}

/// Rates between the last two walks, by the agent's own clock; per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    pub in_bps: Option<f64>,
    pub out_bps: Option<f64>,
    pub in_errors: Option<f64>,
    pub out_errors: Option<f64>,
    pub in_discards: Option<f64>,
    pub out_discards: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PortView {
    /// Where in `DeviceView::table.ports` it stands.
    pub row: usize,
    pub state: PortState,
    /// Why, where the state alone does not say it ("half duplex").
    pub reason: Option<Arc<str>>,
    pub condition: Condition,
    /// When the state was seen to change; `None` while it is what the first walk found.
    pub changed: Option<Timestamp>,
    pub rates: Rates,
    /// Why there are no rates ("first walk", "counters were reset").
    pub gap: Option<&'static str>,
    /// Link changes seen in the last hour, newest last.
    pub flaps: Vec<Timestamp>,
    /// Whether it was ever seen up since it is watched.
    pub seen_up: bool,
    /// The fastest speed it was seen up with, in bits per second.
    pub fastest: Option<u64>,
}

/// A device with ports, after a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    pub host: Arc<Host>,
    pub table: Arc<PortTable>,
    /// One for each row of the table, in its order.
    pub ports: Vec<PortView>,
    pub up: usize,
    /// The worst condition of its ports.
    pub condition: Condition,
    pub stale: bool,
    /// The device rebooted between the last two walks.
    pub rebooted: bool,
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
}
