//! What is told of ports and of what a device says of itself.

use std::time::Duration;

use super::super::tests::{at, inventory, state};
use super::*;
use crate::model::device::{ErrDisabled, PowerSource, Ups};
use crate::model::{
    AssetId, CareBook, CheckKey, Device, Equipment, Facts, IfAdmin, IfOper, Maintenance, Observation, Order, Outcome,
    Port, PortTable, Reading, Scope, Span, Subject,
};
use crate::state::{Behind, Event, Problem};

/// A walk of `sw`: its first port is switched off or not, and it runs on battery or not.
fn walk(state: &mut State, secs: u64, port_is_off: bool, on_battery: bool) -> Vec<(String, Condition)> {
    let mut equipment = Equipment::default();
    if port_is_off {
        equipment.port_mut(1).err_disabled = Some(ErrDisabled { cause: "bpduGuard".into(), recovers_in: None });
    }
    let source = if on_battery { PowerSource::Battery } else { PowerSource::Mains };
    equipment.ups = Some(Ups { source: Some(source), ..Ups::default() });
    let oper = if port_is_off { IfOper::Down } else { IfOper::Up };
    let port = Port { index: 1, name: "Gi1".into(), admin: Some(IfAdmin::Up), oper: Some(oper), ..Port::default() };
    let table = PortTable {
        collected_at: at(secs),
        ports: vec![port],
        complete: true,
        equipment: equipment.into(),
        ..PortTable::default()
    };
    see(state, secs, Reading::new(Outcome::Ok, "1 port").facts(Facts::Ports(table.into())))
}

/// What is told of the parts of `sw` after a walk.
fn see(state: &mut State, secs: u64, reading: Reading) -> Vec<(String, Condition)> {
    let check = CheckKey { subject: Subject::Host(AssetId::new("sw")), name: "ports".into() };
    let observation = Observation { check, at: at(secs), took: Duration::from_millis(1), reading };
    let told = state.reduce(at(secs), Event::Observed(observation));
    told.into_iter()
        .filter_map(|effect| match effect {
            Effect::AnnouncePart { target, to, .. } => Some((target.label().line(), to)),
            _ => None,
        })
        .collect()
}

fn switch() -> State {
    state(&[("sw", &[])], &[("ports", false)])
}

fn bad(what: &str) -> (String, Condition) {
    (what.to_owned(), Condition::Critical)
}

fn well(what: &str) -> (String, Condition) {
    (what.to_owned(), Condition::Ok)
}

#[test]
fn how_things_stand_at_first_is_no_news_and_each_change_is_told_once() {
    let mut s = switch();
    assert_eq!(walk(&mut s, 10, true, false), []);
    assert_eq!(walk(&mut s, 20, true, true), [bad("sw (device)")]);
    assert_eq!(walk(&mut s, 30, true, true), []);
    assert_eq!(walk(&mut s, 40, false, true), [], "nobody was told of it, so nobody hears that it is over");
    assert_eq!(walk(&mut s, 50, true, false), [well("sw (device)"), bad("sw/Gi1")]);
    assert_eq!(walk(&mut s, 60, false, false), [well("sw/Gi1")]);
}

#[test]
fn what_begins_in_maintenance_is_told_after_it_where_it_still_stands() {
    let mut s = switch();
    walk(&mut s, 10, false, false);
    let order = Order {
        scope: Scope::Asset(AssetId::new("sw")),
        span: Span::Once { from: at(15), until: at(45) },
        flexible: None,
        note: "new fans".into(),
    };
    let window = Maintenance { id: "1".into(), author: "ops1".into(), order };
    let book = CareBook { maintenance: vec![window.into()], ..CareBook::default() };
    s.reduce(at(15), Event::Care(book));
    assert_eq!(walk(&mut s, 20, true, true), []);
    assert_eq!(walk(&mut s, 30, true, false), [], "nobody was told of the battery");
    s.reduce(at(45), Event::Tick);
    assert_eq!(walk(&mut s, 50, true, false), [bad("sw/Gi1")]);
}

#[test]
fn a_new_inventory_tells_nothing_anew_and_forgets_nothing() {
    let mut s = switch();
    walk(&mut s, 10, false, false);
    assert_eq!(walk(&mut s, 20, true, false), [bad("sw/Gi1")]);
    s.reduce(at(25), Event::Inventory(inventory(&[("sw", &[]), ("b", &[])], &[("ports", false)])));
    assert_eq!(walk(&mut s, 30, true, false), []);
    assert_eq!(walk(&mut s, 40, false, false), [well("sw/Gi1")]);
}

