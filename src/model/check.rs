//! Checks: what is asked of whom, how often. The probes themselves live in `probe` and `backup`.

use std::sync::Arc;
use std::time::Duration;

use super::check_key::CheckKey;
use super::observation::{Observation, Outcome};

/// What goes over the wire for one check, for `noctty plan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// `ICMP echo`, `TCP connect`, `SNMP v2c GETBULK`, `local files`.
    pub protocol: Arc<str>,
    /// Where to, with the port; empty for what does not leave the machine.
    pub destination: Arc<str>,
}

/// What the reducer and the scheduler need to know of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    pub key: CheckKey,
    /// The row of the probe's table.
    pub kind: Arc<str>,
    pub interval: Duration,
    pub timeout: Duration,
    /// While a problem is soft, and with it fast: how soon to look again.
    pub retry_interval: Duration,
    /// How many bad results in a row make a problem hard. At least 1.
    pub attempts: u8,
    /// A good result proves that the host is up, and when all such checks are critical it is down. While
    /// another one answers, a critical one means only that this protocol gets no answer (of `ssh`, that nobody can log in).
    pub decides_reachability: bool,
    /// A good result came from the host itself, and so it lives: not what a program found out in its own way, or another host said.
    pub speaks_for_host: bool,
    /// Never asked faster than `interval`, whatever is focused or failing (SSH log-in protection).
    pub fixed_pace: bool,
    /// Costly, and about what changes slowly: asked half as often once it was good for long.
    pub eases: bool,
    /// Every result that is not good is an event of its own: believed at once, and told each time.
    pub volatile: bool,
    /// Where it is written what to do when it is bad: a link, or the path of a file.
    pub runbook: Option<Arc<str>>,
    /// Not started until the user says so, with the reason ("asks for a password command").
    pub waits_for: Option<Arc<str>>,
    pub wire: Wire,
}

/// A walk of a device's tables may take this part of the time from one to the next, whatever its interval is.
const WALK_SHARE: u32 = 4;

/// How long something must have been good before it is asked less often, and how much less.
pub const EASES_AFTER: Duration = Duration::from_secs(6 * 3_600);
pub const EASED: u32 = 2;

impl CheckSpec {
    /// What most tests take for a check of that kind; they write down what they are about.
    #[cfg(test)]
    pub fn sample(subject: crate::model::Subject, kind: &str) -> Self {
        Self {
            key: CheckKey { subject, name: kind.into() },
            kind: kind.into(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(2),
            retry_interval: Duration::from_secs(1),
            attempts: 3,
            decides_reachability: false,
            speaks_for_host: true,
            fixed_pace: false,
            eases: false,
            volatile: false,
            runbook: None,
            waits_for: None,
            wire: Wire { protocol: "test".into(), destination: "".into() },
        }
    }

    /// From one run to the next in its own rhythm.
    pub fn pace(&self, eased: bool) -> Duration {
        if eased { self.interval * EASED } else { self.interval }
    }

    /// From the begin of such a run to that of the next, at least: walks that take long stretch their interval. What brought no
    /// table is told by its timeout, not by the device's pace.
    pub fn rest_after(&self, last: &Observation) -> Duration {
        let walked = &*self.kind == "ports" && matches!(last.reading.outcome, Outcome::Ok | Outcome::Warning);
        if walked { last.took.saturating_mul(WALK_SHARE) } else { Duration::ZERO }
    }

    /// How often it runs after such a run.
    pub fn interval_after(&self, last: &Observation, eased: bool) -> Duration {
        self.pace(eased).max(self.rest_after(last))
    }
}
