//! Sight, vote by vote. The whole, with a schedule and thousands of hosts, is tested with the engine.

use super::super::tests::{T0, at, see};
use super::*;
use crate::model::{CheckKey, Condition, Host, Inventory, Observation, Outcome, Policy, Reading, Remembered, Subject};
use crate::state::snapshot::Cause;
use crate::state::{Event, HostWatch, Snapshot};

fn world(hosts: &[(&str, Origin, &[&str])]) -> State {
    let mut inventory = Inventory::default();
    for (name, origin, parents) in hosts {
        let mut host = Host::new(name, Some("192.0.2.1"), *origin);
        host.parents = parents.iter().map(crate::model::AssetId::new).collect();
        inventory.hosts.push(Arc::new(host));
        inventory.checks.push(super::super::tests::spec(name, "icmp", true));
    }
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    for (name, ..) in hosts {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    s
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("h{n}")).collect()
}

fn flat(count: usize) -> State {
    let names = names(count);
    let hosts: Vec<(&str, Origin, &[&str])> =
        names.iter().map(|name| (name.as_str(), Origin::Config, &[][..])).collect();
    world(&hosts)
}

fn told(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Announce { .. })).count()
}

fn words(snapshot: &Snapshot) -> Vec<String> {
    snapshot.problems.iter().map(|p| p.word.to_string()).collect()
}

#[test]
fn five_of_six_that_fall_silent_are_a_blind_console() {
    let mut s = flat(6);
    let mut all = Vec::new();
    for round in 0..4 {
        for (n, name) in names(5).iter().enumerate() {
            all.extend(see(&mut s, name, "icmp", 40 + round * 3 + n as u64 / 2, Outcome::Critical));
        }
    }
    let snapshot = s.publish(at(60));
    assert_eq!((told(&all), words(&snapshot)), (0, vec!["CAN'T SEE".to_owned()]));
    let blind = snapshot.engine.blind.expect("blind");
    assert_eq!((blind.since, blind.silent, blind.targets), (at(40), 5, 6));
    assert!(snapshot.problems[0].reason.line().starts_with("5 of 6 targets"));
    let stale: Vec<bool> = snapshot.hosts.iter().map(|h| h.stale).collect();
    assert_eq!(stale, [true, true, true, true, true, false]);
    assert!(snapshot.hosts.iter().all(|h| h.condition == Condition::Ok), "the last that was seen");
    // Sight is back: those that are silent are asked at once, and as often as ever before anything is said.
    let mut back = Vec::new();
    for (n, name) in names(3).iter().enumerate() {
        back.extend(see(&mut s, name, "icmp", 70 + n as u64, Outcome::Ok));
    }
    assert_eq!((s.publish(at(73)).engine.blind, told(&back)), (None, 0));
    let asked = |name: &str| back.iter().any(|e| matches!(e, Effect::Ask(key) if key.subject.id().as_str() == name));
    assert!(asked("h3") && asked("h4"));
    assert_eq!(told(&see(&mut s, "h3", "icmp", 75, Outcome::Critical)), 0);
    assert_eq!(told(&see(&mut s, "h3", "icmp", 76, Outcome::Critical)), 0);
    assert_eq!(told(&see(&mut s, "h3", "icmp", 77, Outcome::Critical)), 1, "this one is really down");
    assert_eq!(told(&see(&mut s, "h4", "icmp", 78, Outcome::Ok)), 0);
    assert_eq!(words(&s.publish(at(78))), ["DOWN"]);
}

#[test]
fn what_hangs_on_a_dead_router_says_nothing_about_the_console() {
    let children = names(12);
    let mut hosts: Vec<(&str, Origin, &[&str])> = vec![("core", Origin::Config, &[])];
    hosts.extend(children.iter().map(|name| (name.as_str(), Origin::Config, &["core"][..])));
    let mut s = world(&hosts);
    for round in 0..3 {
        for name in std::iter::once("core").chain(children.iter().map(String::as_str)) {
            see(&mut s, name, "icmp", 40 + round, Outcome::Critical);
        }
    }
    let snapshot = s.publish(at(50));
    assert_eq!((words(&snapshot), snapshot.problems[0].hides), (vec!["DOWN".to_owned()], 12));
}

