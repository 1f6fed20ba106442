//! Maintenance windows: what is being worked on, from when to when. In one, problems are shown and counted apart, and
//! nothing is announced.

use std::sync::Arc;
use std::time::Duration;

use super::backup::Schedule;
use super::host::AssetId;
use crate::base::{Timestamp, Untrusted};

/// What is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One host with its checks and ports, or one backup job.
    Asset(AssetId),
    Tag(Arc<str>),
    Group(Arc<str>),
    Site(Arc<str>),
    /// A host and everything that hangs on nothing else.
    Behind(AssetId),
}

/// When.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// Steady times, once the journal or the configuration has been read.
    Once { from: Timestamp, until: Timestamp },
    /// From each moment of the schedule on, in its own time zone.
    Recurring { schedule: Schedule, lasts: Duration },
}

/// What somebody orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub scope: Scope,
    pub span: Span,
    /// It begins only when something goes bad within the span, and lasts this long from then on.
    pub flexible: Option<Duration>,
    pub note: Untrusted,
}

impl Order {
    /// Since when it will never be open again; a flexible one may begin at the end of its window.
    pub fn over_since(&self, now: Timestamp) -> Option<Timestamp> {
        match self.span {
            Span::Once { until, .. } => Some(until.plus(self.flexible.unwrap_or_default())).filter(|end| *end <= now),
            Span::Recurring { .. } => None,
        }
    }
}

/// An order that stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Maintenance {
    /// The journal's entry, a ULID; `config:1` and so on where the configuration has it.
    pub id: Arc<str>,
    pub author: Untrusted,
    pub order: Order,
}
