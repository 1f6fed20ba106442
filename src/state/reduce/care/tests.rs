//! Claims against what happens.

use std::time::Duration;

use super::super::tests::{T0, at, down, see, state};
use super::*;
use crate::base::Untrusted;
use crate::model::{CheckKey, Claim, Outcome, Subject};
use crate::state::{Event, Problem, Snapshot};

const HOUR: u64 = 3_600;

fn host(name: &str) -> Target {
    Target::Host(AssetId::new(name))
}

fn check(name: &str, check: &str) -> Target {
    Target::Check(CheckKey { subject: Subject::Host(AssetId::new(name)), name: check.into() })
}

/// A claim as it comes from the disk.
fn ack(id: &str, target: Target, owner: &str, since: u64) -> Arc<Acknowledgement> {
    Arc::new(Acknowledgement {
        id: id.into(),
        since: at(since),
        claim: Claim {
            target,
            owner: owner.into(),
            note: "on it".into(),
            until: at(since + 4 * HOUR),
            stickiness: Stickiness::EndsOnWorsening,
            condition: None,
        },
    })
}

fn sticky(mut ack: Arc<Acknowledgement>) -> Arc<Acknowledgement> {
    Arc::make_mut(&mut ack).claim.stickiness = Stickiness::Sticky;
    ack
}

fn book(state: &mut State, secs: u64, acks: &[Arc<Acknowledgement>]) -> Vec<Effect> {
    state.reduce(at(secs), Event::Care(CareBook { acks: acks.to_vec(), ..CareBook::default() }))
}

fn released(effects: &[Effect]) -> Vec<(String, Release)> {
    let release = |effect: &Effect| match effect {
        Effect::Release { claim, why, .. } => Some((claim.to_string(), *why)),
        _ => None,
    };
    effects.iter().filter_map(release).collect()
}

fn owner(problem: &Problem) -> Option<String> {
    Some(problem.care.ack.as_ref()?.claim.owner.line())
}

fn listed(snapshot: &Snapshot) -> Vec<(String, Option<String>)> {
    snapshot.problems.iter().map(|p| (p.title.line(), owner(p))).collect()
}

fn bad(state: &mut State, host: &str, name: &str, from: u64, outcome: Outcome) -> Vec<Effect> {
    (0..3).flat_map(|n| see(state, host, name, from + n, outcome)).collect()
}

/// `a` and `b` down since second 42, both seen before.
fn two_down() -> State {
    let mut s = state(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    for name in ["a", "b"] {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
        down(&mut s, name, 40);
    }
    s
}

#[test]
fn what_is_owned_sinks_below_what_is_not_and_stays() {
    let mut s = two_down();
    assert_eq!(listed(&s.publish(at(43))), [("a".into(), None), ("b".into(), None)]);
    assert!(book(&mut s, 50, &[ack("1", host("a"), "ops2", 50)]).is_empty());
    let snapshot = s.publish(at(50));
    assert_eq!(listed(&snapshot), [("b".into(), None), ("a".into(), Some("ops2".into()))]);
    assert_eq!((snapshot.totals.owned, snapshot.totals.unowned, snapshot.totals.critical), (1, 1, 2));
    assert_eq!((&*snapshot.problems[0].rank, &*snapshot.problems[1].rank), ("critical", "owned"));
    assert_eq!(snapshot.problems[0].unowned(at(102)), Some(Duration::from_secs(60)));
    assert_eq!(snapshot.problems[1].unowned(at(102)), None);
    assert_eq!(snapshot.problems[1].target, host("a"));
}

#[test]
fn a_claim_survives_easing_and_ends_with_recovery() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    bad(&mut s, "a", "disk", 2, Outcome::Critical);
    see(&mut s, "a", "icmp", 4, Outcome::Ok);
    book(&mut s, 10, &[ack("1", host("a"), "ops2", 10)]);
    assert!(released(&bad(&mut s, "a", "disk", 20, Outcome::Warning)).is_empty());
    assert!(released(&bad(&mut s, "a", "disk", 30, Outcome::Critical)).is_empty(), "no worse than when it was claimed");
    let effects = see(&mut s, "a", "disk", 40, Outcome::Ok);
    assert_eq!(released(&effects), [("1".into(), Release::Recovered)]);
    // The book comes from the disk once more before the end is in it.
    book(&mut s, 41, &[ack("1", host("a"), "ops2", 10)]);
    bad(&mut s, "a", "disk", 50, Outcome::Critical);
    see(&mut s, "a", "icmp", 52, Outcome::Ok);
    let snapshot = s.publish(at(53));
    assert_eq!(listed(&snapshot), [("a".into(), None)], "another problem, which nobody has claimed");
    assert_eq!(snapshot.problems[0].care.unowned_since, Some(at(52)));
}