#[test]
fn with_the_default_gateway_two_are_enough() {
    let hosts: &[(&str, Origin, &[&str])] =
        &[("here", Origin::Local, &[]), ("gateway", Origin::Gateway, &[]), ("dns", Origin::Resolver, &[])];
    let mut s = world(hosts);
    let mut all = Vec::new();
    for round in 0..4 {
        all.extend(see(&mut s, "gateway", "icmp", 40 + 3 * round, Outcome::Critical));
        all.extend(see(&mut s, "dns", "icmp", 41 + 3 * round, Outcome::Critical));
        all.extend(see(&mut s, "here", "icmp", 41 + 3 * round, Outcome::Ok));
    }
    assert_eq!((told(&all), words(&s.publish(at(60)))), (0, vec!["CAN'T SEE".to_owned()]));
    // The gateway alone is a gateway that is down: others are seen.
    let mut s = world(hosts);
    let mut all = Vec::new();
    for round in 0..20 {
        all.extend(see(&mut s, "gateway", "icmp", 40 + 3 * round, Outcome::Critical));
        all.extend(see(&mut s, "dns", "icmp", 41 + 3 * round, Outcome::Ok));
        all.extend(s.reduce(at(41 + 3 * round), Event::Tick));
    }
    assert_eq!((told(&all), words(&s.publish(at(100)))), (1, vec!["DOWN".to_owned()]));
}

#[test]
fn a_doubt_costs_seconds_and_ends_by_itself() {
    let mut s = flat(10);
    let mut all = Vec::new();
    for name in names(4) {
        all.extend(see(&mut s, &name, "icmp", 40, Outcome::Critical));
    }
    let asked = all.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
    assert!(asked >= 6, "all others are asked: {asked}");
    for secs in [41, 42, 43] {
        all.extend(see(&mut s, "h0", "icmp", secs, Outcome::Critical));
    }
    assert_eq!(told(&all), 0, "it is open whether anything is seen");
    // Nobody else says anything: then it counts.
    let until = s.next_deadline().expect("it ends");
    assert!(until <= at(40).plus(DOUBT));
    s.reduce(until, Event::Tick);
    assert_eq!(told(&see(&mut s, "h0", "icmp", 56, Outcome::Critical)), 1);
    // Where others answer it ends with that.
    let mut s = flat(10);
    for name in names(3) {
        see(&mut s, &name, "icmp", 40, Outcome::Critical);
    }
    for name in ["h5", "h6", "h7", "h8"] {
        see(&mut s, name, "icmp", 41, Outcome::Ok);
    }
    see(&mut s, "h0", "icmp", 42, Outcome::Critical);
    assert_eq!(told(&see(&mut s, "h0", "icmp", 43, Outcome::Critical)), 1);
}

/// One that is asked each second and answers must not outvote all others that fall silent.
#[test]
fn a_watched_host_that_answers_weighs_no_more_than_any_other() {
    let mut s = flat(10);
    let host = crate::model::AssetId::new("h9");
    let (every, until) = (Duration::from_secs(1), at(900));
    let watch = HostWatch { asset: host, check: "icmp".into(), every, since: at(1), until };
    s.reduce(at(1), Event::WatchingHosts([watch].into()));
    let mut all = Vec::new();
    for second in 40..70 {
        all.extend(see(&mut s, "h9", "icmp", second, Outcome::Ok));
        // The others each in their turn, again and again.
        for n in (0..9).filter(|n| (second - 40) % 9 == *n) {
            all.extend(see(&mut s, &format!("h{n}"), "icmp", second, Outcome::Critical));
        }
    }
    let snapshot = s.publish(at(70));
    assert_eq!((told(&all), words(&snapshot)), (0, vec!["CAN'T SEE".to_owned()]));
}

#[test]
fn a_restart_without_network_tells_nothing_and_shows_what_was_known() {
    let names = names(8);
    let remembered = |name: &String| {
        let check = CheckKey { subject: Subject::Host(crate::model::AssetId::new(name)), name: "icmp".into() };
        let observation =
            Observation { check: check.clone(), at: T0, took: Duration::ZERO, reading: Reading::ok("here") };
        let flap = crate::model::Flap::default();
        Remembered { check, condition: Condition::Ok, since: T0, last_good: Some(T0), observation, flap }
    };
    let hosts: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    let mut s = State::new(Policy::default());
    let mut all = s.reduce(at(5), Event::Restored(names.iter().map(remembered).collect()));
    all.extend(s.reduce(at(5), Event::Inventory(super::super::tests::inventory(&hosts, &[("icmp", true)]))));
    for round in 0..4 {
        for name in &names {
            all.extend(see(&mut s, name, "icmp", 7 + 3 * round, Outcome::Critical));
        }
    }
    let snapshot = s.publish(at(30));
    assert_eq!((told(&all), words(&snapshot)), (0, vec!["CAN'T SEE".to_owned()]));
    assert!(snapshot.hosts.iter().all(|h| h.stale && h.condition == Condition::Ok));
}

