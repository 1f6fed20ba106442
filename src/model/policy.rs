//! Conditions of things, and the few numbers by which the reducer decides.

use std::time::Duration;

use super::flap::FlapFormula;

/// How a host, a check, a port or a job stands. Freshness is another axis: see `state`'s views.
/// The order is the order of concern: a problem list sorts by it, greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// Deliberately not looked at, with a reason.
    NotProbed,
    Ok,
    /// Never answered and never checked yet.
    Pending,
    /// Everything it hangs on is down: nothing can be said about it.
    Unreachable,
    Unknown,
    Warning,
    /// Critical, or down.
    Critical,
}

impl Condition {
    /// As JSON and messages have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
            Self::Pending => "pending",
            Self::NotProbed => "not-probed",
        }
    }

    pub fn is_problem(self) -> bool {
        matches!(self, Self::Warning | Self::Critical | Self::Unknown)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// A result is stale when older than this many intervals (and at least one interval and a timeout).
    pub stale_after_intervals: u32,
    /// How long a restored or lost state may be shown before it is stale at the least.
    pub stale_floor: Duration,
    /// A host that never answered counts as down. The console says "never seen" instead, since it may
    /// just be asked in a way it does not answer; a single headless cycle has nothing else to say.
    pub never_seen_is_down: bool,
    /// How long a silent host may at most wait to hear whether a parent is to blame; nothing where nobody asks
    /// the parents again.
    pub longest_wait: Duration,
    /// How flapping is told; `None` where it is not.
    pub flapping: Option<FlapFormula>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            stale_after_intervals: 2,
            stale_floor: Duration::from_secs(15),
            never_seen_is_down: false,
            longest_wait: Duration::from_secs(60),
            flapping: Some(FlapFormula::ICINGA),
        }
    }
}
