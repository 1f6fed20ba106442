//! What is told of a host that died, and of links to it.

use std::sync::Arc;
use std::time::Duration;

use super::super::tests::{at, inventory, see, spec};
use super::*;
use crate::model::device::{Equipment, Neighbor, NeighborProtocol};
use crate::model::{
    CheckKey, Facts, IfAdmin, IfOper, Inventory, Observation, Outcome, Policy, Port, PortTable, Reading, Subject,
};
use crate::state::event::{Event, News};

const NAME: &str = "acc1(FOC1234X0YZ)";

fn neighbor() -> Neighbor {
    Neighbor { forwards: Some(true), ..Neighbor::new(NeighborProtocol::Cdp, NAME, "1") }
}

fn walk(s: &mut State, secs: u64, up: bool) -> Vec<Effect> {
    let mut equipment = Equipment::default();
    equipment.port_mut(1).neighbors = Some(neighbor()).filter(|_| up).into_iter().collect();
    let oper = Some(if up { IfOper::Up } else { IfOper::Down });
    let port = Port { index: 1, name: "Gi1".into(), admin: Some(IfAdmin::Up), oper, ..Port::default() };
    let table = PortTable {
        collected_at: at(secs),
        ports: vec![port],
        complete: true,
        equipment: equipment.into(),
        ..PortTable::default()
    };
    let check = CheckKey { subject: Subject::Host(AssetId::new("core")), name: "ports".into() };
    let reading = Reading::ok("walked").facts(Facts::Ports(Arc::new(table)));
    s.reduce(at(secs), Event::Observed(Observation { check, at: at(secs), took: Duration::ZERO, reading }))
}

fn hosts() -> Arc<Inventory> {
    let mut out = (*inventory(&[("core", &[]), ("acc1", &[])], &[("icmp", true)])).clone();
    out.checks.push(spec("core", "ports", false));
    Arc::new(out)
}

fn world() -> State {
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(hosts()));
    for host in ["core", "acc1"] {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    walk(&mut s, 2, true);
    s
}

fn die(s: &mut State, from: u64) {
    (0..3).for_each(|n| drop(see(s, "acc1", "icmp", from + n, Outcome::Critical)));
}

fn asked(effects: &[Effect]) -> usize {
    effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Ask(key) if key.subject == Subject::Host(AssetId::new("acc1"))))
        .count()
}

#[test]
fn the_message_counts_the_links_behind_the_host_and_says_what_they_are() {
    let mut s = world();
    assert_eq!(asked(&walk(&mut s, 40, false)), 1, "the host is asked");
    assert_eq!(asked(&walk(&mut s, 41, false)), 0, "once");
    die(&mut s, 42);
    let host = Target::Host(AssetId::new("acc1"));
    let alert = s.alert(&host, (Condition::Ok, Condition::Critical), News::Changed, at(45)).expect("it is there");
    assert_eq!(alert.hides, 1);
    assert_eq!(s.company(&s.falls(), &host).as_deref(), Some("1 link to it was lost within 90 s (inferred)"));
    let port = s.publish(at(45)).consequences[0].target.clone();
    assert_eq!(s.reminder(&port, (at(45), at(45))), None, "that is the host's");
    // It is back, and the link is not.
    see(&mut s, "acc1", "icmp", 50, Outcome::Ok);
    assert_eq!((s.hides(&host), s.company(&s.falls(), &host)), (0, None));
    assert!(s.reminder(&port, (at(51), at(51))).is_some());
}

#[test]
fn a_new_inventory_hides_nothing_behind_what_is_gone() {
    let mut s = world();
    walk(&mut s, 40, false);
    die(&mut s, 41);
    s.reduce(at(45), Event::Inventory(hosts()));
    assert_eq!(s.publish(at(45)).consequences.len(), 1, "what stands is judged anew");
    // The host has left the inventory.
    let mut less = (*inventory(&[("core", &[])], &[("icmp", true)])).clone();
    less.checks.push(spec("core", "ports", false));
    s.reduce(at(46), Event::Inventory(Arc::new(less)));
    let snapshot = s.publish(at(46));
    assert_eq!((snapshot.problems.len(), snapshot.consequences.len()), (1, 0));
    assert_eq!(walk(&mut s, 47, false).iter().filter(|e| matches!(e, Effect::AnnouncePart { .. })).count(), 1);
}

#[test]
fn a_host_that_never_answered_or_is_asked_by_nobody_is_no_cause() {
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(hosts()));
    see(&mut s, "core", "icmp", 1, Outcome::Ok);
    walk(&mut s, 2, true);
    die(&mut s, 3);
    let told = walk(&mut s, 40, false).iter().filter(|e| matches!(e, Effect::AnnouncePart { .. })).count();
    assert_eq!((told, s.publish(at(40)).consequences.len()), (1, 0));
}