#[test]
fn a_result_from_a_clock_that_was_ahead_is_old() {
    let check = CheckKey { subject: Subject::Host(crate::model::AssetId::new("a")), name: "icmp".into() };
    let ahead = at(7_200);
    let observation =
        Observation { check: check.clone(), at: ahead, took: Duration::ZERO, reading: Reading::ok("here") };
    let flap = crate::model::Flap::default();
    let one = Remembered { check, condition: Condition::Ok, since: ahead, last_good: Some(ahead), observation, flap };
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Restored(vec![one]));
    s.reduce(at(0), Event::Inventory(super::super::tests::inventory(&[("a", &[])], &[("icmp", true)])));
    assert!(s.publish(at(0)).hosts[0].stale, "how old it is cannot be told");
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    assert!(!s.publish(at(1)).hosts[0].stale);
}

#[test]
fn without_a_way_out_the_console_is_blind_at_once_and_says_why() {
    let mut s = flat(6);
    let effects = s.reduce(at(40), Event::Uplink(Some("no default route".into())));
    let asked = effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
    assert_eq!((asked, told(&effects)), (6, 0), "whether most answer all the same is found out");
    let blind = s.publish(at(40)).engine.blind.expect("blind");
    assert_eq!((blind.since, blind.cause), (at(40), Cause::NoWayOut("no default route".into())));
    let reason = |s: &mut State, secs| s.publish(at(secs)).problems[0].reason.line();
    assert_eq!(reason(&mut s, 40), "no default route: nothing new is believed");
    see(&mut s, "h0", "icmp", 41, Outcome::Critical);
    assert_eq!(reason(&mut s, 41), "no default route · 1 of 6 targets that answered are silent");
    // Back with one that is silent: that one is asked at once.
    let back = s.reduce(at(45), Event::Uplink(None));
    assert!(matches!(&back[..], [Effect::Ask(key)] if key.subject.id().as_str() == "h0"), "{back:?}");
    assert!(s.publish(at(45)).engine.blind.is_some());
    see(&mut s, "h0", "icmp", 46, Outcome::Ok);
    assert!(s.publish(at(46)).problems.is_empty());
    // Back before anything fell: at once.
    s.reduce(at(50), Event::Uplink(Some("no default route".into())));
    s.reduce(at(56), Event::Uplink(None));
    assert!(s.publish(at(56)).engine.blind.is_none());
}

