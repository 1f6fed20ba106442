use std::time::Duration;

use super::*;
use crate::base::Untrusted;
use crate::model::{Host, NotificationKind, Origin, Outcome, Reading, Unit};
use crate::state::Remembered;
use crate::state::snapshot::ProblemKind;

pub(super) const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) fn at(secs: u64) -> Timestamp {
    T0.plus(Duration::from_secs(secs))
}

pub(super) fn spec(host: &str, name: &str, life: bool) -> Arc<CheckSpec> {
    Arc::new(CheckSpec { decides_reachability: life, ..CheckSpec::sample(Subject::Host(AssetId::new(host)), name) })
}

pub(super) fn inventory(hosts: &[(&str, &[&str])], checks: &[(&str, bool)]) -> Arc<Inventory> {
    let mut out = Inventory::default();
    for (name, parents) in hosts {
        let mut host = Host::new(name, Some("127.0.0.1"), Origin::Config);
        host.parents = parents.iter().map(AssetId::new).collect();
        out.hosts.push(Arc::new(host));
        out.checks.extend(checks.iter().map(|(check, life)| spec(name, check, *life)));
    }
    Arc::new(out)
}

pub(super) fn state(hosts: &[(&str, &[&str])], checks: &[(&str, bool)]) -> State {
    let mut state = State::new(Policy::default());
    state.reduce(T0, Event::Inventory(inventory(hosts, checks)));
    state
}

pub(super) fn see(state: &mut State, host: &str, check: &str, secs: u64, outcome: Outcome) -> Vec<Effect> {
    let observation = Observation {
        check: CheckKey { subject: Subject::Host(AssetId::new(host)), name: check.into() },
        at: at(secs),
        took: Duration::from_millis(1),
        reading: Reading::new(outcome, format!("{outcome:?}")).metric("rtt", 0.001, Unit::Seconds),
    };
    state.reduce(at(secs), Event::Observed(observation))
}

pub(super) fn condition(state: &mut State, host: &str, secs: u64) -> Condition {
    state.publish(at(secs)).host(&AssetId::new(host)).map_or(Condition::NotProbed, |h| h.condition)
}

pub(super) fn down(state: &mut State, host: &str, from: u64) {
    for i in 0..3 {
        see(state, host, "icmp", from + i, Outcome::Critical);
    }
}

#[test]
fn a_problem_is_believed_at_the_third_bad_result_in_a_row() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    assert!(see(&mut s, "a", "icmp", 31, Outcome::Critical).iter().any(|e| matches!(e, Effect::Retry(_))));
    assert_eq!(condition(&mut s, "a", 31), Condition::Ok);
    see(&mut s, "a", "icmp", 32, Outcome::Critical);
    let effects = see(&mut s, "a", "icmp", 33, Outcome::Critical);
    assert!(effects.iter().any(|e| matches!(e, Effect::Announce { to: Condition::Critical, .. })), "{effects:?}");
    assert_eq!(condition(&mut s, "a", 33), Condition::Critical);
    see(&mut s, "a", "icmp", 34, Outcome::Ok);
    assert_eq!(condition(&mut s, "a", 34), Condition::Ok);
}

#[test]
fn a_soft_problem_that_recovers_announces_nothing() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    see(&mut s, "a", "icmp", 31, Outcome::Critical);
    let effects = see(&mut s, "a", "icmp", 32, Outcome::Ok);
    assert!(!effects.iter().any(|e| matches!(e, Effect::Announce { .. })), "{effects:?}");
}

#[test]
fn a_host_that_never_answered_is_never_seen_and_not_down() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    down(&mut s, "a", 1);
    assert_eq!(condition(&mut s, "a", 4), Condition::Unknown);
    let snapshot = s.publish(at(4));
    assert_eq!(&*snapshot.problems[0].word, "NEVER SEEN");
}