/// A later run, with what this one has kept.
fn again(state: &State) -> State {
    let subject = Subject::Host(AssetId::new("sw"));
    let mut later = switch();
    later.reduce(at(1), Event::RestoredAssets(state.asset(&subject).into_iter().collect()));
    later.reduce(at(1), Event::Restored(Vec::new()));
    later
}

#[test]
fn a_later_run_goes_on_from_what_was_told() {
    let mut s = switch();
    // The port is found so and never told; the battery is told.
    walk(&mut s, 10, true, false);
    assert_eq!(walk(&mut s, 20, true, true), [bad("sw (device)")]);
    let mut later = again(&s);
    assert_eq!(walk(&mut later, 30, true, true), []);
    for secs in [40, 50] {
        assert_eq!(walk(&mut later, secs, false, false), [], "what needs several walks is none at the first");
    }
    assert_eq!(walk(&mut later, 60, false, false), [well("sw (device)")], "nobody was told of the port");
    // What broke while nobody looked.
    let mut later = again(&later);
    assert_eq!(walk(&mut later, 70, true, false), [bad("sw/Gi1")]);
    // A walk that was quicker than the store.
    let mut slow = switch();
    assert_eq!(walk(&mut slow, 80, false, true), []);
    let stored = later.asset(&Subject::Host(AssetId::new("sw")));
    let mut told = slow.reduce(at(81), Event::RestoredAssets(stored.into_iter().collect()));
    told.extend(slow.reduce(at(81), Event::Restored(Vec::new())));
    let parts = told.iter().filter(|effect| matches!(effect, Effect::AnnouncePart { .. })).count();
    assert_eq!(parts, 1, "it runs on battery");
    let after: Vec<_> = [90, 100, 110].into_iter().flat_map(|secs| walk(&mut slow, secs, false, true)).collect();
    assert_eq!(after, [well("sw/Gi1")]);
}

#[test]
fn the_words_are_those_of_the_list_and_tell_a_device_from_its_host() {
    use crate::model::AlertKind;
    use crate::state::event::News;

    let mut s = switch();
    walk(&mut s, 10, false, false);
    walk(&mut s, 20, true, true);
    let words = |target: Target, from, to| {
        let alert = s.alert(&target, (from, to), News::Changed, at(0)).expect("it is there");
        (alert.kind, alert.title.line(), alert.word.to_string(), alert.reason.line())
    };
    let id = AssetId::new("sw");
    let device = words(Target::Device(id.clone()), Condition::Ok, Condition::Critical);
    assert_eq!(device, (AlertKind::Problem, "sw (device)".into(), "CRITICAL".into(), "UPS on battery".into()));
    let key = s.device(&id).and_then(|device| device.key(0)).expect("a port");
    let port = words(Target::Port(id.clone(), key), Condition::Ok, Condition::Critical);
    assert_eq!(port.1, "sw Gi1");
    assert!(port.2 == "err-disabled" && port.3.contains("bpduGuard"), "{port:?}");
    assert_eq!(words(Target::Host(id), Condition::Critical, Condition::Ok).0, AlertKind::Recovery);
}

/// A walk of `sw` whose ports Gi1 ... have their links or not.
fn links(state: &mut State, secs: u64, up: &[bool]) -> Vec<(String, Condition)> {
    let port = |(row, up): (usize, &bool)| Port {
        index: row as u32 + 1,
        name: format!("Gi{}", row + 1).as_str().into(),
        alias: "uplink".into(),
        admin: Some(IfAdmin::Up),
        oper: Some(if *up { IfOper::Up } else { IfOper::Down }),
        ..Port::default()
    };
    let table = PortTable {
        collected_at: at(secs),
        device: Device { uptime: Some(Duration::from_secs(90_000 + secs)), ..Device::default() },
        ports: up.iter().enumerate().map(port).collect(),
        complete: true,
        ..PortTable::default()
    };
    see(state, secs, Reading::new(Outcome::Ok, "ports").facts(Facts::Ports(table.into())))
}

