//! A resolver that does not answer as a cause: a target that is known by its name only, and whose address was never
//! found, is not asked at all. Nothing was learned about it: it keeps its last known condition and is stale, or it was never
//! seen, and one problem stands for all of these. What has an address is seen as ever.
//!
//! Whether names can be resolved is told by all look-ups together, outside. A single name that does not exist is its host's own
//! problem.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::model::{Condition, Host, Observation, Origin, Outcome};
use crate::state::event::Effect;
use crate::state::reduce::{HostSlot, State};
use crate::state::rules::life::signs_of_life;
use crate::state::rules::parents::askable;
use crate::state::snapshot::{Blindness, Cause};
use crate::state::view::CheckView;

/// Names cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nameless {
    since: Timestamp,
    why: Arc<str>,
}

impl State {
    /// That names cannot be resolved, in words, if it is known to be so.
    pub fn nameless(&self) -> Option<&Arc<str>> {
        self.sight.nameless.as_ref().map(|nameless| &nameless.why)
    }

    /// Names cannot be resolved any more, for this reason, or can again.
    pub(in crate::state::reduce) fn take_resolver(
        &mut self,
        at: Timestamp,
        lost: Option<Arc<str>>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(why) = lost {
            let since = self.sight.nameless.as_ref().map_or(at, |nameless| nameless.since);
            self.sight.nameless = Some(Nameless { since, why });
            for row in self.unnamed() {
                self.forget_unheard(at, row);
                self.judge_host(at, row, effects);
            }
        } else if self.sight.nameless.is_some() {
            let unnamed = self.unnamed();
            self.sight.nameless = None;
            for row in unnamed {
                self.forget_unheard(at, row);
                effects.extend(askable(&self.hosts[row].view).cloned().map(Effect::Ask));
                self.judge_host(at, row, effects);
            }
        }
    }

    /// Says nothing of the host: its name was not resolved.
    pub(in crate::state::reduce) fn is_nameless(&self, row: usize, observation: &Observation) -> bool {
        let undecided = observation.reading.outcome == Outcome::Unknown;
        undecided && self.sight.nameless.is_some() && has_name(&self.hosts[row].view.host)
    }

    /// It is not seen because its name cannot be resolved.
    pub(super) fn is_unnamed(&self, row: usize) -> bool {
        self.sight.nameless.is_some() && is_undecided(&self.hosts[row])
    }

    /// What the screen says while some are not seen for want of an address.
    pub(super) fn namelessness(&self) -> Option<Blindness> {
        let nameless = self.sight.nameless.as_ref()?;
        let silent = self.unnamed().len();
        let targets = self.hosts.iter().filter(|slot| has_name(&slot.view.host)).count();
        let cause = Cause::NoNames(nameless.why.clone());
        (silent > 0).then_some(Blindness { since: nameless.since, silent, targets, cause })
    }

    fn forget_unheard(&mut self, at: Timestamp, row: usize) {
        for check in &mut Arc::make_mut(&mut self.hosts[row].view).checks {
            unheard(check, at);
        }
    }

    fn unnamed(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|row| self.is_unnamed(*row)).collect()
    }
}

fn has_name(host: &Host) -> bool {
    let Some(address) = host.address.as_deref() else { return false };
    host.origin != Origin::Local && address != "localhost" && address.parse::<IpAddr>().is_err()
}

/// It has a name, and nothing that would prove life was found out in this run.
fn is_undecided(slot: &HostSlot) -> bool {
    let last = |check: &CheckView| check.last.as_ref().filter(|_| !check.restored).map(|last| last.reading.outcome);
    let mut known = signs_of_life(&slot.view.checks).filter_map(last).peekable();
    has_name(&slot.view.host) && known.peek().is_some() && known.all(|outcome| outcome == Outcome::Unknown)
}

/// What could not be asked is as it was before, or as nobody knows.
pub fn unheard(check: &mut CheckView, at: Timestamp) {
    let undecided = check.last.as_ref().is_some_and(|last| last.reading.outcome == Outcome::Unknown);
    if check.restored || !undecided {
        return;
    }
    check.attempt = 0;
    check.stale = true;
    if check.condition == Condition::Unknown {
        (check.condition, check.since) = (Condition::Pending, at);
    }
}