#[test]
fn what_came_of_a_host_that_nothing_is_known_of_yet_is_told_with_its_tries() {
    let mut s = state(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Critical);
    see(&mut s, "a", "icmp", 2, Outcome::Critical);
    let snapshot = s.publish(at(2));
    let told =
        |name: &str| snapshot.host(&AssetId::new(name)).map(|h| (h.condition, h.reason.line())).expect("it is watched");
    assert_eq!(told("a"), (Condition::Pending, "2/3: Critical".to_owned()));
    assert_eq!(told("b"), (Condition::Pending, String::new()));
    let mut s = state(&[("a", &[])], &[("icmp", true), ("ssh", true)]);
    see(&mut s, "a", "ssh", 1, Outcome::Critical);
    let reason = |s: &mut State| s.publish(at(3)).host(&AssetId::new("a")).map(|h| h.reason.line());
    assert_eq!(reason(&mut s).as_deref(), Some("ssh 1/3: Critical"));
    see(&mut s, "a", "icmp", 2, Outcome::Ok);
    assert_eq!(reason(&mut s).as_deref(), Some("Ok"));
}

#[test]
fn one_silent_protocol_does_not_take_a_living_host_down() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("snmp", true)]);
    see(&mut s, "a", "snmp", 1, Outcome::Ok);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    for i in 2..5 {
        see(&mut s, "a", "snmp", i, Outcome::Critical);
    }
    assert_eq!(condition(&mut s, "a", 4), Condition::Ok, "whether it is the host is asked first");
    see(&mut s, "a", "icmp", 5, Outcome::Ok);
    assert_eq!(condition(&mut s, "a", 5), Condition::Unknown);
    let reason = s.publish(at(5)).problems[0].reason.line();
    assert_eq!(reason, "snmp: Critical");
}

#[test]
fn what_hangs_on_a_dead_host_is_unreachable_whichever_fell_first() {
    let mut s = state(&[("core", &[]), ("dist", &["core"]), ("acc", &["dist"])], &[("icmp", true)]);
    for host in ["core", "dist", "acc"] {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    down(&mut s, "acc", 40);
    assert_eq!(condition(&mut s, "acc", 43), Condition::Ok, "its parents are asked first");
    down(&mut s, "core", 44);
    down(&mut s, "dist", 47);
    assert_eq!(condition(&mut s, "core", 50), Condition::Critical);
    assert_eq!(condition(&mut s, "dist", 50), Condition::Unreachable);
    assert_eq!(condition(&mut s, "acc", 50), Condition::Unreachable);
    let snapshot = s.publish(at(50));
    assert_eq!(snapshot.problems.len(), 1);
    assert_eq!(snapshot.problems[0].hides, 2);
    assert_eq!(snapshot.host(&AssetId::new("acc")).and_then(|h| h.behind.clone()).as_deref(), Some("core"));
    see(&mut s, "core", "icmp", 60, Outcome::Ok);
    assert_eq!(condition(&mut s, "dist", 60), Condition::Unreachable, "not asked since core is back");
    down(&mut s, "dist", 61);
    assert_eq!(condition(&mut s, "dist", 64), Condition::Unreachable, "core was not asked since");
    see(&mut s, "core", "icmp", 65, Outcome::Ok);
    assert_eq!(condition(&mut s, "dist", 65), Condition::Critical);
    assert_eq!(condition(&mut s, "acc", 65), Condition::Unreachable);
}

#[test]
fn with_a_second_parent_alive_a_dead_child_is_down() {
    let mut s = state(&[("a", &[]), ("b", &[]), ("c", &["a", "b"])], &[("icmp", true)]);
    for host in ["a", "b", "c"] {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    down(&mut s, "a", 10);
    see(&mut s, "c", "icmp", 20, Outcome::Critical);
    see(&mut s, "b", "icmp", 21, Outcome::Ok);
    down(&mut s, "c", 22);
    assert_eq!(condition(&mut s, "c", 25), Condition::Critical);
}

#[test]
fn old_results_are_stale_and_not_counted_as_good() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 0, Outcome::Ok);
    let due = s.next_deadline().expect("a result can go stale");
    assert_eq!(due, at(60));
    s.reduce(at(59), Event::Tick);
    assert_eq!(s.publish(at(59)).totals.hosts_ok, 1);
    s.reduce(at(60), Event::Tick);
    let snapshot = s.publish(at(60));
    assert!(snapshot.hosts[0].stale);
    assert_eq!((snapshot.totals.hosts_ok, snapshot.totals.hosts_stale), (0, 1));
    assert_eq!(s.next_deadline(), None);
    see(&mut s, "a", "icmp", 90, Outcome::Ok);
    assert!(!s.publish(at(90)).hosts[0].stale);
    assert_eq!(s.next_deadline(), Some(at(150)));
}

