//! What one run of one check found.

use std::sync::Arc;
use std::time::Duration;

use super::backup::{BackupFailure, BackupReport};
use super::check::CheckKey;
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
