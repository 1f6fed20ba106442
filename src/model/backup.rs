//! Backup jobs and what is known of them. Words as in `docs/`: RPO actual, restore point, missed, stale.

use std::sync::Arc;
use std::time::Duration;

use super::host::{AssetId, Origin};
use crate::base::{Timestamp, Untrusted};

/// When a job should run: a five-field cron expression in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub cron: Arc<str>,
    /// IANA name; `UTC` where none was given.
    pub timezone: Arc<str>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: AssetId,
    pub name: Arc<str>,
    /// The row of the backup sources' table: `restic`, `borg`.
    pub kind: Arc<str>,
    /// As the user wrote it; never with a password in it (those are cut out when it is read).
    pub repository: Arc<str>,
    pub protects: Vec<AssetId>,
    pub schedule: Option<Schedule>,
    /// How late a run may start before it is missed.
    pub grace: Option<Duration>,
    /// Recovery point objective: the most data, as time, that may be lost.
    pub rpo: Option<Duration>,
    /// Recovery time objective.
    pub rto: Option<Duration>,
    pub origin: Origin,
    /// Why it is not read, in words.
    pub not_probed: Option<Arc<str>>,
    /// As [`super::Host::runbook`].
    pub runbook: Option<Arc<str>>,
}

/// A state of the data one can go back to.
#[derive(Clone, Debug, PartialEq)]
pub struct RestorePoint {
    /// The tool's own identifier.
    pub id: Untrusted,
    /// The moment the data is consistent with.
    pub at: Timestamp,
    pub host: Untrusted,
    pub paths: Vec<Untrusted>,
    pub tags: Vec<Untrusted>,
    /// Logical size where the tool says it.
    pub bytes: Option<u64>,
}

/// A lock that was found on a repository.
#[derive(Clone, Debug, PartialEq)]
pub struct LockState {
    pub exclusive: bool,
    pub holder: Untrusted,
    pub since: Option<Timestamp>,
    /// Older than the tool's own rule for a living lock, or its process is gone.
    pub stale: bool,
}

/// What one look at a repository showed.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupReport {
    pub collected_at: Timestamp,
    /// Newest first; bounded.
    pub points: Vec<RestorePoint>,
    pub total_points: usize,
    pub locks: Vec<LockState>,
    pub tool_version: Option<Untrusted>,
    /// What the tool itself reports as broken in the repository; foreign text.
    pub damage: Vec<Untrusted>,
    pub warnings: Vec<String>,
}

impl BackupReport {
    pub fn newest(&self) -> Option<&RestorePoint> {
        self.points.first()
    }
}

/// Why a repository could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackupFailure {
    /// The tool is not installed, or cannot be started.
    Tool,
    /// There is no repository at that place.
    Missing,
    /// A password is wrong or cannot be had.
    Credentials,
    /// Files or objects may not be read.
    Permission,
    Locked,
    /// The other side does not answer.
    Unreachable,
    TimedOut,
    /// The tool says that the repository is broken.
    Damaged,
    /// The tool refuses the repository for safety (moved, or unknown and unencrypted).
    Refused,
    /// The tool's answer makes no sense.
    Unreadable,
    /// The tool failed for another reason.
    Failed,
}
