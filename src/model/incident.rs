//! Incidents and their journal. Entries are never changed or removed: a correction is a new entry.

use std::fmt;
use std::sync::Arc;

use crate::base::{Timestamp, Untrusted};

/// `INC-7`: short enough to say on the phone, unique in one state directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidentId(pub u32);

impl IncidentId {
    /// Of entries that belong to no incident.
    pub const NONE: Self = Self(0);

    /// Accepts `INC-7`, `inc-7` and `7`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("INC-").or_else(|| text.strip_prefix("inc-")).unwrap_or(text);
        digits.parse().ok().filter(|n| *n > 0).map(Self)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

/// How bad it is for those outside: SEV1 is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    Sev1,
    Sev2,
    Sev3,
    Sev4,
    Sev5,
}

impl Urgency {
    pub const ALL: [Self; 5] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4, Self::Sev5];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
            Self::Sev5 => "SEV5",
        }
    }

    /// Accepts `SEV2`, `sev2` and `2`.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let digit = lower.strip_prefix("sev").unwrap_or(&lower);
        Self::ALL.into_iter().find(|u| u.as_str().ends_with(digit) && digit.len() == 1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentStatus {
    Open,
    Closed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    pub id: IncidentId,
    pub title: Untrusted,
    pub urgency: Urgency,
    pub status: IncidentStatus,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// In the order of the journal: by ULID, which grows with every entry saved.
    pub entries: Vec<Arc<Entry>>,
    /// What is wrong with the stored chain, in words; empty where it is whole.
    pub damage: Vec<String>,
}

impl Incident {
    /// The last word on each role, `IC: ops1`, in the order in which they were first given.
    pub fn roles(&self) -> Vec<String> {
        let mut roles: Vec<(String, String)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == EntryKind::Role) {
            let line = entry.text.line();
            let name = line.split_once(": ").map_or(line.as_str(), |(name, _)| name).to_owned();
            match roles.iter_mut().find(|(known, _)| *known == name) {
                Some((_, last)) => *last = line,
                None => roles.push((name, line)),
            }
        }
        roles.into_iter().map(|(_, line)| line).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    Opened,
    Note,
    Decision,
    Action,
    Hypothesis,
    /// Somebody took it on; the author owns it.
    Acknowledged,
    /// A role was taken or given; the text names it.
    Role,
    /// Written by the console itself when a state changed.
    State,
    Closed,
    /// Of no incident: somebody took a problem on.
    Claimed,
    /// Of no incident: a claim ended, by hand or by itself.
    Released,
    /// Of no incident: a maintenance window was ordered.
    MaintenanceOrdered,
    /// Of no incident: a maintenance window was taken back.
    MaintenanceCancelled,
    /// Of no incident: all polling was stopped.
    Paused,
    /// Of no incident: polling goes on.
    Resumed,
}

impl EntryKind {
    pub const ALL: [Self; 15] = [
        Self::Opened,
        Self::Note,
        Self::Decision,
        Self::Action,
        Self::Hypothesis,
        Self::Acknowledged,
        Self::Role,
        Self::State,
        Self::Closed,
        Self::Claimed,
        Self::Released,
        Self::MaintenanceOrdered,
        Self::MaintenanceCancelled,
        Self::Paused,
        Self::Resumed,
    ];

    /// Belongs to no incident: what was done about problems.
    pub fn is_deed(self) -> bool {
        matches!(
            self,
            Self::Claimed
                | Self::Released
                | Self::MaintenanceOrdered
                | Self::MaintenanceCancelled
                | Self::Paused
                | Self::Resumed
        )
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Note => "note",
            Self::Decision => "decision",
            Self::Action => "action",
            Self::Hypothesis => "hypothesis",
            Self::Acknowledged => "acknowledged",
            Self::Role => "role",
            Self::State => "state",
            Self::Closed => "closed",
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::MaintenanceOrdered => "maintenance-ordered",
            Self::MaintenanceCancelled => "maintenance-cancelled",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// One line of the journal, on disk before anybody sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// ULID, 26 characters.
    pub id: Arc<str>,
    pub incident: IncidentId,
    /// The process that wrote it (one hash chain each), ULID.
    pub writer: Arc<str>,
    /// Counts from 1 within the writer.
    pub sequence: u64,
    /// Wall clock, UTC.
    pub at: Timestamp,
    pub kind: EntryKind,
    pub author: Untrusted,
    pub text: Untrusted,
    /// What it is about, where it was written on a selected object.
    pub about: Option<Untrusted>,
}
