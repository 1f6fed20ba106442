//! One check: soft and hard results, staleness, restored state. A bad result is believed after as many in a row
//! as the check's attempts say; until then the condition stays where it was. One good result ends a problem.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::model::{CheckSpec, Condition, EASES_AFTER, Flap, FlapFormula, Observation, Outcome, Policy, Remembered};
use crate::state::view::CheckView;

/// A check that has no result yet.
pub fn fresh(spec: &Arc<CheckSpec>, at: Timestamp) -> CheckView {
    CheckView {
        spec: spec.clone(),
        condition: Condition::Pending,
        attempt: 0,
        since: at,
        last: None,
        last_good: None,
        last_bad: None,
        good_before: None,
        stale: false,
        eased: false,
        restored: false,
        flap: Flap::default(),
        ack: None,
        missing: None,
    }
}

/// In what circumstances a result is heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hearing<'a> {
    /// How flapping is told, where the result may count for it.
    pub formula: Option<&'a FlapFormula>,
    /// It is open whether this console sees: a bad result is kept, and not believed.
    pub withheld: bool,
    /// It has been seen often enough already: believed at once.
    pub sure: bool,
}

/// Takes a result in; true where the check should be asked again soon because the problem is soft.
/// Results that are older than the last one are dropped.
pub fn take(check: &mut CheckView, observation: Observation, hearing: Hearing<'_>) -> bool {
    let Hearing { formula, withheld, sure } = hearing;
    if check.last.as_ref().is_some_and(|last| !check.restored && last.at > observation.at) {
        return false;
    }
    let at = observation.at;
    let outcome = observation.reading.outcome;
    let observation = Arc::new(observation);
    let before = check.last.replace(observation.clone());
    check.good_before = match outcome {
        Outcome::Ok => None,
        _ => before.filter(|before| before.reading.outcome == Outcome::Ok).or(check.good_before.take()),
    };
    check.stale = false;
    check.restored = false;
    check.eased = false;
    if outcome == Outcome::Ok {
        check.attempt = 0;
        check.last_good = Some(at);
        become_condition(check, Condition::Ok, at);
        check.eased = check.spec.eases && at.since(check.since) >= EASES_AFTER;
        record(check, outcome, formula);
        return false;
    }
    check.last_bad = Some(observation);
    if withheld {
        check.attempt = check.attempt.saturating_add(1).min(check.spec.attempts.saturating_sub(1)).max(check.attempt);
        return true;
    }
    check.attempt =
        if sure { check.spec.attempts } else { check.attempt.saturating_add(1) }.min(check.spec.attempts.max(1));
    let was_bad = check.condition.is_problem();
    if check.attempt >= check.spec.attempts || was_bad {
        check.attempt = check.spec.attempts.max(1);
        become_condition(check, of(outcome), at);
        record(check, outcome, formula);
        return false;
    }
    record(check, outcome, formula);
    true
}

fn record(check: &mut CheckView, outcome: Outcome, formula: Option<&FlapFormula>) {
    if let Some(formula) = formula {
        let hard = !check.is_soft();
        formula.record(&mut check.flap, outcome, hard);
    }
}

/// Its host is back: that there was no answer while it was away says nothing more.
pub fn begin_anew(check: &mut CheckView, at: Timestamp) {
    check.attempt = 0;
    if check.condition == Condition::Critical {
        become_condition(check, Condition::Pending, at);
    }
}

/// Gives a check its state from before the restart, unless this run knows better. An old result that would be
/// stale is stale at once; a soft problem of the earlier run starts over, one of this run goes on from what was known.
pub fn restore(check: &mut CheckView, one: Remembered, policy: &Policy, now: Timestamp) {
    if check.last.is_some() {
        // When it was well before is no matter of better knowledge.
        check.last_good = check.last_good.or(one.last_good);
        // Nor is how it changed.
        if check.flap.changes == 0 {
            check.flap = Flap { last: check.flap.last.or(one.flap.last), ..one.flap };
        }
        // Tries that were not enough for a verdict leave the one that was.
        if check.condition == Condition::Pending && check.attempt > 0 {
            check.condition = one.condition;
            check.since = one.since;
            if one.condition.is_problem() {
                check.attempt = check.spec.attempts.max(1);
            }
        }
        return;
    }
    check.condition = one.condition;
    check.since = one.since;
    check.last_good = one.last_good;
    check.attempt = if one.condition.is_problem() { check.spec.attempts.max(1) } else { 0 };
    let at = one.observation.at;
    if one.observation.reading.outcome != Outcome::Ok {
        check.last_bad = Some(Arc::new(one.observation.clone()));
    }
    check.last = Some(Arc::new(one.observation));
    check.flap = one.flap;
    check.restored = true;
    // From a clock that was ahead: how old it is cannot be told, so it is old.
    check.stale = at > now.plus(policy.stale_floor) || is_stale(check, policy, now);
}

/// When the last result becomes too old; `None` where there is none, or it is already.
pub fn stale_at(check: &CheckView, policy: &Policy) -> Option<Timestamp> {
    if check.stale {
        return None;
    }
    expires(check, policy)
}

pub fn is_stale(check: &CheckView, policy: &Policy, now: Timestamp) -> bool {
    expires(check, policy).is_some_and(|at| now >= at)
}

fn expires(check: &CheckView, policy: &Policy) -> Option<Timestamp> {
    let last = check.last.as_ref()?;
    let spec = &check.spec;
    let interval = spec.interval_after(last, check.eased);
    let patience =
        (interval * policy.stale_after_intervals).max(interval + spec.timeout + interval / 4).max(policy.stale_floor);
    Some(last.at.plus(patience))
}

fn become_condition(check: &mut CheckView, condition: Condition, at: Timestamp) {
    if check.condition != condition {
        check.condition = condition;
        check.since = at;
    }
}

fn of(outcome: Outcome) -> Condition {
    match outcome {
        Outcome::Ok => Condition::Ok,
        Outcome::Warning => Condition::Warning,
        Outcome::Critical => Condition::Critical,
        Outcome::Unknown => Condition::Unknown,
    }
}
