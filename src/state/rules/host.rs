//! A host, from its checks and its parents. The words of the verdict are made here, so that every screen and
//! every export says the same.

use std::sync::Arc;
use std::time::Duration;

use super::life::{signs_of_life, tells};
use super::parents::{self, Standing};
use crate::base::{Timestamp, Untrusted};
use crate::model::{Condition, Facts, Host, Origin, Outcome, Policy, Told};
use crate::state::view::{CheckView, HostView};

/// From one silence to the other.
const TOGETHER: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Verdict {
    pub condition: Condition,
    pub reason: Untrusted,
    /// Nothing that proves life answers, and nothing is left to wait for.
    pub down: bool,
    /// The same, but what it hangs on may be to blame: that is found out first.
    pub waits: bool,
    pub behind: Option<Arc<str>>,
    pub stale: bool,
    pub last_seen: Option<Timestamp>,
    /// Since when, where the checks know; else since now.
    pub since: Option<Timestamp>,
}

/// What is not known for certain of a host that is not silent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open<'a> {
    /// The checks that are known to be bad: what was said of these stands.
    pub known: &'a [(Arc<str>, Condition)],
    /// Since when some of what proves life gets no answer.
    pub wavering: Option<Timestamp>,
    /// Since when services are bad without a proof of life.
    pub doubt: Option<Timestamp>,
    /// A bad check is gone, and what may have taken its place was not heard.
    pub renamed: bool,
}

impl Open<'_> {
    /// A service is bad, and what proves life was not heard since.
    fn doubts(&self, check: &CheckView) -> bool {
        is_bad_service(check) && self.doubt.is_some_and(|since| check.since >= since)
    }

    /// What proves life is bad, while more of that may fall silent.
    fn withholds_life(&self, check: &CheckView, silence: bool) -> bool {
        let is_known = || self.known.iter().any(|(name, _)| *name == check.spec.key.name);
        silence && check.spec.decides_reachability && check.condition == Condition::Critical && !is_known()
    }

    /// More of what proves life may fall silent.
    fn is_silence(&self, checks: &[CheckView]) -> bool {
        self.wavering.is_some_and(|since| checks.iter().any(|check| parents::is_open(check, since)))
    }

    /// Which checks are bad and say nothing of the host yet, since it is open whether it lives.
    pub fn withheld(&self, view: &HostView) -> Vec<usize> {
        if (self.wavering.is_none() && self.doubt.is_none()) || is_silent(view) {
            return Vec::new();
        }
        let silence = self.is_silence(&view.checks);
        let checks = view.checks.iter().enumerate();
        let open = checks.filter(|(_, check)| self.withholds_life(check, silence) || self.doubts(check));
        open.map(|(index, _)| index).collect()
    }
}

/// `standing` says who is to blame where the host is silent.
pub fn judge(view: &HostView, standing: &Standing, open: Open<'_>, policy: &Policy) -> Verdict {
    let checks = &view.checks;
    let last_seen = checks.iter().filter_map(last_heard).max();
    let mut verdict = Verdict {
        condition: Condition::Pending,
        reason: Untrusted::default(),
        down: false,
        waits: false,
        behind: None,
        stale: is_stale(checks),
        last_seen,
        since: None,
    };
    if checks.is_empty() {
        let why = view.host.not_probed.as_deref().unwrap_or("no checks");
        verdict.condition = Condition::NotProbed;
        verdict.reason = Untrusted::from(why);
        return verdict;
    }
    if is_silent(view) {
        let life = signs_of_life(checks);
        verdict.since = life.clone().map(|c| c.since).max();
        verdict.reason = join(life, checks.len() > 1);
        accuse(&mut verdict, view, standing, policy);
        return verdict;
    }
    let silence = open.is_silence(checks);
    // What is in doubt makes the host no worse than it stands.
    let standing = Some(view.condition).filter(|condition| condition.is_problem()).unwrap_or(Condition::Pending);
    let contribution = |check: &CheckView| match contribution(check, &view.host) {
        _ if open.withholds_life(check, silence) => Condition::Pending,
        worst if open.doubts(check) => worst.min(standing),
        worst => worst,
    };
    let worst = checks.iter().map(contribution).max().unwrap_or(Condition::Pending);
    // A check without a result says nothing while others have one.
    verdict.condition = if worst == Condition::Pending && checks.iter().any(|c| c.condition == Condition::Ok) {
        Condition::Ok
    } else {
        worst
    };
    // What was bad has another name now, or is asked in another way: until that has been heard it is not known to be over.
    if verdict.condition == Condition::Ok && view.condition.is_problem() && open.renamed {
        (verdict.condition, verdict.reason) = (view.condition, view.reason.clone());
        verdict.since = Some(view.since);
        return verdict;
    }
    let blamed = checks.iter().filter(|c| contribution(c) == worst);
    verdict.since = if verdict.condition.is_problem() { blamed.clone().map(|c| c.since).min() } else { None };
    verdict.reason = if verdict.condition.is_problem() {
        join(blamed, checks.len() > 1)
    } else if verdict.condition == Condition::Pending
        && let Some(tried) = checks.iter().find(|c| c.is_soft() && c.condition == Condition::Pending)
    {
        // What came is told before it is believed.
        let name = if checks.len() > 1 { format!("{} ", tried.spec.key.name) } else { String::new() };
        let tries = format!("{name}{}: ", tried.tries().unwrap_or_default());
        let said = tried.last.iter().flat_map(|last| last.reading.summary.as_bytes());
        Untrusted::new(tries.bytes().chain(said.copied()).collect::<Vec<u8>>())
    } else {
        // What is well says so, and not what adds nothing; best how the machine is, which is more than that it answers.
        let mut well = checks.iter().filter(|c| c.condition == Condition::Ok).filter_map(|c| c.last.as_ref());
        let machine = well.clone().find(|last| matches!(last.reading.facts, Facts::Vitals(_)));
        let good = machine.or_else(|| well.next());
        let said = good.or_else(|| checks.iter().find_map(|c| c.last.as_ref()));
        said.map(|o| o.reading.summary.clone()).unwrap_or_default()
    };
    verdict
}

