//! What is told of ports and of what a device says of itself.

use std::time::Duration;

use super::super::tests::{at, inventory, state};
use super::*;
use crate::model::device::{ErrDisabled, PowerSource, Ups};
use crate::model::{
    AssetId, CareBook, CheckKey, Equipment, Facts, IfAdmin, IfOper, Maintenance, Observation, Order, Outcome, Port,
    PortTable, Reading, Scope, Span, Subject,
};
use crate::state::Event;

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
    let observation = Observation {
        check: CheckKey { subject: Subject::Host(AssetId::new("sw")), name: "ports".into() },
        at: at(secs),
        took: Duration::from_millis(1),
        reading: Reading::new(Outcome::Ok, "1 port").facts(Facts::Ports(table.into())),
    };
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