#[test]
fn results_that_arrive_late_do_not_overrule_newer_ones() {
    let mut s = state(&[("a", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 30, Outcome::Ok);
    for _ in 0..3 {
        see(&mut s, "a", "icmp", 10, Outcome::Critical);
    }
    assert_eq!(condition(&mut s, "a", 31), Condition::Ok);
}

#[test]
fn a_reload_keeps_what_is_known_and_drops_what_is_gone() {
    let mut s = state(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    down(&mut s, "a", 2);
    see(&mut s, "b", "icmp", 1, Outcome::Ok);
    s.reduce(at(9), Event::Inventory(inventory(&[("a", &[]), ("c", &[])], &[("icmp", true)])));
    let snapshot = s.publish(at(9));
    let names: Vec<&str> = snapshot.hosts.iter().map(|h| &*h.host.name).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(snapshot.hosts[0].condition, Condition::Critical);
    assert_eq!(snapshot.hosts[0].since, at(4));
    assert_eq!(snapshot.hosts[1].condition, Condition::Pending);
}

#[test]
fn restored_states_are_shown_with_their_age_until_this_run_knows_better() {
    let mut s = State::new(Policy::default());
    let key = CheckKey { subject: Subject::Host(AssetId::new("a")), name: "icmp".into() };
    let old = Observation {
        check: key.clone(),
        at: T0.minus(Duration::from_secs(600)),
        took: Duration::ZERO,
        reading: Reading::critical("no answer"),
    };
    let remembered = Remembered {
        check: key,
        condition: Condition::Critical,
        since: T0.minus(Duration::from_secs(900)),
        last_good: Some(T0.minus(Duration::from_secs(1_000))),
        observation: old,
        flap: crate::model::Flap::default(),
    };
    s.reduce(T0, Event::Restored(vec![remembered]));
    s.reduce(T0, Event::Inventory(inventory(&[("a", &[])], &[("icmp", true)])));
    let snapshot = s.publish(T0);
    let host = &snapshot.hosts[0];
    assert_eq!(host.condition, Condition::Critical);
    assert!(host.stale && host.checks[0].restored);
    assert_eq!(host.since, T0.minus(Duration::from_secs(900)));
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    let snapshot = s.publish(at(1));
    assert_eq!(snapshot.hosts[0].condition, Condition::Ok);
    assert!(!snapshot.hosts[0].stale);
}

#[test]
fn hosts_without_checks_say_why() {
    let mut inv = Inventory::default();
    let mut host = Host::new("inner", Some("10.0.0.9"), Origin::SshConfig);
    host.not_probed = Some("behind jump1, not probed".into());
    inv.hosts.push(Arc::new(host));
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inv)));
    let snapshot = s.publish(T0);
    assert_eq!(snapshot.hosts[0].condition, Condition::NotProbed);
    assert_eq!(snapshot.hosts[0].reason.line(), "behind jump1, not probed");
    assert!(snapshot.problems.is_empty());
}