#[test]
fn a_console_that_never_saw_anything_elsewhere_needs_no_way_out() {
    let hosts = [("a", &[][..]), ("b", &[]), ("c", &[])];
    // These are on 127.0.0.1.
    let mut s = super::super::tests::state(&hosts, &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    s.reduce(at(40), Event::Uplink(Some("no default route".into())));
    assert!(s.publish(at(40)).engine.blind.is_none());
    let mut unseen = State::new(Policy::default());
    let mut inventory = Inventory::default();
    inventory.hosts.push(Arc::new(Host::new("far", Some("192.0.2.1"), Origin::Config)));
    inventory.checks.push(super::super::tests::spec("far", "icmp", true));
    unseen.reduce(T0, Event::Inventory(Arc::new(inventory)));
    unseen.reduce(at(40), Event::Uplink(Some("no default route".into())));
    assert!(unseen.publish(at(40)).engine.blind.is_none());
}

#[test]
fn what_answers_on_this_machine_says_nothing_about_its_way_out() {
    let mut inventory = Inventory::default();
    for (name, address) in [("far", "192.0.2.1"), ("b", "127.0.0.2"), ("c", "::1"), ("d", "localhost")] {
        inventory.hosts.push(Arc::new(Host::new(name, Some(address), Origin::Config)));
        inventory.checks.push(super::super::tests::spec(name, "icmp", true));
    }
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    for name in ["far", "b", "c", "d"] {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    s.reduce(at(40), Event::Uplink(Some("eth0 has no carrier".into())));
    for name in ["b", "c", "d"] {
        see(&mut s, name, "icmp", 41, Outcome::Ok);
    }
    assert!(s.publish(at(41)).engine.blind.is_some());
    let effects = see(&mut s, "far", "icmp", 42, Outcome::Ok);
    assert!(s.publish(at(42)).engine.blind.is_none());
    assert!(effects.contains(&Effect::LookOut), "it may have a way out again");
}

#[test]
fn what_is_behind_the_gateway_votes_as_if_it_were_not() {
    let mut inventory = Inventory::default();
    for (name, origin) in [("gateway", Origin::Gateway), ("a", Origin::Config), ("b", Origin::Config)] {
        inventory.hosts.push(Arc::new(Host::new(name, Some("192.0.2.1"), origin)));
        inventory.checks.push(super::super::tests::spec(name, "icmp", true));
        let gateway = (crate::model::AssetId::new("gateway"), Inference::Gateway);
        inventory.inferred.insert(crate::model::AssetId::new(name), gateway);
    }
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    for name in ["gateway", "a", "b"] {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    let mut all = Vec::new();
    for round in 0..3 {
        for name in ["gateway", "a", "b"] {
            all.extend(see(&mut s, name, "icmp", 40 + round, Outcome::Critical));
        }
    }
    assert_eq!((told(&all), words(&s.publish(at(50)))), (0, vec!["CAN'T SEE".to_owned()]));
}

#[test]
fn what_brings_fresh_results_without_a_way_out_is_not_stale_and_what_dies_on_this_machine_is_down() {
    let hosts: [(&str, &[&str]); 3] = [("far", &[]), ("near", &[]), ("here", &[])];
    let mut s = super::super::tests::state(&hosts, &[("icmp", true), ("plugin", false)]);
    let mut inventory = (**s.inventory()).clone();
    for host in &mut inventory.hosts {
        let address = if &*host.name == "here" { "127.0.0.1" } else { "192.0.2.1" };
        Arc::make_mut(host).address = Some(address.into());
    }
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    for name in ["far", "near", "here"] {
        for check in ["icmp", "plugin"] {
            see(&mut s, name, check, 1, Outcome::Ok);
        }
    }
    s.reduce(at(2), Event::Uplink(Some("no default route".into())));
    let mut shown = |secs: u64, seen: &[(&str, &str, Outcome)]| {
        for (host, check, outcome) in seen {
            see(&mut s, host, check, secs, *outcome);
        }
        let snapshot = s.publish(at(secs));
        let word = |host: &Arc<crate::state::HostView>| {
            let stale = host.checks.iter().map(|check| if check.stale { 's' } else { '-' }).collect::<String>();
            format!("{} {} {stale}{}", host.host.name, host.condition.as_str(), if host.stale { " stale" } else { "" })
        };
        snapshot.hosts.iter().map(word).collect::<Vec<_>>()
    };
    let far = [("far", "icmp", Outcome::Critical), ("far", "plugin", Outcome::Critical)];
    shown(3, &far);
    let near = [("near", "icmp", Outcome::Ok), ("near", "plugin", Outcome::Ok)];
    shown(4, &near);
    assert_eq!(shown(5, &[("here", "plugin", Outcome::Ok)]), ["far ok ss stale", "near ok --", "here ok --"]);
    let dead = [("here", "icmp", Outcome::Critical); 3];
    assert_eq!(shown(6, &dead)[2], "here critical --", "nothing lies between");
}

#[test]
fn what_falls_in_one_moment_at_a_start_while_most_others_answered_is_no_blindness() {
    let names = names(40);
    let mut s = flat(40);
    let look = |s: &mut State, name: &str, millis: i64, took: u64, outcome| {
        let at = at(100).shifted(millis);
        let check = CheckKey { subject: Subject::Host(crate::model::AssetId::new(name)), name: "icmp".into() };
        let took = Duration::from_millis(took);
        s.reduce(at, Event::Observed(Observation { check, at, took, reading: Reading::new(outcome, "x") }));
    };
    let mut blind = |dead: usize| {
        // All are asked at once; who answers does so at once, and who is dead is so after two seconds.
        for name in &names[dead..] {
            look(&mut s, name, 1, 1, Outcome::Ok);
        }
        for name in &names[..dead] {
            look(&mut s, name, 2_000, 2_000, Outcome::Critical);
        }
        s.publish(at(103)).engine.blind.is_some()
    };
    assert!(!blind(18));
    assert!(blind(38), "that is most of all");
}

#[test]
fn what_hangs_on_a_switch_and_is_found_dead_before_it_is_no_blindness() {
    let names = names(12);
    let parent: &[&str] = &["core"];
    let roots = ["core", "r1", "r2", "r3", "r4"].map(|name| (name, Origin::Config, &[][..]));
    let mut hosts: Vec<(&str, Origin, &[&str])> = roots.to_vec();
    hosts.extend(names.iter().map(|name| (name.as_str(), Origin::Config, parent)));
    let mut s = world(&hosts);
    for name in &names {
        see(&mut s, name, "icmp", 100, Outcome::Critical);
    }
    see(&mut s, "core", "icmp", 101, Outcome::Critical);
    assert_eq!(s.publish(at(102)).engine.blind, None);
    for (name, secs) in [("r1", 103), ("r2", 104), ("r3", 105), ("r4", 106)] {
        see(&mut s, name, "icmp", secs, Outcome::Critical);
    }
    assert!(s.publish(at(107)).engine.blind.is_some(), "what hangs on nothing is silent too");
}