#[test]
fn a_claim_ends_when_it_gets_worse_unless_it_is_sticky() {
    for (one, ends) in [
        (ack("1", host("a"), "ops2", 10), vec![("1".to_owned(), Release::Worsened)]),
        (sticky(ack("1", host("a"), "ops2", 10)), vec![]),
    ] {
        let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false)]);
        see(&mut s, "a", "icmp", 1, Outcome::Ok);
        bad(&mut s, "a", "disk", 2, Outcome::Warning);
        book(&mut s, 10, &[one]);
        assert_eq!(released(&bad(&mut s, "a", "disk", 20, Outcome::Critical)), ends);
        let snapshot = s.publish(at(25));
        let since = (!ends.is_empty()).then(|| at(20));
        assert_eq!(snapshot.problems[0].care.unowned_since, since, "owned until then");
    }
}

#[test]
fn another_fault_of_a_claimed_host_is_somebody_elses_business() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false), ("units", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    bad(&mut s, "a", "disk", 2, Outcome::Warning);
    book(&mut s, 10, &[ack("1", host("a"), "ops2", 10)]);
    assert_eq!(released(&bad(&mut s, "a", "units", 20, Outcome::Warning)), [("1".into(), Release::Worsened)]);
}

#[test]
fn what_fails_because_the_claimed_host_is_down_ends_nothing() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    see(&mut s, "a", "disk", 1, Outcome::Ok);
    down(&mut s, "a", 40);
    book(&mut s, 50, &[ack("1", host("a"), "ops2", 50)]);
    assert!(released(&bad(&mut s, "a", "disk", 60, Outcome::Critical)).is_empty());
}

#[test]
fn a_claim_expires_by_itself_and_the_time_without_owner_counts_from_then() {
    let mut s = two_down();
    book(&mut s, 50, &[ack("1", host("a"), "ops2", 50)]);
    let over = at(50 + 4 * HOUR);
    assert!(s.next_deadline().is_some_and(|due| due <= over));
    assert!(released(&s.reduce(over.minus(Duration::from_secs(1)), Event::Tick)).is_empty());
    assert_eq!(released(&s.reduce(over, Event::Tick)), [("1".into(), Release::Expired)]);
    let snapshot = s.publish(over);
    let a = snapshot.problems.iter().find(|p| p.asset.as_str() == "a").expect("still there");
    assert_eq!((owner(a), a.care.unowned_since), (None, Some(over)));
}

#[test]
fn handing_over_is_claiming_by_somebody_else_and_giving_back_is_no_recovery() {
    let mut s = two_down();
    book(&mut s, 50, &[ack("1", host("a"), "ops2", 50)]);
    book(&mut s, 60, &[ack("2", host("a"), "ops3", 60)]);
    assert_eq!(listed(&s.publish(at(60)))[1], ("a".into(), Some("ops3".into())));
    assert!(released(&book(&mut s, 70, &[])).is_empty(), "the journal has it already");
    let snapshot = s.publish(at(70));
    let a = snapshot.problems.iter().find(|p| p.asset.as_str() == "a").expect("still there");
    assert_eq!(a.care.unowned_since, Some(at(70)));
}

