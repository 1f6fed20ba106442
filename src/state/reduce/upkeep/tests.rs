//! Maintenance windows against what happens in and around them.

use super::super::tests::{at, down, inventory, see, state};
use super::*;
use crate::base::Untrusted;
use crate::model::{CareBook, Inventory, Order, Origin, Outcome, Schedule, Span};
use crate::state::{Event, Snapshot};

fn order(scope: Scope, from: u64, until: u64, flexible: Option<u64>) -> Arc<Maintenance> {
    let span = Span::Once { from: at(from), until: at(until) };
    let order = Order { scope, span, flexible: flexible.map(Duration::from_secs), note: "new fans".into() };
    Arc::new(Maintenance { id: format!("{from}").into(), author: "ops1".into(), order })
}

fn of(host: &str, from: u64, until: u64) -> Arc<Maintenance> {
    order(Scope::Asset(AssetId::new(host)), from, until, None)
}

fn book(state: &mut State, secs: u64, orders: &[Arc<Maintenance>]) -> Vec<Effect> {
    let book = CareBook { maintenance: orders.to_vec(), ..CareBook::default() };
    state.reduce(at(secs), Event::Care(book))
}

fn told(effects: &[Effect]) -> Vec<(String, Condition, Condition)> {
    let announce = |effect: &Effect| match effect {
        Effect::Announce { asset, from, to, .. } => Some((asset.as_str().to_owned(), *from, *to)),
        _ => None,
    };
    effects.iter().filter_map(announce).collect()
}

fn one(host: &str, from: Condition, to: Condition) -> Vec<(String, Condition, Condition)> {
    vec![(host.to_owned(), from, to)]
}

fn outage(state: &mut State, host: &str, from: u64) -> Vec<Effect> {
    (0..3).flat_map(|n| see(state, host, "icmp", from + n, Outcome::Critical)).collect()
}

fn tick(state: &mut State, secs: u64) -> Vec<Effect> {
    assert!(state.next_deadline().is_some_and(|due| due <= at(secs)), "it wakes by itself");
    state.reduce(at(secs), Event::Tick)
}

fn maintained_hosts(snapshot: &Snapshot) -> Vec<String> {
    let hosts = snapshot.hosts.iter().filter(|host| host.care.maintenance.is_some());
    hosts.map(|host| host.host.name.to_string()).collect()
}