#[test]
fn links_that_are_lost_together_are_told_once_and_each_that_stays_when_the_first_is_back() {
    let mut s = switch();
    links(&mut s, 10, &[true; 5]);
    assert_eq!(links(&mut s, 20, &[false, false, false, false, true]), [bad("sw/Gi1")]);
    let snapshot = s.publish(at(20));
    let [root] = &*snapshot.problems else { panic!("one problem: {:?}", snapshot.problems) };
    assert_eq!(root.hides, 3);
    assert_eq!(root.reason.line(), "uplink lost its link · 3 others lost their links within 90 s (inferred)");
    let behind = Behind { target: root.target.clone(), inferred: true };
    let hidden: Vec<_> = snapshot.consequences.iter().map(|p| (p.title.line(), p.behind.clone())).collect();
    assert_eq!(hidden, ["sw Gi2", "sw Gi3", "sw Gi4"].map(|title| (title.to_owned(), Some(behind.clone()))));
    assert_eq!((snapshot.totals.critical, snapshot.totals.unowned), (1, 1));
    // What a channel says when its message goes.
    assert_eq!(s.hides(&root.target), 3);
    let words = s.company(&s.falls(), &root.target);
    assert_eq!(words.as_deref(), Some("3 others lost their links within 90 s (inferred)"));
    let times = (at(200), at(200));
    let stands_for_itself = |state: &State, target: &Target| state.reminder(target, times).is_some();
    assert!(stands_for_itself(&s, &root.target));
    assert!(!stands_for_itself(&s, &snapshot.consequences[0].target), "it is told with the first");

    assert_eq!(links(&mut s, 30, &[true, true, false, false, true]), [well("sw/Gi1"), bad("sw/Gi3"), bad("sw/Gi4")]);
    assert_eq!(links(&mut s, 40, &[true; 5]), [well("sw/Gi3"), well("sw/Gi4")], "nobody heard of the second");
}

#[test]
fn what_was_told_and_is_behind_something_else_later_is_not_over() {
    let mut s = switch();
    links(&mut s, 10, &[true; 4]);
    assert_eq!(links(&mut s, 20, &[true, false, true, true]), [bad("sw/Gi2")]);
    assert_eq!(links(&mut s, 22, &[true, false, true, false]), [bad("sw/Gi4")], "two are a coincidence");
    assert_eq!(links(&mut s, 24, &[false, false, true, false]), [], "the first of them stands for all");
    assert_eq!(s.publish(at(24)).consequences.len(), 2);
    assert_eq!(links(&mut s, 30, &[false, false, true, true]), [well("sw/Gi4"), bad("sw/Gi1")]);
}

#[test]
fn the_ports_of_a_device_that_is_down_are_behind_it_and_stay_countable() {
    let mut s = state(&[("core", &[]), ("sw", &["core"])], &[("icmp", true), ("ports", false)]);
    let ping = |s: &mut State, host: &str, secs: u64, outcome| {
        let check = CheckKey { subject: Subject::Host(AssetId::new(host)), name: "icmp".into() };
        let reading = Reading::new(outcome, "icmp");
        let took = Duration::from_millis(1);
        s.reduce(at(secs), Event::Observed(Observation { check, at: at(secs), took, reading }));
    };
    for host in ["core", "sw"] {
        ping(&mut s, host, 1, Outcome::Ok);
    }
    links(&mut s, 10, &[true; 2]);
    links(&mut s, 20, &[false, false]);
    assert_eq!(s.publish(at(20)).problems.len(), 2);
    for secs in 30..36 {
        ping(&mut s, "core", secs, Outcome::Ok);
        ping(&mut s, "sw", secs, Outcome::Critical);
        see(&mut s, secs, Reading::new(Outcome::Critical, "no answer"));
    }
    let titles = |s: &mut State, secs| {
        let snapshot = s.publish(at(secs));
        let behind = |p: &Problem| p.behind.as_ref().map(|behind| (behind.target.label().line(), behind.inferred));
        let hidden = snapshot.consequences.iter().map(|p| (p.title.line(), behind(p))).collect::<Vec<_>>();
        (snapshot.problems.iter().map(|p| (p.title.line(), p.hides)).collect::<Vec<_>>(), hidden)
    };
    let (problems, hidden) = titles(&mut s, 36);
    assert_eq!(problems, [("sw".to_owned(), 2)]);
    let by = |title: &str, cause: &str| (title.to_owned(), Some((cause.to_owned(), false)));
    assert_eq!(hidden, [by("sw Gi1", "sw"), by("sw Gi2", "sw")]);
    assert_eq!(s.hides(&Target::Host(AssetId::new("sw"))), 2);
    for secs in 40..46 {
        ping(&mut s, "core", secs, Outcome::Critical);
        ping(&mut s, "sw", secs, Outcome::Critical);
    }
    let (problems, hidden) = titles(&mut s, 46);
    assert_eq!(problems, [("core".to_owned(), 3)]);
    assert_eq!(hidden, [by("sw Gi1", "core"), by("sw Gi2", "core"), by("sw", "core")]);
    assert_eq!(s.hides(&Target::Host(AssetId::new("core"))), 3);
}
