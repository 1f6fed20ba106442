//! A silent host and what it hangs on. When a parent dies, its children are often noticed first; listed as DOWN
//! they would hide the one cause. So a silent host waits, for a bounded time, until each of its parents is found
//! down or has answered after the host fell silent; a parent that has not been asked since is asked at once.
//!
//! ```text
//!                        every parent down ──────────────► UNREACHABLE
//! silent, hard ─┬─ some parent answered since ───────────► DOWN, at once
//!               └─ neither yet ─── waits ──┬─ (verdict) ─► as above
//!                                          └─ (time) ────► DOWN
//! UNREACHABLE, a parent is back ── asked anew ─┬─ answers ───────────────────────► UP
//!                                              └─ as many bad results as ever ──► DOWN
//! ```
//!
//! A host's own checks are heard in the same way: while one of them gets no answer any more and another has not been
//! asked since, nothing is said yet about the host; and what comes back is asked by all its checks anew. A service of it that
//! gets no answer is in *doubt* until something that proves life has answered since: else the host or what it hangs on is to
//! blame, and the service is asked anew when that is back.
//!
//! A host without parents never waits for others. Results from before this run convict nobody; who was seen alive
//! then is asked before anybody is blamed.

use std::sync::Arc;
use std::time::Duration;

use super::life::{signs_of_life, tells};
use crate::base::Timestamp;
use crate::model::{CheckKey, CheckSpec, Condition, Observation, Outcome, Told};
use crate::state::view::{CheckView, HostView};

/// Beyond what its checks need by themselves: queues, and a schedule that spreads many at once.
const SLACK: Duration = Duration::from_secs(5);

/// How a host stands with its parents; kept beside its view.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// Since when something that proves life gets no answer; `None` while all of it does.
    pub wavering: Option<Timestamp>,
    /// Since when something that proves no life is bad, with no proof of life since.
    pub doubt: Option<Timestamp>,
    /// Since when nothing that proves life answers; `None` while something does.
    pub silent_since: Option<Timestamp>,
    /// Until when the verdict may wait; set once in each silence.
    pub patience: Option<Timestamp>,
    /// The verdict waits at this moment.
    pub waits: bool,
    /// When waiting ends by itself; `None` where it ends with somebody else's.
    pub wakes: Option<Timestamp>,
    /// What it hung on is back: what was found before says nothing about the host itself.
    pub acquittal: Option<Acquittal>,
    /// What people were told of it.
    pub told: Told,
    /// That is how this run found it, and nothing was told since: what an earlier run knows of it is better.
    pub found: bool,
    /// When it came back: what its checks found before that says nothing of it now.
    pub back: Option<Timestamp>,
    /// Checks that are bad and say nothing of the host yet, by their places.
    pub withheld: Vec<usize>,
    /// The check that has just brought a bad result which is told though it is no change.
    pub event: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquittal {
    pub at: Timestamp,
    pub until: Timestamp,
    /// Bad results of runs that began since.
    pub bad: u8,
}

/// What a parent's state says about a child that fell silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Testimony {
    Down,
    /// Silent itself, and waiting for its own parents.
    Waits,
    /// Its problem is still soft.
    Suspected,
    /// Not asked since the child fell silent.
    Unasked,
    /// It answered since, or nothing can be learned by asking it.
    Clear,
}

/// Who is to blame for a silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The host itself.
    Alone,
    /// All parents are down; this one on top.
    Behind(Arc<str>),
    /// Not known yet; this parent may be.
    Unclear(Arc<str>),
    /// This parent is back, and the host was not asked often enough since.
    Acquitted(Arc<str>),
}

impl Lineage {
    /// Takes in what the host's checks say now; true where the host has fallen silent with this.
    pub fn hear(&mut self, view: &HostView) -> bool {
        self.wavering = self.wavering.or_else(|| first_silence(view)).filter(|_| first_silence(view).is_some());
        let Some(since) = silence(view) else {
            let Self { wavering, doubt, waits, told, found, back, withheld, .. } = std::mem::take(self);
            *self = Self { wavering, doubt, waits, told, found, back, withheld, ..Self::default() };
            return false;
        };
        let begins = self.silent_since.is_none();
        self.silent_since.get_or_insert(since);
        begins
    }

    /// Takes in a result of a check that proves no life and was not known to be bad; true where proof of life is wanted now.
    pub fn doubts(&mut self, view: &HostView, observation: &Observation) -> bool {
        // What an earlier run saw alive is asked before anybody is blamed.
        let proven = |check: &CheckView| check.condition == Condition::Ok && (check.restored || !check.stale);
        let known = view.checks.iter().any(|c| c.spec.decides_reachability && may_be_asked(&c.spec) && proven(c));
        if self.doubt.is_some() || !is_silence(observation) {
            return false;
        }
        if known || self.silent_since.is_some() {
            self.doubt = Some(began(observation));
        }
        // Who wavers is being asked already.
        known && self.wavering.is_none()
    }

    /// Something that proves life answers; since when its services were in doubt until now.
    pub fn lives(&mut self, observation: &Observation) -> Option<Timestamp> {
        self.doubt.take_if(|doubt| began(observation) >= *doubt)
    }

    /// Which services are in doubt: those that are bad since then. As long as it may take until the host is found down.
    pub fn doubt(&self, view: &HostView, at: Timestamp) -> Option<Timestamp> {
        self.doubt.filter(|since| at < since.plus(time_to_verdict(view)))
    }

    /// What the host hung on is back: the silence counts from anew, if it goes on.
    pub fn acquit(&mut self, at: Timestamp, until: Timestamp) {
        self.acquittal = Some(Acquittal { at, until, bad: 0 });
        self.silent_since = None;
        self.patience = None;
    }