#[test]
fn problems_come_worst_first_and_newest_first_among_equals() {
    let mut s = state(&[("a", &[]), ("b", &[]), ("c", &[])], &[("icmp", true)]);
    for host in ["a", "b", "c"] {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    down(&mut s, "a", 10);
    down(&mut s, "b", 20);
    for i in 0..3 {
        see(&mut s, "c", "icmp", 30 + i, Outcome::Warning);
    }
    let snapshot = s.publish(at(40));
    let order: Vec<String> = snapshot.problems.iter().map(|p| p.title.line()).collect();
    assert_eq!(order, ["b", "a", "c"]);
    assert!(snapshot.problems.iter().all(|p| p.kind == ProblemKind::Host));
}

#[test]
fn an_unchanged_host_is_shared_between_snapshots() {
    let mut s = state(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    see(&mut s, "b", "icmp", 1, Outcome::Ok);
    let first = s.publish(at(1));
    see(&mut s, "b", "icmp", 31, Outcome::Ok);
    let second = s.publish(at(31));
    assert!(Arc::ptr_eq(&first.hosts[0], &second.hosts[0]));
    assert!(!Arc::ptr_eq(&first.hosts[1], &second.hosts[1]));
    assert!(second.revision > first.revision);
}

#[test]
fn an_answer_by_another_protocol_proves_life() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("tcp:443", false)]);
    see(&mut s, "a", "tcp:443", 1, Outcome::Ok);
    down(&mut s, "a", 2);
    assert_eq!(condition(&mut s, "a", 5), Condition::Unknown, "ICMP never worked here");
    see(&mut s, "a", "icmp", 6, Outcome::Ok);
    down(&mut s, "a", 30);
    assert_eq!(condition(&mut s, "a", 33), Condition::Critical, "the port was last open before that");
    see(&mut s, "a", "tcp:443", 40, Outcome::Ok);
    assert_eq!(condition(&mut s, "a", 41), Condition::Unknown);
}

#[test]
fn what_a_device_tells_is_kept_and_makes_it_be_looked_at() {
    let mut s = state(&[("sw1", &[])], &[("snmp", true)]);
    let told = Notification {
        at: at(5),
        host: AssetId::new("sw1"),
        kind: NotificationKind::LinkDown,
        if_index: Some(7),
        detail: Untrusted::from("ifOperStatus down"),
        version: "v2c",
        count: 1,
    };
    let effects = s.reduce(at(5), Event::Notified(told.clone()));
    let kept = Arc::new(NotificationView { told: told.clone(), port: None });
    assert_eq!(effects, [Effect::Look(AssetId::new("sw1")), Effect::Log(Logged::Told(kept))]);
    let gone = Notification { host: AssetId::new("gone"), ..told.clone() };
    assert!(s.reduce(at(5), Event::Notified(gone)).is_empty(), "it left the inventory");
    let snapshot = s.publish(at(6));
    assert_eq!(snapshot.notifications.iter().map(|n| &n.told).collect::<Vec<_>>(), [&told]);
    assert_eq!(snapshot.notifications[0].port, None, "it was never walked");
}

fn walked(state: &mut State, host: &str, secs: u64, oper: crate::model::IfOper, alias: &str) -> Vec<Effect> {
    use crate::base::Untrusted;
    use crate::model::{Device, IfAdmin, Port, PortTable};
    let port = Port {
        index: 1,
        name: Untrusted::from("Te1/1/1"),
        alias: Untrusted::from(alias),
        admin: Some(IfAdmin::Up),
        oper: Some(oper),
        ..Port::default()
    };
    let table = PortTable {
        collected_at: at(secs),
        device: Device { uptime: Some(Duration::from_secs(90_000 + secs)), ..Device::default() },
        ports: vec![port],
        complete: true,
        ..PortTable::default()
    };
    let observation = Observation {
        check: CheckKey { subject: Subject::Host(AssetId::new(host)), name: "ports".into() },
        at: at(secs),
        took: Duration::from_millis(1),
        reading: Reading::ok("1 port").facts(Facts::Ports(Arc::new(table))),
    };
    state.reduce(at(secs), Event::Observed(observation))
}

