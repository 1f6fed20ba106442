//! Parents and children in every order of events.

use std::sync::Arc;
use std::time::Duration;

use super::super::tests::{T0, at, condition, down, inventory, see, spec, state};
use super::*;
use crate::model::{AssetId, CheckKey, Condition, Facts, Observation, Origin, Outcome, Policy, Reading, Subject};
use crate::state::event::{Event, Remembered};
use crate::state::{Snapshot, State};

const ICMP: [(&str, bool); 1] = [("icmp", true)];

/// `core` with `child` on it, both seen good.
fn pair() -> State {
    let mut s = state(&[("core", &[]), ("child", &["core"])], &ICMP);
    see(&mut s, "core", "icmp", 1, Outcome::Ok);
    see(&mut s, "child", "icmp", 1, Outcome::Ok);
    s
}

/// A result with what the host told of itself.
fn tell(s: &mut State, host: &str, check: &str, secs: u64, outcome: Outcome) {
    let reading = Reading::new(outcome, "/var 97 %").facts(Facts::Vitals(Arc::default()));
    let check = spec(host, check, false).key.clone();
    s.reduce(at(secs), Event::Observed(Observation { check, at: at(secs), took: Duration::from_millis(9), reading }));
}

fn asked(effects: &[Effect]) -> Vec<String> {
    let ask = |effect: &Effect| match effect {
        Effect::Ask(key) => Some(format!("{} {}", key.subject.id().as_str(), key.name)),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

fn announced(effects: &[Effect]) -> Vec<(String, Condition)> {
    let announce = |effect: &Effect| match effect {
        Effect::Announce { asset, to, .. } => Some((asset.as_str().to_owned(), *to)),
        _ => None,
    };
    effects.iter().filter_map(announce).collect()
}

fn problems(snapshot: &Snapshot) -> Vec<String> {
    snapshot.problems.iter().map(|p| format!("{} {}", p.title.line(), p.word)).collect()
}

#[test]
fn a_child_that_falls_first_waits_until_its_parent_is_found_down() {
    let mut s = pair();
    let mut all = see(&mut s, "child", "icmp", 40, Outcome::Critical);
    assert_eq!(asked(&all), ["core icmp"], "at the first bad result");
    for (host, secs) in [("child", 43), ("core", 43), ("child", 46), ("core", 46)] {
        all.extend(see(&mut s, host, "icmp", secs, Outcome::Critical));
    }
    let snapshot = s.publish(at(46));
    assert_eq!(problems(&snapshot), Vec::<String>::new());
    let child = snapshot.host(&AssetId::new("child")).expect("there");
    assert_eq!(child.reason.line(), "no answer; whether core answers is asked first");
    all.extend(see(&mut s, "core", "icmp", 49, Outcome::Critical));
    assert_eq!(problems(&s.publish(at(49))), ["core DOWN"]);
    assert_eq!(condition(&mut s, "child", 49), Condition::Unreachable);
    assert_eq!(announced(&all), [("core".to_owned(), Condition::Critical)]);
    assert_eq!(asked(&all).len(), 1, "asked once: {:?}", asked(&all));
}

#[test]
fn a_child_that_falls_after_its_parent_is_unreachable_at_once() {
    let mut s = pair();
    down(&mut s, "core", 40);
    assert!(asked(&see(&mut s, "child", "icmp", 44, Outcome::Critical)).is_empty(), "it is known to be down");
    see(&mut s, "child", "icmp", 45, Outcome::Critical);
    assert!(announced(&see(&mut s, "child", "icmp", 46, Outcome::Critical)).is_empty());
    assert_eq!(condition(&mut s, "child", 46), Condition::Unreachable);
}

#[test]
fn a_host_that_tells_how_bad_it_is_is_not_down() {
    let mut s = state(&[("core", &[]), ("child", &["core"])], &[("linux", false)]);
    for host in ["core", "child"] {
        see(&mut s, host, "linux", 1, Outcome::Ok);
    }
    for secs in [40, 43, 46] {
        tell(&mut s, "core", "linux", secs, Outcome::Critical);
    }
    let snapshot = s.publish(at(46));
    assert_eq!(problems(&snapshot), ["core CRITICAL"]);
    assert_eq!(snapshot.host(&AssetId::new("core")).expect("there").last_seen, Some(at(46)));
    // What hangs on it has nobody but itself to blame.
    for secs in [50, 53, 56] {
        see(&mut s, "child", "linux", secs, Outcome::Critical);
        tell(&mut s, "core", "linux", secs + 1, Outcome::Critical);
    }
    assert_eq!(problems(&s.publish(at(57))), ["child DOWN", "core CRITICAL"]);
    // When it says nothing any more, it is down.
    for secs in [60, 63, 66] {
        see(&mut s, "core", "linux", secs, Outcome::Critical);
    }
    assert!(problems(&s.publish(at(66))).contains(&"core DOWN".to_owned()));

    let mut s = state(&[("db", &[])], &[("icmp", true), ("linux", false)]);
    see(&mut s, "db", "icmp", 1, Outcome::Ok);
    see(&mut s, "db", "linux", 1, Outcome::Ok);
    for secs in [40, 43, 46] {
        see(&mut s, "db", "icmp", secs, Outcome::Critical);
        tell(&mut s, "db", "linux", secs + 1, Outcome::Critical);
    }
    assert_eq!(problems(&s.publish(at(47))), ["db CRITICAL"], "it answers, if not to pings");
}

#[test]
fn a_child_that_died_alone_is_down_without_delay() {
    let mut s = pair();
    assert_eq!(asked(&see(&mut s, "child", "icmp", 40, Outcome::Critical)), ["core icmp"]);
    see(&mut s, "core", "icmp", 41, Outcome::Ok);
    see(&mut s, "child", "icmp", 42, Outcome::Critical);
    let effects = see(&mut s, "child", "icmp", 44, Outcome::Critical);
    assert_eq!(announced(&effects), [("child".to_owned(), Condition::Critical)]);
    assert_eq!(problems(&s.publish(at(44))), ["child DOWN"]);
}

#[test]
fn an_answer_that_was_under_way_when_the_child_fell_silent_proves_nothing() {
    let mut s = pair();
    down(&mut s, "child", 40);
    let slow = Observation {
        check: spec("core", "icmp", true).key.clone(),
        at: at(43),
        took: Duration::from_secs(4),
        reading: Reading::ok("4 s"),
    };
    s.reduce(at(43), Event::Observed(slow));
    assert_eq!(condition(&mut s, "child", 43), Condition::Ok, "it began at 39");
    see(&mut s, "core", "icmp", 44, Outcome::Ok);
    assert_eq!(condition(&mut s, "child", 44), Condition::Critical);
}

#[test]
fn a_parent_that_recovers_while_its_child_waits_leaves_the_child_down() {
    let mut s = pair();
    see(&mut s, "core", "icmp", 39, Outcome::Critical);
    down(&mut s, "child", 40);
    assert_eq!(condition(&mut s, "child", 43), Condition::Ok, "core is suspected");
    let effects = see(&mut s, "core", "icmp", 44, Outcome::Ok);
    assert_eq!(announced(&effects), [("child".to_owned(), Condition::Critical)]);
    let child = s.publish(at(44)).host(&AssetId::new("child")).cloned().expect("there");
    assert_eq!(child.since, at(42), "since it was silent, not since it was told");
    assert_eq!(announced(&see(&mut s, "child", "icmp", 50, Outcome::Ok)), [("child".to_owned(), Condition::Ok)]);
}

#[test]
fn a_parent_that_is_not_heard_of_is_waited_for_a_bounded_time() {
    let mut s = pair();
    down(&mut s, "child", 40);
    let until = s.next_deadline().expect("a deadline");
    assert_eq!(until, at(42 + 3 * (2 + 1) + 5), "three attempts and some slack");
    s.reduce(until.minus(Duration::from_millis(1)), Event::Tick);
    assert_eq!(condition(&mut s, "child", 55), Condition::Ok);
    let effects = s.reduce(until, Event::Tick);
    assert_eq!(announced(&effects), [("child".to_owned(), Condition::Critical)]);
    // Found down later, the parent takes the blame; that is no news about the child.
    let mut late = see(&mut s, "core", "icmp", 57, Outcome::Critical);
    late.extend(see(&mut s, "core", "icmp", 58, Outcome::Critical));
    late.extend(see(&mut s, "core", "icmp", 59, Outcome::Critical));
    assert_eq!(announced(&late), [("core".to_owned(), Condition::Critical)]);
    assert_eq!(condition(&mut s, "child", 59), Condition::Unreachable);
    // It was told as a problem, so its end is told.
    let mut end = see(&mut s, "core", "icmp", 70, Outcome::Ok);
    end.extend(see(&mut s, "child", "icmp", 71, Outcome::Ok));
    assert_eq!(announced(&end), [("core".to_owned(), Condition::Ok), ("child".to_owned(), Condition::Ok)]);
}

#[test]
fn what_comes_back_with_its_parent_was_never_a_problem() {
    let mut s = pair();
    down(&mut s, "core", 40);
    down(&mut s, "child", 44);
    let back = see(&mut s, "core", "icmp", 60, Outcome::Ok);
    assert_eq!(asked(&back), ["child icmp"], "asked at once");
    assert_eq!(announced(&back), [("core".to_owned(), Condition::Ok)]);
    assert_eq!(condition(&mut s, "child", 60), Condition::Unreachable);
    // A network that is still settling: the attempts count from anew.
    let soft = see(&mut s, "child", "icmp", 61, Outcome::Critical);
    assert!(soft.iter().any(|e| matches!(e, Effect::Retry(_))) && announced(&soft).is_empty(), "{soft:?}");
    see(&mut s, "child", "icmp", 62, Outcome::Critical);
    assert!(announced(&see(&mut s, "child", "icmp", 63, Outcome::Ok)).is_empty());
    assert_eq!(condition(&mut s, "child", 63), Condition::Ok);
}

#[test]
fn what_died_while_its_parent_was_down_is_told_once_after_that() {
    let mut s = pair();
    down(&mut s, "core", 40);
    down(&mut s, "child", 44);
    see(&mut s, "core", "icmp", 60, Outcome::Ok);
    let mut all = see(&mut s, "child", "icmp", 62, Outcome::Critical);
    assert_eq!(asked(&all), ["core icmp"], "it may have gone again");
    all.extend(see(&mut s, "core", "icmp", 63, Outcome::Ok));
    for secs in [64, 66, 68] {
        all.extend(see(&mut s, "child", "icmp", secs, Outcome::Critical));
    }
    assert_eq!(announced(&all), [("child".to_owned(), Condition::Critical)]);
    assert_eq!(problems(&s.publish(at(68))), ["child DOWN"]);
}

#[test]
fn of_redundant_parents_one_that_answers_is_enough_and_two_in_doubt_are_not() {
    let hosts: &[(&str, &[&str])] = &[("a", &[]), ("b", &[]), ("c", &["a", "b"])];
    let fresh = || {
        let mut s = state(hosts, &ICMP);
        for host in ["a", "b", "c"] {
            see(&mut s, host, "icmp", 1, Outcome::Ok);
        }
        s
    };
    let mut s = fresh();
    assert_eq!(asked(&see(&mut s, "c", "icmp", 40, Outcome::Critical)), ["a icmp", "b icmp"]);
    see(&mut s, "a", "icmp", 41, Outcome::Critical);
    down(&mut s, "c", 42);
    assert_eq!(condition(&mut s, "c", 44), Condition::Ok, "b may be down as well");
    let effects = see(&mut s, "b", "icmp", 45, Outcome::Ok);
    assert_eq!(announced(&effects), [("c".to_owned(), Condition::Critical)], "though a is still suspected");

    let mut s = fresh();
    down(&mut s, "c", 40);
    down(&mut s, "a", 43);
    assert_eq!(condition(&mut s, "c", 46), Condition::Ok);
    down(&mut s, "b", 46);
    assert_eq!(condition(&mut s, "c", 49), Condition::Unreachable);
    assert_eq!(problems(&s.publish(at(49))), ["a DOWN", "b DOWN"]);
    // With one of them back the child is asked before it is blamed.
    let back = see(&mut s, "b", "icmp", 60, Outcome::Ok);
    assert_eq!((asked(&back), condition(&mut s, "c", 60)), (vec!["c icmp".to_owned()], Condition::Unreachable));
}

#[test]
fn a_chain_that_dies_from_its_top_and_is_noticed_from_its_end_is_one_problem() {
    let mut s = state(&[("core", &[]), ("dist", &["core"]), ("acc", &["dist"]), ("pc", &["acc"])], &ICMP);
    let names = ["pc", "acc", "dist", "core"];
    for host in names {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    let mut all = Vec::new();
    for (round, first) in [40, 43, 46].into_iter().enumerate() {
        for (n, host) in names.into_iter().enumerate() {
            all.extend(see(&mut s, host, "icmp", first + n as u64, Outcome::Critical));
            let listed = problems(&s.publish(at(first + n as u64)));
            let found = round == 2 && host == "core";
            assert_eq!(listed, if found { vec!["core DOWN"] } else { vec![] }, "{host} in round {round}");
        }
    }
    assert_eq!(asked(&all), ["acc icmp", "dist icmp", "core icmp"]);
    assert_eq!(announced(&all), [("core".to_owned(), Condition::Critical)]);
    let snapshot = s.publish(at(49));
    assert_eq!(snapshot.problems[0].hides, 3);
    let hides = |host: &str| s.hides(&Target::Host(AssetId::new(host)));
    assert_eq!(["core", "dist", "pc", "nobody"].map(hides), [3, 0, 0, 0]);
    assert!(snapshot.hosts.iter().skip(1).all(|h| h.behind.as_deref() == Some("core")));
}

#[test]
fn hosts_without_parents_never_wait() {
    let mut s = state(&[("a", &[])], &ICMP);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    let before = s.next_deadline();
    down(&mut s, "a", 40);
    assert_eq!(condition(&mut s, "a", 42), Condition::Critical);
    assert_eq!(s.next_deadline(), before);
}

#[test]
fn a_parent_that_cannot_be_asked_is_not_waited_for() {
    for kind in ["no checks", "its own pace"] {
        let mut inventory = (*inventory(&[("jump", &[]), ("child", &["jump"])], &ICMP)).clone();
        inventory.checks.retain(|c| kind != "no checks" || c.key.subject.id().as_str() != "jump");
        for check in &mut inventory.checks {
            if check.key.subject.id().as_str() == "jump" {
                Arc::make_mut(check).fixed_pace = true;
            }
        }
        let mut s = State::new(Policy::default());
        s.reduce(T0, Event::Inventory(Arc::new(inventory)));
        see(&mut s, "child", "icmp", 1, Outcome::Ok);
        down(&mut s, "child", 40);
        assert_eq!(condition(&mut s, "child", 42), Condition::Critical, "{kind}");
    }
}

#[test]
fn a_check_without_answer_has_the_others_of_its_host_asked_at_once() {
    let checks = [("icmp", true), ("snmp", true), ("dns", false)];
    let mut s = state(&[("a", &[])], &checks);
    for (check, _) in checks {
        see(&mut s, "a", check, 1, Outcome::Ok);
    }
    assert_eq!(asked(&see(&mut s, "a", "icmp", 40, Outcome::Critical)), ["a snmp"]);
    assert!(asked(&see(&mut s, "a", "snmp", 42, Outcome::Critical)).is_empty(), "icmp is being asked anyway");
    assert!(asked(&see(&mut s, "a", "dns", 43, Outcome::Critical)).is_empty(), "it proves nothing about the host");
    assert!(asked(&see(&mut s, "a", "icmp", 44, Outcome::Critical)).is_empty());
    // One of them hard and the other not yet: nothing is said of the host before both are.
    let mut all = see(&mut s, "a", "icmp", 46, Outcome::Critical);
    assert_eq!(condition(&mut s, "a", 46), Condition::Ok);
    all.extend(see(&mut s, "a", "snmp", 48, Outcome::Critical));
    all.extend(see(&mut s, "a", "snmp", 50, Outcome::Critical));
    assert_eq!(announced(&all), [("a".to_owned(), Condition::Critical)]);
    // And back: the others are asked anew, and their silence from before is forgotten.
    let back = see(&mut s, "a", "snmp", 90, Outcome::Ok);
    assert_eq!(
        (asked(&back), announced(&back)),
        (vec!["a dns".into(), "a icmp".into()], vec![("a".into(), Condition::Ok)])
    );
    let mut all = see(&mut s, "a", "icmp", 91, Outcome::Critical);
    all.extend(see(&mut s, "a", "icmp", 93, Outcome::Critical));
    assert!(announced(&all).is_empty());
    all.extend(see(&mut s, "a", "snmp", 94, Outcome::Ok));
    let last = see(&mut s, "a", "icmp", 95, Outcome::Critical);
    assert_eq!(announced(&last), [("a".to_owned(), Condition::Unknown)], "one protocol is silent for good");
}

#[test]
fn what_is_tagged_core_is_down_when_one_check_is_sure_and_the_others_got_no_answer_about_then() {
    let checks = [("icmp", true), ("ssh", true), ("dns", false)];
    let mut inventory = (*inventory(&[("a", &[])], &checks)).clone();
    for host in &mut inventory.hosts {
        Arc::make_mut(host).tags = vec!["core".into()];
    }
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    for (check, _) in checks {
        see(&mut s, "a", check, 1, Outcome::Ok);
    }
    see(&mut s, "a", "icmp", 40, Outcome::Critical);
    see(&mut s, "a", "ssh", 42, Outcome::Critical);
    see(&mut s, "a", "icmp", 42, Outcome::Critical);
    let all = see(&mut s, "a", "icmp", 44, Outcome::Critical);
    assert_eq!(announced(&all), [("a".to_owned(), Condition::Critical)]);
    // Back, and silent to one protocol for long: one miss of the other convinces nobody.
    see(&mut s, "a", "ssh", 60, Outcome::Ok);
    for at in [61, 62, 63, 64] {
        see(&mut s, "a", "icmp", at, Outcome::Critical);
    }
    see(&mut s, "a", "ssh", 90, Outcome::Ok);
    see(&mut s, "a", "icmp", 120, Outcome::Critical);
    see(&mut s, "a", "ssh", 121, Outcome::Critical);
    assert_ne!(condition(&mut s, "a", 121), Condition::Critical);
}

#[test]
fn a_restart_tells_nothing_and_waits_for_nobody() {
    let remembered = |host: &str| Remembered {
        check: spec(host, "icmp", true).key.clone(),
        condition: Condition::Critical,
        since: T0.minus(Duration::from_secs(900)),
        last_good: Some(T0.minus(Duration::from_secs(1_000))),
        observation: Observation {
            check: CheckKey { subject: Subject::Host(AssetId::new(host)), name: "icmp".into() },
            at: T0.minus(Duration::from_secs(20)),
            took: Duration::ZERO,
            reading: Reading::critical("no answer"),
        },
        flap: crate::model::Flap::default(),
    };
    let mut s = State::new(Policy::default());
    let mut all = s.reduce(T0, Event::Restored(vec![remembered("core"), remembered("child")]));
    all.extend(s.reduce(T0, Event::Inventory(inventory(&[("core", &[]), ("child", &["core"])], &ICMP))));
    assert_eq!((problems(&s.publish(T0)), announced(&all)), (vec!["core DOWN".to_owned()], vec![]));
    // The parent answers: the child's old result says nothing about it.
    let back = see(&mut s, "core", "icmp", 2, Outcome::Ok);
    assert_eq!((asked(&back), announced(&back)), (vec!["child icmp".into()], vec![("core".into(), Condition::Ok)]));
    assert_eq!(condition(&mut s, "child", 2), Condition::Unreachable);
    assert!(announced(&see(&mut s, "child", "icmp", 3, Outcome::Ok)).is_empty());
}

#[test]
fn a_reload_goes_on_waiting() {
    let mut s = pair();
    down(&mut s, "child", 40);
    s.reduce(at(43), Event::Inventory(inventory(&[("core", &[]), ("child", &["core"])], &ICMP)));
    assert_eq!(condition(&mut s, "child", 43), Condition::Ok);
    let until = s.next_deadline().expect("a deadline");
    assert_eq!(announced(&s.reduce(until, Event::Tick)), [("child".to_owned(), Condition::Critical)]);
}

#[test]
fn one_headless_cycle_waits_for_nothing() {
    let policy = Policy { longest_wait: Duration::ZERO, ..Default::default() };
    let mut s = State::new(policy);
    s.reduce(T0, Event::Inventory(inventory(&[("core", &[]), ("child", &["core"])], &ICMP)));
    see(&mut s, "core", "icmp", 1, Outcome::Ok);
    see(&mut s, "child", "icmp", 1, Outcome::Ok);
    assert!(asked(&see(&mut s, "child", "icmp", 2, Outcome::Critical)).is_empty());
    down(&mut s, "child", 3);
    assert_eq!(condition(&mut s, "child", 5), Condition::Critical);
    down(&mut s, "core", 6);
    assert_eq!(condition(&mut s, "child", 8), Condition::Unreachable);
}

#[test]
fn a_log_in_that_nobody_can_use_is_critical_where_the_host_answers_to_echoes_and_an_agent_that_is_silent_leaves_it_open()
 {
    let of = |policy: Policy, silent: &str| {
        let mut s = State::new(policy);
        s.reduce(T0, Event::Inventory(inventory(&[("a", &[])], &[("icmp", true), (silent, true)])));
        see(&mut s, "a", "icmp", 1, Outcome::Ok);
        for secs in [1, 2, 3] {
            see(&mut s, "a", silent, secs, Outcome::Critical);
        }
        s
    };
    // In one headless cycle nothing is asked again on behalf of the other, and so nothing is left open.
    let headless = || Policy { longest_wait: Duration::ZERO, ..Policy::default() };
    for (silent, is) in [("ssh", Condition::Critical), ("snmp", Condition::Unknown)] {
        assert_eq!(condition(&mut of(headless(), silent), "a", 3), is, "{silent}");
        let mut s = of(Policy::default(), silent);
        assert_eq!(condition(&mut s, "a", 3), Condition::Ok, "{silent}: the host may be down");
        see(&mut s, "a", "icmp", 4, Outcome::Ok);
        assert_eq!(condition(&mut s, "a", 4), is, "{silent}");
    }
}

#[test]
fn a_host_that_was_found_says_what_is_well_and_not_what_nobody_asked_for_and_never_worked() {
    let mut found = (*inventory(&[("resolver", &[])], &[("icmp", true), ("dns", false)])).clone();
    Arc::make_mut(&mut found.hosts[0]).origin = Origin::Resolver;
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(found)));
    for (check, secs, outcome, words) in [
        ("icmp", 1, Outcome::Critical, "refused by a packet filter (port unreachable)"),
        ("dns", 2, Outcome::Ok, "192.0.2.7"),
        ("icmp", 3, Outcome::Critical, "refused by a packet filter (port unreachable)"),
        ("icmp", 5, Outcome::Critical, "refused by a packet filter (port unreachable)"),
        ("dns", 6, Outcome::Ok, "192.0.2.7"),
    ] {
        let check = spec("resolver", check, false).key.clone();
        let reading = Reading::new(outcome, words);
        s.reduce(
            at(secs),
            Event::Observed(Observation { check, at: at(secs), took: Duration::from_millis(9), reading }),
        );
    }
    let snapshot = s.publish(at(6));
    let host = &snapshot.hosts[0];
    assert_eq!((host.condition, host.reason.line()), (Condition::Ok, "192.0.2.7".into()));
}

/// Bad and good in turn, every three seconds, `times` each; ends good.
fn flap(s: &mut State, host: &str, from: u64, times: u64) -> Vec<Effect> {
    let pair = |n: u64| [(from + 6 * n, Outcome::Critical), (from + 6 * n + 3, Outcome::Ok)];
    (0..times).flat_map(pair).flat_map(|(secs, outcome)| see(s, host, "icmp", secs, outcome)).collect()
}

fn news(effects: &[Effect]) -> Vec<(String, News, Condition)> {
    let announce = |effect: &Effect| match effect {
        Effect::Announce { asset, to, news, .. } => Some((asset.as_str().to_owned(), *news, *to)),
        _ => None,
    };
    effects.iter().filter_map(announce).collect()
}

#[test]
fn what_flaps_is_one_problem_of_its_own_kind_and_told_twice() {
    let mut s = state(&[("a", &[])], &ICMP);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    let mut all = flap(&mut s, "a", 10, 10);
    let snapshot = s.publish(at(70));
    assert_eq!(problems(&snapshot), ["a FLAPPING"]);
    let flapping = snapshot.hosts[0].care.flapping.expect("it flaps");
    assert!(flapping.percent > 30 && flapping.worst == Condition::Warning, "{flapping:?}");
    assert_eq!((snapshot.hosts[0].condition, snapshot.totals.flapping), (Condition::Ok, 1));
    assert!(
        snapshot.problems[0].reason.line().contains("% of its results change"),
        "{:?}",
        snapshot.problems[0].reason
    );
    // Down and up meanwhile: shown, and not told.
    all.extend((0..3).flat_map(|n| see(&mut s, "a", "icmp", 80 + n, Outcome::Critical)));
    assert_eq!(s.publish(at(83)).problems[0].condition, Condition::Critical);
    all.extend((0..30).flat_map(|n| see(&mut s, "a", "icmp", 90 + n, Outcome::Ok)));
    assert_eq!(problems(&s.publish(at(120))), Vec::<String>::new());
    let expected =
        [("a".to_owned(), News::FlappingBegins, Condition::Ok), ("a".to_owned(), News::FlappingEnds, Condition::Ok)];
    assert_eq!(news(&all), expected);
}

#[test]
fn what_flapped_and_stays_down_is_told_when_it_stands_still() {
    let mut s = state(&[("a", &[])], &ICMP);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    let mut all = flap(&mut s, "a", 10, 10);
    all.extend((0..30).flat_map(|n| see(&mut s, "a", "icmp", 90 + n, Outcome::Critical)));
    let last = news(&all).pop();
    assert_eq!(last, Some(("a".to_owned(), News::FlappingEnds, Condition::Critical)));
    assert_eq!(problems(&s.publish(at(130))), ["a DOWN"]);
    assert_eq!(announced(&see(&mut s, "a", "icmp", 200, Outcome::Ok)), [("a".to_owned(), Condition::Ok)]);
}

#[test]
fn another_check_of_what_flaps_is_told_as_ever() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("dns", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    for n in 0..10 {
        see(&mut s, "a", "dns", 10 + 2 * n, if n % 2 == 0 { Outcome::Ok } else { Outcome::Critical });
    }
    assert_eq!(problems(&s.publish(at(30))), ["a FLAPPING"]);
    let all: Vec<Effect> = (0..3).flat_map(|n| see(&mut s, "a", "icmp", 40 + n, Outcome::Critical)).collect();
    assert_eq!(announced(&all), [("a".to_owned(), Condition::Critical)]);
    assert_eq!(problems(&s.publish(at(43))), ["a DOWN"]);
}

#[test]
fn what_hangs_on_something_that_flaps_is_hidden_behind_it() {
    let mut s = pair();
    let mut all = Vec::new();
    for n in 0..12 {
        for host in ["core", "child"] {
            let outcome = if n % 2 == 0 { Outcome::Critical } else { Outcome::Ok };
            all.extend(see(&mut s, host, "icmp", 10 + 3 * n, outcome));
        }
    }
    assert_eq!(problems(&s.publish(at(60))), ["core FLAPPING"]);
    assert_eq!(news(&all).len(), 1, "{:?}", news(&all));
}

#[test]
fn flapping_survives_a_restart_without_being_told_anew() {
    let mut s = state(&[("a", &[])], &ICMP);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    flap(&mut s, "a", 10, 10);
    let check = s.publish(at(70)).hosts[0].checks[0].clone();
    let remembered = Remembered {
        check: check.spec.key.clone(),
        condition: check.condition,
        since: check.since,
        last_good: check.last_good,
        observation: (**check.last.as_ref().expect("seen")).clone(),
        flap: check.flap,
    };
    let mut s = State::new(Policy::default());
    let mut all = s.reduce(at(71), Event::Restored(vec![remembered]));
    all.extend(s.reduce(at(71), Event::Inventory(inventory(&[("a", &[])], &ICMP))));
    assert_eq!(problems(&s.publish(at(71))), ["a FLAPPING"]);
    all.extend(flap(&mut s, "a", 80, 3));
    assert_eq!(news(&all), []);
}

const SERVED: [(&str, bool); 2] = [("icmp", true), ("tcp", false)];

/// `core` with `child` on it, which serves something; all seen good.
fn served() -> State {
    let mut s = state(&[("core", &[]), ("child", &["core"])], &SERVED);
    for (host, check) in [("core", "icmp"), ("core", "tcp"), ("child", "icmp"), ("child", "tcp")] {
        see(&mut s, host, check, 1, Outcome::Ok);
    }
    s
}

#[test]
fn a_service_that_ends_alone_is_told_once_its_host_has_answered_since() {
    let mut s = served();
    let effects = see(&mut s, "child", "tcp", 40, Outcome::Critical);
    assert_eq!(asked(&effects), ["child icmp"], "at the first bad result");
    see(&mut s, "child", "icmp", 41, Outcome::Ok);
    see(&mut s, "child", "tcp", 45, Outcome::Critical);
    see(&mut s, "child", "icmp", 45, Outcome::Ok);
    assert_eq!(asked(&see(&mut s, "child", "tcp", 50, Outcome::Critical)), ["child icmp"], "it may have died since");
    let effects = see(&mut s, "child", "icmp", 50, Outcome::Ok);
    assert_eq!(announced(&effects), [("child".to_owned(), Condition::Critical)]);
    let snapshot = s.publish(at(50));
    assert_eq!(problems(&snapshot), ["child CRITICAL"]);
    assert_eq!(asked(&see(&mut s, "child", "tcp", 60, Outcome::Critical)), [""; 0], "it is known");
}

#[test]
fn a_service_that_is_found_before_its_host_is_is_not_told_of() {
    let mut s = served();
    let mut all = Vec::new();
    for secs in [40, 41, 42] {
        all.extend(see(&mut s, "child", "tcp", secs, Outcome::Critical));
    }
    assert_eq!(problems(&s.publish(at(42))), Vec::<String>::new(), "nobody has said that it lives");
    assert_eq!(asked(&all), ["child icmp"], "once");
    for (host, secs) in [("child", 43), ("core", 43), ("child", 44), ("core", 44), ("child", 45), ("core", 45)] {
        all.extend(see(&mut s, host, "icmp", secs, Outcome::Critical));
    }
    assert_eq!(announced(&all), [("core".to_owned(), Condition::Critical)]);
    assert_eq!(condition(&mut s, "child", 45), Condition::Unreachable);
    // Back: what was found of the service meanwhile says nothing of it.
    all = see(&mut s, "core", "icmp", 60, Outcome::Ok);
    all.extend(see(&mut s, "core", "tcp", 60, Outcome::Ok));
    all.extend(see(&mut s, "child", "icmp", 61, Outcome::Ok));
    assert_eq!(announced(&all), [("core".to_owned(), Condition::Ok)]);
    assert!(asked(&all).contains(&"child tcp".to_owned()), "{:?}", asked(&all));
    all = see(&mut s, "child", "tcp", 62, Outcome::Critical);
    assert_eq!(announced(&all), [], "as many bad results as ever");
    see(&mut s, "child", "tcp", 64, Outcome::Critical);
    see(&mut s, "child", "tcp", 66, Outcome::Critical);
    all = see(&mut s, "child", "icmp", 66, Outcome::Ok);
    assert_eq!(announced(&all), [("child".to_owned(), Condition::Critical)], "it did not come back");
}

#[test]
fn a_service_that_was_bad_before_its_host_died_is_still_bad_when_it_is_back() {
    let mut s = served();
    see(&mut s, "child", "tcp", 40, Outcome::Critical);
    see(&mut s, "child", "tcp", 41, Outcome::Critical);
    see(&mut s, "child", "tcp", 42, Outcome::Critical);
    see(&mut s, "child", "icmp", 42, Outcome::Ok);
    down(&mut s, "core", 50);
    down(&mut s, "child", 51);
    let mut all = see(&mut s, "child", "tcp", 55, Outcome::Critical);
    all.extend(see(&mut s, "core", "icmp", 60, Outcome::Ok));
    all.extend(see(&mut s, "child", "icmp", 61, Outcome::Ok));
    let of_child = announced(&all).into_iter().filter(|(host, _)| host == "child").collect::<Vec<_>>();
    assert_eq!(of_child, [], "it is told already");
    assert_eq!(condition(&mut s, "child", 61), Condition::Critical);
}

#[test]
fn a_service_of_a_host_that_nobody_vouches_for_is_told_of_when_that_took_too_long() {
    let mut s = served();
    for secs in [40, 41, 42] {
        see(&mut s, "child", "tcp", secs, Outcome::Critical);
    }
    assert_eq!(condition(&mut s, "child", 42), Condition::Ok);
    let effects = see(&mut s, "child", "tcp", 80, Outcome::Critical);
    assert_eq!(announced(&effects), [("child".to_owned(), Condition::Critical)]);
}

#[test]
fn what_was_found_and_never_told_is_over_without_a_word() {
    for outcome in [Outcome::Unknown, Outcome::Warning, Outcome::Critical] {
        let mut s = state(&[("a", &[])], &ICMP);
        for second in 1..4 {
            assert_eq!(announced(&see(&mut s, "a", "icmp", second, outcome)), []);
        }
        assert!(condition(&mut s, "a", 4).is_problem());
        assert_eq!(announced(&see(&mut s, "a", "icmp", 31, Outcome::Ok)), [], "{outcome:?}");
        let mut all = Vec::new();
        for second in 61..64 {
            all.extend(see(&mut s, "a", "icmp", second, outcome));
        }
        all.extend(see(&mut s, "a", "icmp", 91, Outcome::Ok));
        assert_eq!(announced(&all).len(), 2, "the next time it was seen right before");
    }
}

#[test]
fn what_was_found_and_got_worse_is_told_and_so_is_its_end() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("disk", false)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    let mut all = Vec::new();
    for (second, outcome) in [(2, Outcome::Warning), (3, Outcome::Warning), (4, Outcome::Warning)] {
        all.extend(see(&mut s, "a", "disk", second, outcome));
    }
    assert_eq!((announced(&all), condition(&mut s, "a", 4)), (Vec::new(), Condition::Warning));
    let told = |condition| vec![("a".to_owned(), condition)];
    assert_eq!(announced(&see(&mut s, "a", "disk", 61, Outcome::Critical)), told(Condition::Critical));
    assert_eq!(announced(&see(&mut s, "a", "disk", 121, Outcome::Ok)), told(Condition::Ok));
}

