//! The published whole: one `Arc` per host, device and job, so that a new snapshot shares everything
//! that did not change with the one before.

use std::sync::Arc;

use super::view::{DeviceView, HostView, JobView};
use crate::base::{Timestamp, Untrusted};
use crate::model::{AssetId, Condition, Incident, IncidentStatus, Session};

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

    /// The incident that the header shows: the newest open one.
    pub fn open_incident(&self) -> Option<&Arc<Incident>> {
        self.incidents.iter().find(|i| i.status == IncidentStatus::Open)
    }
}