#[test]
fn ports_are_stored_when_something_changed_and_a_restart_goes_on_from_there() {
    use crate::model::IfOper::{Down, Up};
    let wants = |effects: &[Effect]| effects.contains(&Effect::RememberDevice(AssetId::new("sw1")));
    let new = || state(&[("sw1", &[])], &[("ports", false)]);
    let mut s = new();
    assert!(wants(&walked(&mut s, "sw1", 0, Up, "uplink")), "the first walk");
    assert!(!wants(&walked(&mut s, "sw1", 60, Up, "uplink")), "nothing new");
    assert!(wants(&walked(&mut s, "sw1", 120, Down, "uplink")));
    let stored = s.device(&AssetId::new("sw1")).expect("a device").remembered();

    let problems = |s: &mut State, secs| s.publish(at(secs)).problems.to_vec();
    let before = problems(&mut s, 120);
    assert_eq!((before.len(), before[0].kind, before[0].condition), (1, ProblemKind::Port, Condition::Critical));
    // Without what is stored the next process takes the dark uplink for the baseline.
    let mut forgetful = new();
    walked(&mut forgetful, "sw1", 300, Down, "uplink");
    assert!(problems(&mut forgetful, 300).is_empty());
    // With it, whether it comes before the first walk or after, the problem is as old as it is.
    let mut early = new();
    early.reduce(at(200), Event::RestoredDevices(vec![stored.clone()]));
    walked(&mut early, "sw1", 300, Down, "uplink");
    let mut late = new();
    walked(&mut late, "sw1", 300, Down, "uplink");
    late.reduce(at(301), Event::RestoredDevices(vec![stored]));
    for s in [&mut early, &mut late] {
        let found = problems(s, 301);
        assert_eq!(found.iter().map(|p| (p.condition, p.since)).collect::<Vec<_>>(), [(Condition::Critical, at(120))]);
    }
}

#[test]
fn what_the_list_of_problems_has_is_what_is_counted() {
    use crate::model::IfOper;
    let mut s = state(&[("sw1", &[])], &[("ports", false)]);
    walked(&mut s, "sw1", 1, IfOper::Up, "uplink to core");
    walked(&mut s, "sw1", 61, IfOper::Down, "uplink to core");
    let snapshot = s.publish(T0.plus(Duration::from_secs(62)));
    let critical = snapshot.problems.iter().filter(|p| p.condition == Condition::Critical).count();
    assert_eq!((critical, snapshot.totals.critical), (1, 1), "{:?}", snapshot.problems);
}

#[test]
fn a_walk_over_a_quarter_of_its_interval_stretches_it_says_so_and_is_not_stale_for_it() {
    let mut s = state(&[("router", &[])], &[("ports", false)]);
    let see = |s: &mut State, secs: u64, took: u64, outcome: Outcome| {
        let check = CheckKey { subject: Subject::Host(AssetId::new("router")), name: "ports".into() };
        let reading = Reading::new(outcome, "20000 ports");
        let observation = Observation { check, at: at(secs), took: Duration::from_secs(took), reading };
        s.reduce(at(secs), Event::Observed(observation));
    };
    let check = |s: &mut State, secs: u64| {
        s.reduce(at(secs), Event::Tick);
        s.publish(at(secs)).host(&AssetId::new("router")).expect("it is there").checks[0].clone()
    };
    let interval = s.specs()[0].interval.as_secs();
    // Up to a quarter it keeps its rhythm.
    see(&mut s, 100, interval / 4, Outcome::Ok);
    assert_eq!(check(&mut s, 101).stretched(), None);
    assert!(check(&mut s, 100 + 10 * interval).stale);
    // A walk as long as the interval is followed by the next after four of them.
    see(&mut s, 1_000, interval, Outcome::Warning);
    let words = check(&mut s, 1_001).stretched().expect("stretched");
    assert!(words.starts_with("walked each 2m"), "{words}");
    assert!(!check(&mut s, 1_000 + 4 * interval).stale);
    assert!(check(&mut s, 1_000 + 10 * interval).stale);
    // Silence is no walk.
    see(&mut s, 2_000, interval, Outcome::Unknown);
    assert_eq!(check(&mut s, 2_001).stretched(), None);
}