/// Nothing that proves life answers, beyond doubt.
pub fn is_silent(view: &HostView) -> bool {
    let life = signs_of_life(&view.checks);
    let all = life.clone().all(|c| c.condition == Condition::Critical && !told_something(c));
    let silent = all || (view.host.has_tag("core") && fell_silent_together(&life));
    !view.checks.is_empty() && silent && !proven_otherwise(&view.checks, &life)
}

/// One of them got no answer as often as it takes, and all others got none about then: what is tagged core is not asked any more often,
/// so that it is known to be down within ten seconds. A check
/// that has been silent for long convinces nobody: another one that fails once now may just have failed once.
fn fell_silent_together<'a>(life: &(impl Iterator<Item = &'a CheckView> + Clone)) -> bool {
    let at = |check: &CheckView| check.last.as_ref().filter(|_| !check.restored).map(|last| last.at);
    let mut hard = life.clone().filter(|check| check.condition == Condition::Critical).map(|check| check.since);
    hard.any(|since| {
        life.clone().all(|check| {
            let bad = check.last.as_ref().is_some_and(|last| last.reading.outcome == Outcome::Critical);
            let bad = bad && !told_something(check);
            let near = at(check).is_some_and(|at| at.since(since).max(since.since(at)) <= TOGETHER);
            bad && (near || check.condition == Condition::Critical)
        })
    })
}

/// Something of it was looked at in this run.
pub fn is_heard(view: &HostView) -> bool {
    view.checks.iter().any(|check| check.last.is_some() && !check.restored)
}

/// How a host stands by those of its checks that do not flap; `None` where they say nothing.
pub fn steady(view: &HostView) -> Option<Condition> {
    let firm = |check: &&CheckView| !check.flap.flapping;
    if is_silent(view) {
        return signs_of_life(&view.checks).any(|check| firm(&check)).then_some(view.condition);
    }
    let firm = view.checks.iter().filter(firm);
    firm.map(|check| contribution(check, &view.host)).max().filter(|c| *c != Condition::Pending)
}

/// The verdict on a host that nothing answers for.
fn accuse(verdict: &mut Verdict, view: &HostView, standing: &Standing, policy: &Policy) {
    verdict.down = true;
    match standing {
        Standing::Behind(blame) => {
            verdict.condition = Condition::Unreachable;
            verdict.reason = Untrusted::from(format!("behind {blame}"));
            verdict.behind = Some(blame.clone());
        }
        Standing::Unclear(parent) | Standing::Acquitted(parent) => {
            verdict.down = false;
            verdict.waits = true;
            verdict.condition = view.condition;
            verdict.since = Some(view.since);
            verdict.reason = Untrusted::from(match standing {
                Standing::Acquitted(_) => format!("{parent} is back; this one is asked anew"),
                _ => format!("no answer; whether {parent} answers is asked first"),
            });
        }
        Standing::Alone if verdict.last_seen.is_none() && !policy.never_seen_is_down => {
            verdict.condition = Condition::Unknown;
            verdict.reason = Untrusted::from(format!("never seen: {}", verdict.reason.json_text()));
        }
        Standing::Alone => verdict.condition = Condition::Critical,
    }
}