/// `a` as an earlier run left it: without an answer.
fn remembered(last_good: Option<Timestamp>) -> Remembered {
    let check = CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() };
    let reading = Reading::critical("no answer");
    let observation = Observation { check: check.clone(), at: at(20), took: Duration::ZERO, reading };
    let flap = crate::model::Flap::default();
    Remembered { check, condition: Condition::Critical, since: at(20), last_good, observation, flap }
}

#[test]
fn what_an_earlier_run_told_is_over_with_a_word_after_a_restart() {
    for (last_good, told) in [(Some(at(10)), vec![("a".to_owned(), Condition::Ok)]), (None, Vec::new())] {
        let mut s = State::new(Policy::default());
        s.reduce(at(30), Event::Restored(vec![remembered(last_good)]));
        let found = s.reduce(at(30), Event::Inventory(inventory(&[("a", &[])], &ICMP)));
        assert_eq!(announced(&found), []);
        assert_eq!(announced(&see(&mut s, "a", "icmp", 40, Outcome::Ok)), told);
    }
    // The store may be slower than the first results.
    for before in [1, 3] {
        let mut s = state(&[("a", &[])], &ICMP);
        for second in 0..3 {
            if second == before {
                s.reduce(at(32), Event::Restored(vec![remembered(Some(at(10)))]));
            }
            see(&mut s, "a", "icmp", 31 + second, Outcome::Critical);
        }
        if before == 3 {
            s.reduce(at(35), Event::Restored(vec![remembered(Some(at(10)))]));
        }
        let told = announced(&see(&mut s, "a", "icmp", 40, Outcome::Ok));
        assert_eq!(told, [("a".to_owned(), Condition::Ok)], "restored after {before}");
    }
}
