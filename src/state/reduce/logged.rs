//! What the log keeps: what devices tell by themselves, tasks that ended in a fault, and every condition that changes, in maintenance and while it flaps too. How something is found after a
//! restart is no change where the run before saw it so.

use std::cmp::Reverse;
use std::sync::Arc;

use super::State;
use crate::base::{Timestamp, Untrusted};
use crate::model::{Condition, Fault, Log, Logged, NotificationView, Target, Transition};
use crate::state::event::Effect;
use crate::state::snapshot::problems;
use crate::state::view::{DeviceView, Finding};

/// Faults that this run shows as long as it lasts.
const FAULTS_NOW: usize = 20;

impl State {
    /// A host was judged anew, and was `before`.
    pub(super) fn log_host(&mut self, row: usize, before: Condition, effects: &mut Vec<Effect>) {
        let view = &self.hosts[row].view;
        let is_found = before == Condition::Pending && view.checks.iter().any(|check| check.restored);
        let target = Target::Host(view.host.id.clone());
        let Some(from) = self.news(&target, (before, view.condition), is_found) else { return };
        let name = Untrusted::from(&*view.host.name);
        let (at, to, down, reason) = (view.since, view.condition, view.is_down(), view.reason.clone());
        self.log(Transition { at, target, name, from, to, down, reason }, effects);
    }

    /// The same of a backup. `is_found`: what was known of it is from an earlier run, which knew more than was kept.
    pub(super) fn log_job(&mut self, row: usize, before: Condition, is_found: bool, effects: &mut Vec<Effect>) {
        let view = &self.jobs[row].view;
        let target = Target::Job(view.job.id.clone());
        let Some(from) = self.news(&target, (before, view.condition), is_found) else { return };
        let name = Untrusted::from(&*view.job.name);
        let (at, to, reason) = (view.since, view.condition, view.reason.clone());
        self.log(Transition { at, target, name, from, to, down: false, reason }, effects);
    }

    /// What a thing changed from, where it did: the log knows that over restarts.
    fn news(&self, target: &Target, (before, to): (Condition, Condition), is_found: bool) -> Option<Condition> {
        if before == to || to == Condition::Pending {
            return None;
        }
        // What it became when it changed last.
        match self.transitions.iter().find(|one| one.target == *target) {
            Some(last) => (last.to != to).then_some(last.to),
            None => (!is_found && Transition::is_news(before, to)).then_some(before),
        }
    }

    /// What a device says of itself has changed. Its ports have a history of their own.
    pub(super) fn log_device(&mut self, at: Timestamp, row: usize, known: &DeviceView, effects: &mut Vec<Effect>) {
        let slot = &self.hosts[row];
        // The worst comes first.
        let worst = slot.device.as_ref().and_then(|device| device.firm_findings().next());
        let condition = |finding: Option<&Finding>| finding.map_or(Condition::Ok, |finding| finding.condition);
        let (from, to) = (condition(known.firm_findings().next()), condition(worst));
        if from == to {
            return;
        }
        let reason = worst.map(|finding| Untrusted::from(&*finding.words));
        let target = Target::Device(slot.view.host.id.clone());
        let name = Untrusted::from(&*slot.view.host.name);
        let reason = reason.unwrap_or_default();
        self.log(Transition { at, target, name, from, to, down: false, reason }, effects);
    }

    /// This console can't see, or sees again.
    pub(super) fn log_sight(&mut self, at: Timestamp, is_blind: bool, effects: &mut Vec<Effect>) {
        let Some(problem) = self.blindness().map(|blind| problems::of_console(&blind)) else { return };
        let (bad, good) = (problem.condition, Condition::Ok);
        let (from, to) = if is_blind { (good, bad) } else { (bad, good) };
        let words =
            if is_blind { format!("{}: {}", problem.word, problem.reason.line()) } else { "it sees again".to_owned() };
        let reason = Untrusted::from(words);
        self.log(
            Transition { at, target: problem.target, name: problem.title, from, to, down: false, reason },
            effects,
        );
    }