#[test]
fn what_was_good_for_six_hours_is_asked_half_as_often_and_is_not_stale_for_it() {
    let mut inventory = Inventory::default();
    inventory.hosts.push(Arc::new(Host::new("a", Some("192.0.2.1"), Origin::Config)));
    let spec = spec("a", "linux", false);
    inventory.checks.push(Arc::new(CheckSpec { eases: true, interval: Duration::from_secs(60), ..(*spec).clone() }));
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    let hours = 6 * 3_600;
    let check = |s: &mut State, secs| s.publish(at(secs)).hosts[0].checks[0].clone();
    see(&mut s, "a", "linux", 1, Outcome::Ok);
    see(&mut s, "a", "linux", hours, Outcome::Ok);
    assert_eq!((check(&mut s, hours).eased, check(&mut s, hours).stretched()), (false, None));
    see(&mut s, "a", "linux", hours + 1, Outcome::Ok);
    let words = check(&mut s, hours + 1).stretched();
    assert_eq!(words.as_deref(), Some("asked each 2m instead of 1m: good for 6h and more"));
    s.reduce(at(hours + 200), Event::Tick);
    assert!(!check(&mut s, hours + 200).stale, "two of its intervals are four minutes");
    s.reduce(at(hours + 242), Event::Tick);
    assert!(check(&mut s, hours + 242).stale);
    // The first bad result ends it, believed or not.
    see(&mut s, "a", "linux", hours + 250, Outcome::Warning);
    assert!(!check(&mut s, hours + 250).eased);
    see(&mut s, "a", "linux", hours + 251, Outcome::Ok);
    assert!(check(&mut s, hours + 251).eased, "it was never a problem");
}

#[test]
fn flapping_is_told_of_each_check_by_its_own_formula() {
    use crate::model::FlapFormula;
    let checks = ["usual", "nagios", "never"];
    let mut inventory = (*inventory(&[("a", &[])], &checks.map(|check| (check, false)))).clone();
    let key = |check: &str| CheckKey { subject: Subject::Host(AssetId::new("a")), name: check.into() };
    inventory.flapping.insert(key("nagios"), Some(FlapFormula::NAGIOS));
    inventory.flapping.insert(key("never"), None);
    let mut s = State::new(Policy::default());
    s.reduce(T0, Event::Inventory(Arc::new(inventory)));
    let mut flapping = |until: u64| {
        for secs in (until - 5)..until {
            for check in checks {
                see(&mut s, "a", check, secs, if secs % 2 == 0 { Outcome::Warning } else { Outcome::Ok });
            }
        }
        s.publish(at(until)).hosts[0].checks.iter().map(|check| check.flap.flapping).collect::<Vec<_>>()
    };
    // Nagios counts neither soft problems nor, so, their recoveries as changes.
    assert_eq!(flapping(6), [false, false, false]);
    assert_eq!(flapping(11), [true, false, false]);
    assert_eq!(flapping(40), [true, false, false]);
}