    /// Counts a bad result after an acquittal; true where the check should be asked again soon.
    pub fn count(&mut self, spec: &CheckSpec, observation: &Observation) -> bool {
        let Some(acquittal) = &mut self.acquittal else { return false };
        let bad = observation.reading.outcome == Outcome::Critical && began(observation) >= acquittal.at;
        if !spec.decides_reachability || !bad {
            return false;
        }
        acquittal.bad = acquittal.bad.saturating_add(1);
        acquittal.bad < spec.attempts
    }

    /// Until when an acquittal holds: not where new results convict the host, nor when none came for too long.
    pub fn acquitted(&mut self, view: &HostView, at: Timestamp) -> Option<Timestamp> {
        let attempts = signs_of_life(&view.checks).map(|c| c.spec.attempts).max().unwrap_or(1);
        self.acquittal = self.acquittal.filter(|acquittal| at < acquittal.until && acquittal.bad < attempts);
        self.acquittal.map(|acquittal| acquittal.until)
    }
}

/// Since when nothing that proves life answers, by results of this run; `None` where something does.
fn silence(view: &HostView) -> Option<Timestamp> {
    let mut latest = None;
    for check in signs_of_life(&view.checks) {
        match last(check) {
            Some(o) => latest = latest.max(Some(Some(o).filter(|o| is_silence(o))?.at)),
            // An earlier run had no answer either, and this one has not asked all of them yet.
            None if check.restored && check.condition == Condition::Critical => {}
            None => return None,
        }
    }
    latest
}

/// When the first of the checks that prove life and get no answer now was found so; `None` where all get one.
fn first_silence(view: &HostView) -> Option<Timestamp> {
    let life = signs_of_life(&view.checks).filter_map(|check| last(check));
    life.filter(|o| is_silence(o)).map(|o| o.at).min()
}

/// The checks that should be asked at once while the host is wavering: those that answered before it was. So a host
/// that died is found down without waiting for each check's turn.
pub fn siblings(view: &HostView, wavering: Timestamp) -> impl Iterator<Item = &CheckKey> {
    let asked = move |check: &&CheckView| is_unasked(check, wavering) && check.attempt == 0;
    view.checks.iter().filter(asked).map(|check| &check.spec.key)
}

/// Whether a check of a wavering host may still show it to be down: its own problem is soft, or it is about to be asked.
pub fn is_open(check: &CheckView, wavering: Timestamp) -> bool {
    let soft = check.is_soft() && last(check).is_some_and(|o| is_silence(o));
    check.spec.decides_reachability && (soft || is_unasked(check, wavering))
}

fn is_unasked(check: &CheckView, wavering: Timestamp) -> bool {
    let old = match &check.last {
        // What an earlier run saw, and did not believe to be bad.
        Some(o) if check.restored => answers(o) || !check.condition.is_problem(),
        Some(o) => answers(o) && began(o) < wavering && !check.stale,
        None => false,
    };
    check.spec.decides_reachability && old && may_be_asked(&check.spec)
}

/// `down` and `waits` are the parent's own.
pub fn testimony(parent: &HostView, down: bool, waits: bool, silent_since: Timestamp) -> Testimony {
    if down {
        return Testimony::Down;
    }
    if waits {
        return Testimony::Waits;
    }
    // Begun after the child fell silent: an answer under way at that moment may have left a living parent.
    let since = |check: &CheckView| last(check).filter(|o| began(o) >= silent_since).cloned();
    let mut life = signs_of_life(&parent.checks);
    let speaks = |check: &&CheckView| check.spec.speaks_for_host;
    if parent.checks.iter().filter(speaks).any(|check| since(check).is_some_and(|o| answers(&o))) {
        Testimony::Clear
    } else if life.clone().any(CheckView::is_soft) {
        Testimony::Suspected
    } else if !life.any(|check| since(check).is_some()) && askable(parent).next().is_some() {
        Testimony::Unasked
    } else {
        Testimony::Clear
    }
}

/// The checks that can be asked for life out of turn.
pub fn askable(view: &HostView) -> impl Iterator<Item = &CheckKey> {
    let life = signs_of_life(&view.checks);
    life.filter(|check| may_be_asked(&check.spec)).map(|check| &check.spec.key)
}

fn may_be_asked(spec: &CheckSpec) -> bool {
    !spec.fixed_pace && spec.waits_for.is_none()
}

/// How long asking a host until its problem is hard may take.
pub fn time_to_verdict(view: &HostView) -> Duration {
    let life = signs_of_life(&view.checks);
    let quick = life.clone().filter(|check| !check.spec.fixed_pace).map(|check| {
        let spec = &check.spec;
        (spec.timeout + spec.retry_interval) * u32::from(spec.attempts)
    });
    // One that keeps its own pace is waited for once.
    let slow = life.map(|check| check.spec.interval + check.spec.interval / 10 + check.spec.timeout);
    quick.max().or(slow.min()).unwrap_or_default() + SLACK
}

pub(super) fn began(observation: &Observation) -> Timestamp {
    observation.at.minus(observation.took)
}

fn answers(observation: &Observation) -> bool {
    matches!(observation.reading.outcome, Outcome::Ok | Outcome::Warning) || tells(&observation.reading.facts)
}

/// Nothing came, as far as this result tells: a value that is critical was told by somebody.
fn is_silence(observation: &Observation) -> bool {
    observation.reading.outcome == Outcome::Critical && !tells(&observation.reading.facts)
}

pub(super) fn last(check: &CheckView) -> Option<&Arc<Observation>> {
    check.last.as_ref().filter(|_| !check.restored)
}