/// `a` and `b`, seen good.
fn two() -> State {
    let mut s = state(&[("a", &[]), ("b", &[])], &[("icmp", true)]);
    for name in ["a", "b"] {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    s
}

#[test]
fn in_maintenance_nothing_is_told_and_everything_is_shown_and_counted_apart() {
    let mut s = two();
    book(&mut s, 10, &[of("a", 20, 200)]);
    assert!(maintained_hosts(&s.publish(at(10))).is_empty());
    tick(&mut s, 20);
    assert_eq!(maintained_hosts(&s.publish(at(20))), ["a"]);
    let mut effects = outage(&mut s, "a", 30);
    effects.extend(outage(&mut s, "b", 33));
    assert_eq!(told(&effects), one("b", Condition::Ok, Condition::Critical));
    let snapshot = s.publish(at(40));
    let rows: Vec<(String, &str)> = snapshot.problems.iter().map(|p| (p.title.line(), &*p.rank)).collect();
    assert_eq!(rows, [("b".to_owned(), "critical"), ("a".to_owned(), "in maintenance")]);
    assert_eq!((snapshot.totals.critical, snapshot.totals.in_maintenance, snapshot.totals.unowned), (1, 1, 1));
    let maintained = snapshot.problems[1].care.maintenance.as_ref().expect("in maintenance");
    assert_eq!((maintained.until, maintained.maintenance.order.note.line()), (at(200), "new fans".to_owned()));
    assert!(told(&see(&mut s, "a", "icmp", 50, Outcome::Ok)).is_empty(), "it was never told as a problem");
    assert!(told(&tick(&mut s, 200)).is_empty());
    assert!(maintained_hosts(&s.publish(at(200))).is_empty());
}

#[test]
fn what_stands_at_the_end_is_told_then() {
    let mut s = two();
    book(&mut s, 10, &[of("a", 10, 200)]);
    outage(&mut s, "a", 30);
    s.reduce(at(100), Event::Tick);
    see(&mut s, "a", "icmp", 190, Outcome::Critical);
    assert_eq!(told(&tick(&mut s, 200)), one("a", Condition::Ok, Condition::Critical));
    let snapshot = s.publish(at(200));
    assert_eq!(snapshot.problems[0].care.unowned_since, Some(at(200)), "nobody had to care before");
    assert_eq!(snapshot.totals.critical, 1);
}

#[test]
fn a_problem_older_than_the_window_has_its_recovery_told() {
    let mut s = two();
    assert_eq!(told(&outage(&mut s, "a", 10)), one("a", Condition::Ok, Condition::Critical));
    book(&mut s, 20, &[of("a", 20, 200)]);
    assert_eq!(told(&see(&mut s, "a", "icmp", 50, Outcome::Ok)), one("a", Condition::Critical, Condition::Ok));
    assert!(told(&outage(&mut s, "a", 60)).is_empty(), "this one is of the window");
    assert!(told(&see(&mut s, "a", "icmp", 70, Outcome::Ok)).is_empty());
}

#[test]
fn taking_a_window_back_tells_what_stands() {
    let mut s = two();
    book(&mut s, 10, &[of("a", 10, 200)]);
    outage(&mut s, "a", 30);
    assert_eq!(told(&book(&mut s, 40, &[])), one("a", Condition::Ok, Condition::Critical));
}

#[test]
fn a_flexible_window_begins_when_something_goes_bad_and_lasts_as_long_as_was_said() {
    let mut s = two();
    book(&mut s, 10, &[order(Scope::Asset(AssetId::new("a")), 10, 200, Some(300))]);
    assert!(maintained_hosts(&s.publish(at(10))).is_empty(), "not while all is well");
    assert!(told(&outage(&mut s, "a", 100)).is_empty());
    let until = s.publish(at(103)).hosts[0].care.maintenance.as_ref().expect("it has begun").until;
    assert_eq!(until, at(402), "after the window itself has closed");
    assert!(told(&tick(&mut s, 200)).is_empty());
    assert_eq!(maintained_hosts(&s.publish(at(200))), ["a"]);
    see(&mut s, "a", "icmp", 390, Outcome::Critical);
    assert_eq!(told(&tick(&mut s, 402)), one("a", Condition::Ok, Condition::Critical));
    // What goes bad after the window has closed is nobody's maintenance.
    let mut s = two();
    book(&mut s, 10, &[order(Scope::Asset(AssetId::new("a")), 10, 200, Some(300))]);
    tick(&mut s, 200);
    assert_eq!(told(&outage(&mut s, "a", 201)), one("a", Condition::Ok, Condition::Critical));
}

#[test]
fn of_overlapping_windows_the_last_to_end_counts() {
    let mut s = two();
    let mut longer = of("a", 11, 300);
    Arc::make_mut(&mut longer).id = "longer".into();
    book(&mut s, 10, &[of("a", 10, 100), longer]);
    tick(&mut s, 11);
    outage(&mut s, "a", 30);
    see(&mut s, "a", "icmp", 90, Outcome::Critical);
    assert!(told(&tick(&mut s, 100)).is_empty());
    see(&mut s, "a", "icmp", 290, Outcome::Critical);
    assert_eq!(told(&tick(&mut s, 300)).len(), 1);
}

#[test]
fn tags_groups_and_what_hangs_behind_are_covered_and_no_more() {
    let hosts: &[(&str, &[&str])] =
        &[("core", &[]), ("dist", &["core"]), ("pc", &["dist"]), ("other", &[]), ("dual", &["dist", "other"])];
    let mut tagged: Inventory = (*inventory(hosts, &[("icmp", true)])).clone();
    Arc::make_mut(&mut tagged.hosts[3]).tags = vec!["web".into()];
    Arc::make_mut(&mut tagged.hosts[2]).group = Some("ams".into());
    for row in [0, 4] {
        Arc::make_mut(&mut tagged.hosts[row]).site = Some("fra1".into());
    }
    let covered = |scope: Scope| {
        let mut s = State::new(crate::model::Policy::default());
        s.reduce(at(0), Event::Inventory(Arc::new(tagged.clone())));
        book(&mut s, 1, &[order(scope, 1, 100, None)]);
        maintained_hosts(&s.publish(at(1)))
    };
    assert_eq!(covered(Scope::Tag("web".into())), ["other"]);
    assert_eq!(covered(Scope::Group("ams".into())), ["pc"]);
    assert_eq!(covered(Scope::Site("fra1".into())), ["core", "dual"]);
    assert_eq!(covered(Scope::Behind(AssetId::new("core"))), ["core", "dist", "pc"], "dual has another way");
    assert_eq!(covered(Scope::Behind(AssetId::new("pc"))), ["pc"]);
    assert!(covered(Scope::Asset(AssetId::new("gone"))).is_empty());
}

#[test]
fn a_window_of_the_configuration_holds_and_survives_a_reload() {
    let with = |orders: Vec<Arc<Maintenance>>| {
        let mut inventory = (*inventory(&[("a", &[]), ("b", &[])], &[("icmp", true)])).clone();
        inventory.maintenance = orders;
        Event::Inventory(Arc::new(inventory))
    };
    let mut s = two();
    s.reduce(at(10), with(vec![of("a", 10, 200)]));
    assert!(told(&outage(&mut s, "a", 20)).is_empty());
    assert!(told(&s.reduce(at(30), with(vec![of("a", 10, 200)]))).is_empty());
    assert_eq!(told(&s.reduce(at(40), with(Vec::new()))), one("a", Condition::Ok, Condition::Critical));
}

#[test]
fn a_restart_in_a_window_tells_nothing_before_its_end() {
    let mut s = State::new(crate::model::Policy::default());
    s.reduce(at(0), Event::Inventory(inventory(&[("a", &[])], &[("icmp", true)])));
    book(&mut s, 1, &[of("a", 0, 200)]);
    down(&mut s, "a", 10);
    see(&mut s, "a", "icmp", 20, Outcome::Ok);
    // Found bad for the first time in this run, in the window.
    let mut s = State::new(crate::model::Policy { never_seen_is_down: true, ..Default::default() });
    book(&mut s, 0, &[of("a", 0, 200)]);
    s.reduce(at(1), Event::Inventory(inventory(&[("a", &[])], &[("icmp", true)])));
    assert!(told(&outage(&mut s, "a", 10)).is_empty());
    see(&mut s, "a", "icmp", 190, Outcome::Critical);
    assert_eq!(told(&tick(&mut s, 200)), one("a", Condition::Ok, Condition::Critical));
    assert!(Untrusted::from("ops1") == of("a", 0, 1).author);
}

/// Jobs that protect these hosts, good ones.
fn with_jobs(state: &mut State, jobs: &[(&str, &[&str])]) {
    let mut inventory = (**state.inventory()).clone();
    for (name, protects) in jobs {
        inventory.jobs.push(Arc::new(Job {
            id: AssetId::new(name),
            name: (*name).into(),
            kind: "restic".into(),
            repository: "/srv/restic".into(),
            protects: protects.iter().map(AssetId::new).collect(),
            schedule: None,
            grace: None,
            rpo: None,
            rto: None,
            origin: Origin::Config,
            not_probed: None,
            runbook: None,
        }));
    }
    state.reduce(at(2), Event::Inventory(Arc::new(inventory)));
}

#[test]
fn a_backup_of_nothing_but_what_is_in_maintenance_is_in_it_too() {
    for (scope, want) in [
        (Scope::Tag("web".into()), vec!["of a"]),
        (Scope::Asset(AssetId::new("a")), vec![]),
        (Scope::Asset(AssetId::new("of b")), vec!["of b"]),
        (Scope::Behind(AssetId::new("a")), vec!["of a"]),
    ] {
        let mut s = two();
        let mut inventory = (**s.inventory()).clone();
        Arc::make_mut(&mut inventory.hosts[0]).tags = vec!["web".into()];
        s.reduce(at(2), Event::Inventory(Arc::new(inventory)));
        with_jobs(&mut s, &[("of a", &["a"]), ("of b", &["b"]), ("of both", &["a", "b"]), ("of none", &[])]);
        book(&mut s, 3, &[order(scope.clone(), 3, 100, None)]);
        let snapshot = s.publish(at(4));
        let covered = snapshot.jobs.iter().filter(|job| job.care.maintenance.is_some());
        assert_eq!(covered.map(|job| &*job.job.name).collect::<Vec<_>>(), want, "{scope:?}");
    }
}

#[test]
fn windows_follow_the_systems_clock_when_it_is_set_and_orders_of_now_do_not() {
    let recurring = |id: &str| {
        let schedule = Schedule { cron: "0 6 * * *".into(), timezone: "UTC".into() };
        let span = Span::Recurring { schedule, lasts: Duration::from_hours(1) };
        let order = Order { scope: Scope::Asset(AssetId::new(id)), span, flexible: None, note: "".into() };
        Arc::new(Maintenance { id: id.into(), author: "ops1".into(), order })
    };
    let mut s = two();
    book(&mut s, 3, &[recurring("a"), of("b", 3, 3_600)]);
    let covered = |s: &mut State, secs: u64| maintained_hosts(&s.publish(at(secs)));
    assert_eq!(covered(&mut s, 4), ["b"]);
    // It is eight in the morning, and the clock was 22 hours behind.
    s.reduce(at(10), Event::WallClock(22 * 3_600_000));
    assert_eq!(covered(&mut s, 11), ["a", "b"]);
    let until = s.publish(at(11)).hosts[0].care.maintenance.as_ref().expect("it is").until;
    assert_eq!(until, at(3_600), "in steady time, as everything that is shown");
    tick(&mut s, 3_600);
    assert_eq!(covered(&mut s, 3_601), Vec::<String>::new());
    s.reduce(at(3_700), Event::WallClock(21 * 3_600_000));
    assert_eq!(covered(&mut s, 3_701), ["a"], "and back again");
}