#[test]
fn a_bad_check_that_is_renamed_is_not_over_until_it_was_heard_under_its_new_name() {
    let (hosts, before, after) =
        ([("a", &[][..])], [("icmp", true), ("disk", false)], [("icmp", true), ("disks", false)]);
    let told = |effects: Vec<Effect>| {
        let words = |effect: &Effect| if let Effect::Announce { to, .. } = effect { Some(*to) } else { None };
        effects.iter().filter_map(words).collect::<Vec<_>>()
    };
    for end in [Outcome::Ok, Outcome::Critical] {
        let mut s = state(&hosts, &before);
        for check in ["icmp", "disk"] {
            see(&mut s, "a", check, 1, Outcome::Ok);
        }
        for secs in 2..5 {
            see(&mut s, "a", "disk", secs, Outcome::Critical);
        }
        assert_eq!(told(see(&mut s, "a", "icmp", 5, Outcome::Ok)), [Condition::Critical]);
        assert_eq!(told(s.reduce(at(6), Event::Inventory(inventory(&hosts, &after)))), []);
        assert_eq!(condition(&mut s, "a", 6), Condition::Critical, "nobody knows better");
        assert_eq!(told(see(&mut s, "a", "icmp", 7, Outcome::Ok)), []);
        let effects = (8..11).flat_map(|secs| see(&mut s, "a", "disks", secs, end)).collect();
        let is_over = end == Outcome::Ok;
        assert_eq!(told(effects), if is_over { vec![Condition::Ok] } else { Vec::new() });
        see(&mut s, "a", "icmp", 12, Outcome::Ok);
        assert_eq!(condition(&mut s, "a", 12), if is_over { Condition::Ok } else { Condition::Critical });
        if !is_over {
            assert_eq!(told(see(&mut s, "a", "disks", 13, Outcome::Ok)), [Condition::Ok]);
        }
    }
    // Without it nothing is left to wait for.
    let mut s = state(&hosts, &before);
    see(&mut s, "a", "icmp", 1, Outcome::Ok);
    see(&mut s, "a", "disk", 1, Outcome::Ok);
    for secs in 2..5 {
        see(&mut s, "a", "disk", secs, Outcome::Critical);
    }
    see(&mut s, "a", "icmp", 5, Outcome::Ok);
    assert_eq!(told(s.reduce(at(6), Event::Inventory(inventory(&hosts, &before[..1])))), [Condition::Ok]);
}

/// A result with these numbers, and with how the machine is where a load is among them.
fn tell(s: &mut State, check: &str, secs: u64, summary: &str, metrics: &[(&str, f64)]) {
    let mut reading = Reading::new(Outcome::Ok, summary);
    for (name, value) in metrics {
        reading = reading.metric(name, *value, Unit::Count);
    }
    if metrics.iter().any(|(name, _)| *name == "load1") {
        reading.facts = Facts::Vitals(Arc::default());
    }
    let check = CheckKey { subject: Subject::Host(AssetId::new("a")), name: check.into() };
    let observation = Observation { check, at: at(secs), took: Duration::from_millis(1), reading };
    s.reduce(at(secs), Event::Observed(observation));
}

#[test]
fn a_course_is_of_one_number_alone_and_a_machine_that_tells_how_it_is_goes_before_an_echo() {
    let mut s = state(&[("a", &[])], &[("icmp", true), ("web", false), ("linux", false)]);
    let trail = |s: &mut State| s.publish(at(100)).hosts[0].trail.to_vec();
    for n in 0..3u8 {
        tell(&mut s, "icmp", u64::from(n), "0.3 ms", &[("rtt", f64::from(n))]);
        tell(&mut s, "web", u64::from(n), "200", &[("rtt", 50.0)]);
    }
    assert_eq!(trail(&mut s), [0.0, 1.0, 2.0], "the web page takes its own time");
    assert_eq!(s.publish(at(3)).hosts[0].reason, "0.3 ms".into());
    for n in 4..7u8 {
        tell(&mut s, "linux", u64::from(n), "load 1.0 · mem 48 %", &[("load1", f64::from(n))]);
        tell(&mut s, "icmp", u64::from(n), "0.3 ms", &[("rtt", 9.0)]);
    }
    assert_eq!(trail(&mut s), [4.0, 5.0, 6.0], "times and loads are never mixed");
    assert_eq!(s.publish(at(8)).hosts[0].reason, "load 1.0 · mem 48 %".into());
    // The same checks in another order: the course goes on. Without the one that told it, it begins anew.
    s.reduce(at(9), Event::Inventory(inventory(&[("a", &[])], &[("linux", false), ("icmp", true)])));
    assert_eq!(trail(&mut s), [4.0, 5.0, 6.0]);
    s.reduce(at(10), Event::Inventory(inventory(&[("a", &[])], &[("icmp", true)])));
    assert_eq!(trail(&mut s), [] as [f32; 0]);
}