#[test]
fn owning_a_parent_does_not_own_its_childs_own_fault() {
    let mut s = state(&[("core", &[]), ("child", &["core"])], &[("icmp", true)]);
    for name in ["core", "child"] {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    down(&mut s, "core", 40);
    book(&mut s, 50, &[ack("1", host("core"), "ops2", 50)]);
    see(&mut s, "core", "icmp", 60, Outcome::Ok);
    see(&mut s, "child", "icmp", 61, Outcome::Critical);
    see(&mut s, "core", "icmp", 62, Outcome::Ok);
    down(&mut s, "child", 63);
    assert_eq!(listed(&s.publish(at(66))), [("child".into(), None)]);
}

#[test]
fn a_claimed_check_covers_its_host_while_nothing_else_is_wrong_with_it() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false), ("units", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    bad(&mut s, "a", "disk", 2, Outcome::Warning);
    book(&mut s, 10, &[ack("1", check("a", "disk"), "ops2", 10)]);
    let snapshot = s.publish(at(10));
    assert_eq!(owner(&snapshot.problems[0]).as_deref(), Some("ops2"));
    assert!(snapshot.hosts[0].checks[1].ack.is_some() && snapshot.hosts[0].checks[0].ack.is_none());
    assert!(released(&bad(&mut s, "a", "units", 20, Outcome::Warning)).is_empty(), "it is of the other check");
    assert_eq!(owner(&s.publish(at(23)).problems[0]), None);
    see(&mut s, "a", "units", 30, Outcome::Ok);
    assert_eq!(owner(&s.publish(at(30)).problems[0]).as_deref(), Some("ops2"));
    assert_eq!(released(&see(&mut s, "a", "disk", 40, Outcome::Ok)), [("1".into(), Release::Recovered)]);
}

#[test]
fn what_cannot_be_judged_ends_no_claim() {
    let mut s = two_down();
    book(&mut s, 50, &[ack("1", host("a"), "ops2", 50)]);
    // Nothing is heard for a long time, then the inventory is read anew.
    assert!(released(&s.reduce(at(600), Event::Tick)).is_empty());
    let again = super::super::tests::inventory(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    assert!(released(&s.reduce(at(601), Event::Inventory(again))).is_empty());
    let elsewhere = super::super::tests::inventory(&[("b", &[])], &[("icmp", true)]);
    assert!(released(&s.reduce(at(602), Event::Inventory(elsewhere))).is_empty());
    assert_eq!(s.publish(at(602)).acks.len(), 1);
}

#[test]
fn a_restart_with_a_claim_ends_it_by_what_this_run_finds_only() {
    let mut s = State::new(crate::model::Policy::default());
    book(&mut s, 0, &[ack("1", host("a"), "ops2", 0)]);
    let remembered = crate::model::Remembered {
        check: CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() },
        condition: Condition::Ok,
        since: T0,
        last_good: Some(T0),
        observation: crate::model::Observation {
            check: CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() },
            at: T0,
            took: Duration::ZERO,
            reading: crate::model::Reading::ok("here"),
        },
        flap: crate::model::Flap::default(),
    };
    let mut effects = s.reduce(at(1), Event::Restored(vec![remembered]));
    let inventory = super::super::tests::inventory(&[("a", &[])], &[("icmp", true)]);
    effects.extend(s.reduce(at(1), Event::Inventory(inventory)));
    assert!(released(&effects).is_empty(), "what the store says is from before");
    assert_eq!(released(&see(&mut s, "a", "icmp", 2, Outcome::Ok)), [("1".into(), Release::Recovered)]);
}

#[test]
fn a_claim_survives_flapping() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    let mut secs = 1;
    let mut next = |s: &mut State, outcome| {
        secs += 10;
        (see(s, "a", "icmp", secs, outcome), secs)
    };
    for _ in 0..5 {
        next(&mut s, Outcome::Ok);
        for _ in 0..3 {
            next(&mut s, Outcome::Critical);
        }
    }
    next(&mut s, Outcome::Ok);
    let (_, now) = next(&mut s, Outcome::Critical);
    let snapshot = s.publish(at(now));
    assert_eq!(&*snapshot.problems[0].word, "FLAPPING");
    book(&mut s, now, &[ack("1", host("a"), "ops2", now)]);
    assert!(released(&next(&mut s, Outcome::Ok).0).is_empty(), "up for a moment");
    let mut ended = Vec::new();
    for _ in 0..20 {
        ended.extend(released(&next(&mut s, Outcome::Ok).0));
    }
    assert_eq!(ended, [("1".into(), Release::Recovered)], "when it stands still");
    assert!(Untrusted::from("ops2") == ack("1", host("a"), "ops2", 0).claim.owner);
}
