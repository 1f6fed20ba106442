//! What one run of one check found.

use std::sync::Arc;
use std::time::Duration;

use super::backup::{BackupFailure, BackupReport};
use super::check_key::CheckKey;
use super::port::PortTable;
use super::vitals::Vitals;
use crate::base::{Timestamp, Untrusted};

/// The verdict of one run, before attempts, dependencies and maintenance are considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Ok,
    Warning,
    Critical,
    /// The check ran and could not decide, or could not run at all.
    Unknown,
}

impl Outcome {
    /// As JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }

    /// How bad it is beside others: a problem that is known outranks one that is not.
    pub fn rank(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Unknown => 1,
            Self::Warning => 2,
            Self::Critical => 3,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Count,
    Percent,
    Seconds,
    /// Seconds since 1970-01-01 UTC: a moment, not a span.
    UnixSeconds,
    Bytes,
    BitsPerSecond,
    PerSecond,
}

impl Unit {
    /// How far inside its limit a number has to be until it is well again: 5 points of a percentage (the whole of a lesser
    /// limit), a tenth of anything else; a moment has no inside.
    pub fn slack(self, limit: f64) -> f64 {
        match self {
            Self::Percent => 5f64.min(limit.abs()),
            Self::UnixSeconds => 0.0,
            Self::Count | Self::Seconds | Self::Bytes | Self::BitsPerSecond | Self::PerSecond => limit.abs() * 0.1,
        }
    }
}

/// One number of an observation. Names are stable: `load1`, `memory`, `rtt`, `loss`, `disk:/var`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: Arc<str>,
    pub value: f64,
    pub unit: Unit,
}

impl Metric {
    pub fn new(name: &str, value: f64, unit: Unit) -> Self {
        Self { name: Arc::from(name), value, unit }
    }
}

/// Structured findings that panes show as more than a line.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Facts {
    #[default]
    None,
    Ports(Arc<PortTable>),
    Vitals(Arc<Vitals>),
    Backup(Arc<BackupReport>),
    /// The repository could not be read.
    NoBackup(BackupFailure),
}

/// What a probe returns: the verdict, a line in words, numbers and facts. A failed probe is a
/// reading too, not an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub outcome: Outcome,
    /// One line; may quote foreign text, so it is shown through an encoder only.
    pub summary: Untrusted,
    pub metrics: Vec<Metric>,
    pub facts: Facts,
    /// What was tried, step by step, for the detail view.
    pub log: Vec<Untrusted>,
}

impl Reading {
    pub fn new(outcome: Outcome, summary: impl Into<Untrusted>) -> Self {
        Self { outcome, summary: summary.into(), metrics: Vec::new(), facts: Facts::None, log: Vec::new() }
    }

    pub fn ok(summary: impl Into<Untrusted>) -> Self {
        Self::new(Outcome::Ok, summary)
    }

    pub fn warning(summary: impl Into<Untrusted>) -> Self {
        Self::new(Outcome::Warning, summary)
    }

    pub fn critical(summary: impl Into<Untrusted>) -> Self {
        Self::new(Outcome::Critical, summary)
    }

    pub fn unknown(summary: impl Into<Untrusted>) -> Self {
        Self::new(Outcome::Unknown, summary)
    }

    #[must_use]
    pub fn metric(mut self, name: &str, value: f64, unit: Unit) -> Self {
        self.metrics.push(Metric::new(name, value, unit));
        self
    }

    /// As [`Reading::metric`], with a name that many share.
    #[must_use]
    pub fn measured(mut self, name: &Arc<str>, value: f64, unit: Unit) -> Self {
        self.metrics.push(Metric { name: name.clone(), value, unit });
        self
    }

    #[must_use]
    pub fn log(mut self, line: impl Into<Untrusted>) -> Self {
        self.log.push(line.into());
        self
    }

    #[must_use]
    pub fn facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }
}

/// A reading with its place in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub check: CheckKey,
    /// When the run ended.
    pub at: Timestamp,
    pub took: Duration,
    pub reading: Reading,
}