/// How bad a check of a host that is alive is, beyond doubt; `None` where nothing is wrong with it.
pub fn fault(check: &CheckView, view: &HostView) -> Option<Condition> {
    Some(contribution(check, &view.host)).filter(|condition| condition.is_problem())
}

/// It gets no answer, and proves no life where it does.
fn is_bad_service(check: &CheckView) -> bool {
    check.condition == Condition::Critical && !check.spec.decides_reachability && !told_something(check)
}

/// How a host stands by what people know and what this run has heard: where an earlier run found something bad and told nobody,
/// it is told when it is found again.
pub fn tellable(view: &HostView, told: &Told) -> Condition {
    let Some(announced) = told.condition.filter(|announced| view.condition > *announced && !is_silent(view)) else {
        return view.condition;
    };
    let is_known =
        |check: &&CheckView| !check.restored || told.checks.iter().any(|(name, _)| *name == check.spec.key.name);
    let worst = view.checks.iter().filter(is_known).map(|check| contribution(check, &view.host)).max();
    view.condition.min(worst.filter(|worst| worst.is_problem()).map_or(announced, |worst| worst.max(announced)))
}

/// Something that proves life was looked at in this run.
pub fn is_life_heard(view: &HostView) -> bool {
    signs_of_life(&view.checks).any(|check| check.last.is_some() && !check.restored)
}

/// What a check adds to its host while the host is alive: no echo, or no agent, is not "down", and leaves open how the host is;
/// a log-in that nobody can use any more is as bad as any other service. Where nobody asked for that protocol and it never
/// worked, it adds nothing.
fn contribution(check: &CheckView, host: &Host) -> Condition {
    if check.condition != Condition::Critical || !check.spec.decides_reachability {
        check.condition
    } else if check.last_good.is_none() && host.origin != Origin::Config {
        Condition::Pending
    } else if &*check.spec.kind == "ssh" {
        Condition::Critical
    } else {
        Condition::Unknown
    }
}

/// Its last result has what the host told of itself, good or bad: it was there to tell it.
fn told_something(check: &CheckView) -> bool {
    check.spec.speaks_for_host && !check.restored && check.last.as_ref().is_some_and(|last| tells(&last.reading.facts))
}

/// When the host answered this check last, well or not.
fn last_heard(check: &CheckView) -> Option<Timestamp> {
    check.last.as_ref().filter(|_| told_something(check)).map(|last| last.at).max(check.last_good)
}

/// Another check answered since the silent ones fell silent, or they never worked here.
fn proven_otherwise<'a>(checks: &[CheckView], silent: &(impl Iterator<Item = &'a CheckView> + Clone)) -> bool {
    let never_worked = silent.clone().all(|c| c.last_good.is_none());
    let since = silent.clone().map(|c| c.since).max();
    // What proved it to an earlier run does so until this one has asked it too.
    checks.iter().filter(|c| c.spec.speaks_for_host && (c.restored || !c.stale)).any(|c| {
        let answers = c.condition == Condition::Ok || told_something(c);
        answers && (never_worked || last_heard(c) > since)
    })
}

pub fn is_stale(checks: &[CheckView]) -> bool {
    let mut known = checks.iter().filter(|c| c.last.is_some()).peekable();
    known.peek().is_some() && known.all(|c| c.stale)
}

/// The walk of the ports is too old.
pub fn ports_stale(view: &HostView) -> bool {
    view.checks.iter().any(|c| &*c.spec.kind == "ports" && c.stale)
}

fn join<'a>(checks: impl Iterator<Item = &'a CheckView>, named: bool) -> Untrusted {
    let mut text: Vec<u8> = Vec::new();
    for check in checks.filter(|c| c.last.is_some()).take(4) {
        if !text.is_empty() {
            text.extend_from_slice(" · ".as_bytes());
        }
        if named {
            text.extend_from_slice(check.spec.key.name.as_bytes());
            text.extend_from_slice(b": ");
        }
        if let Some(last) = &check.last {
            text.extend_from_slice(last.reading.summary.as_bytes());
        }
    }
    Untrusted::new(text)
}

/// The number whose course says most about a host, and which check tells it: the load, else the round trip of the first that has
/// one. Those of two checks are never mixed: an echo and a web page take their own times.
pub fn leading_metric(checks: &[CheckView]) -> Option<(usize, f64)> {
    let told = |name: &str| checks.iter().enumerate().find_map(|(at, check)| Some((at, check.metric(name)?)));
    ["load1", "rtt"].into_iter().find_map(told)
}