    /// A task of the engine ended in a fault. One that repeats is one fault; the list stays short for months.
    pub(super) fn failed(&mut self, at: Timestamp, words: Arc<str>, effects: &mut Vec<Effect>) {
        if self.engine.faults.contains(&words) {
            return;
        }
        self.engine.faults.push(words.clone());
        if self.engine.faults.len() > FAULTS_NOW {
            self.engine.faults.remove(0);
        }
        let fault = Arc::new(Fault { at, words });
        self.faults.take(fault.clone());
        effects.push(Effect::Log(Logged::Failed(fault)));
    }

    fn log(&mut self, transition: Transition, effects: &mut Vec<Effect>) {
        let transition = Arc::new(transition);
        self.transitions.take(transition.clone());
        effects.push(Effect::Log(Logged::Changed(transition)));
    }

    pub(super) fn restore_log(&mut self, earlier: Log) {
        let Log { transitions, changes, notifications, faults } = earlier;
        self.restore_changes(changes);
        self.transitions.restore(transitions, |a, b| (Reverse(a.at), &a.target).cmp(&(Reverse(b.at), &b.target)));
        self.notifications.restore(notifications, |a, b| {
            let of = |one: &NotificationView| (Reverse(one.told.at), one.told.host.clone(), one.told.kind.clone());
            of(a).cmp(&of(b))
        });
        self.faults.restore(faults, |a, b| (Reverse(a.at), &a.words).cmp(&(Reverse(b.at), &b.words)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{T0, at, down, inventory, see, state};
    use super::*;
    use crate::model::{
        AssetId, CareBook, CheckKey, Flap, Host, Maintenance, Observation, Order, Origin, Outcome, Policy, Reading,
        Remembered, Scope, Span, Subject,
    };
    use crate::state::Event;

    /// What the log has, oldest first.
    fn logged(state: &mut State) -> Vec<String> {
        let one = |t: &Arc<Transition>| {
            format!("{} {} {} {}", t.at.since(T0).as_secs(), t.name.line(), t.from.as_str(), t.to.as_str())
        };
        state.publish(at(1_000)).transitions.iter().rev().map(one).collect()
    }

    fn kept(effects: &[Effect]) -> usize {
        effects.iter().filter(|effect| matches!(effect, Effect::Log(_))).count()
    }

    #[test]
    fn each_change_is_logged_once_whether_anybody_is_told_or_not() {
        let mut s = state(&[("a", &[]), ("b", &["a"])], &[("icmp", true)]);
        for host in ["a", "b"] {
            assert_eq!(kept(&see(&mut s, host, "icmp", 1, Outcome::Ok)), 0, "what begins well has not changed");
        }
        let span = Span::Once { from: at(2), until: at(500) };
        let order = Order { scope: Scope::Asset(AssetId::new("a")), span, flexible: None, note: "".into() };
        let window = Arc::new(Maintenance { id: "w".into(), author: "ops1".into(), order });
        s.reduce(at(2), Event::Care(CareBook { maintenance: vec![window], ..CareBook::default() }));
        down(&mut s, "a", 10);
        down(&mut s, "b", 20);
        see(&mut s, "a", "icmp", 30, Outcome::Critical);
        see(&mut s, "a", "icmp", 40, Outcome::Ok);
        see(&mut s, "b", "icmp", 41, Outcome::Ok);
        let log = logged(&mut s);
        for want in ["12 a ok critical", "40 a critical ok"] {
            assert_eq!(log.iter().filter(|line| *line == want).count(), 1, "{want}: {log:?}");
        }
        assert!(log.iter().any(|line| line.ends_with("b ok unreachable")), "{log:?}");
        assert!(log.last().is_some_and(|line| line.ends_with("b unreachable ok")), "{log:?}");
    }

    #[test]
    fn a_console_that_cannot_see_is_in_the_log_with_the_reason_and_that_it_sees_again() {
        let mut far = (*inventory(&[("a", &[])], &[("icmp", true)])).clone();
        far.hosts[0] = Arc::new(Host::new("a", Some("192.0.2.1"), Origin::Config));
        let mut s = State::new(Policy::default());
        s.reduce(T0, Event::Inventory(Arc::new(far)));
        see(&mut s, "a", "icmp", 1, Outcome::Ok);
        s.reduce(at(10), Event::Uplink(Some("no default route".into())));
        s.reduce(at(20), Event::Uplink(None));
        assert_eq!(logged(&mut s), ["10 this console ok critical", "20 this console critical ok"]);
        let reason = s.publish(at(21)).transitions[1].reason.line();
        assert!(reason.starts_with("CAN'T SEE: no default route"), "{reason}");
    }

    #[test]
    fn what_recovered_while_nothing_polled_is_told_by_what_the_log_had() {
        let mut first = state(&[("a", &[])], &[("icmp", true)]);
        see(&mut first, "a", "icmp", 1, Outcome::Ok);
        down(&mut first, "a", 10);
        let earlier = first.publish(at(20)).transitions.to_vec();
        // Nothing else was kept of the earlier run.
        let mut s = state(&[("a", &[])], &[("icmp", true)]);
        s.reduce(T0, Event::RestoredLog(Log { transitions: earlier, ..Log::default() }));
        see(&mut s, "a", "icmp", 60, Outcome::Ok);
        let log = logged(&mut s);
        assert!(log.len() == 2 && log[1].ends_with("a critical ok"), "{log:?}");
        down(&mut s, "a", 70);
        assert_eq!(kept(&see(&mut s, "a", "icmp", 80, Outcome::Critical)), 0);
        assert_eq!(logged(&mut s).len(), 3);
    }

    #[test]
    fn what_a_restart_finds_is_no_change_and_what_an_earlier_run_saw_is_there() {
        let mut s = State::new(Policy::default());
        let check = CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() };
        let before = T0.minus(Duration::from_secs(600));
        let reading = Reading::critical("no answer");
        let observation = Observation { check: check.clone(), at: before, took: Duration::ZERO, reading };
        let (since, last_good) = (before, Some(before.minus(Duration::from_secs(60))));
        let condition = Condition::Critical;
        let restored = Remembered { check, condition, since, last_good, observation, flap: Flap::default() };
        let earlier = Arc::new(Transition {
            at: before,
            target: Target::Host(AssetId::new("a")),
            name: "a".into(),
            from: Condition::Ok,
            to: Condition::Critical,
            down: true,
            reason: "no answer".into(),
        });
        s.reduce(T0, Event::RestoredLog(Log { transitions: vec![earlier.clone()], ..Log::default() }));
        s.reduce(T0, Event::Restored(vec![restored]));
        s.reduce(T0, Event::Inventory(inventory(&[("a", &[])], &[("icmp", true)])));
        assert_eq!(s.publish(T0).transitions.to_vec(), [earlier]);
        assert_eq!(kept(&see(&mut s, "a", "icmp", 5, Outcome::Ok)), 1);
        assert_eq!(logged(&mut s), ["0 a ok critical", "5 a critical ok"]);
    }

    #[test]
    fn a_fault_is_kept_once_and_those_of_an_earlier_run_stand_behind_it() {
        let mut s = state(&[("a", &[])], &[("icmp", true)]);
        let fault = |secs: u64, words: &str| Arc::new(Fault { at: at(secs), words: words.into() });
        assert_eq!(kept(&s.reduce(at(5), Event::Fault("x panicked".into()))), 1);
        assert_eq!(kept(&s.reduce(at(6), Event::Fault("x panicked".into()))), 0);
        s.reduce(at(7), Event::RestoredLog(Log { faults: vec![fault(1, "y panicked")], ..Log::default() }));
        let snapshot = s.publish(at(8));
        assert_eq!(snapshot.faults.to_vec(), [fault(5, "x panicked"), fault(1, "y panicked")]);
        assert_eq!(snapshot.engine.faults, [Arc::from("x panicked")], "those of an earlier run do not stand");
    }
}
