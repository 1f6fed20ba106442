//! What hangs where, by what switches say of their neighbors.

use super::super::tests::{at, inventory, see};
use super::*;
use crate::base::{Timestamp, Untrusted};
use crate::model::device::{Equipment, Neighbor, NeighborProtocol};
use crate::model::{
    AssetId, CheckKey, Condition, Facts, IfOper, Inventory, Observation, Outcome, Policy, Port, Reading, Subject,
};
use crate::state::event::{Effect, Event};
use crate::state::view::HostView;

fn neighbor(name: &str, forwards: Option<bool>) -> Neighbor {
    Neighbor {
        protocol: NeighborProtocol::Lldp,
        name: name.into(),
        port: "eth0".into(),
        port_description: Untrusted::default(),
        platform: Untrusted::default(),
        chassis_mac: None,
        addresses: Vec::new(),
        forwards,
        half_duplex: None,
    }
}

fn walk(s: &mut State, secs: u64, neighbors: Vec<Neighbor>) {
    let mut equipment = Equipment::default();
    for (port, neighbor) in (1..).zip(neighbors) {
        equipment.port_mut(port).neighbors.push(neighbor);
    }
    let table =
        PortTable { collected_at: at(secs), equipment: Arc::new(equipment), complete: true, ..PortTable::default() };
    observe(s, "sw1", table);
}

fn observe(s: &mut State, host: &str, table: PortTable) {
    let (now, check) =
        (table.collected_at, CheckKey { subject: Subject::Host(AssetId::new(host)), name: "ports".into() });
    let reading = Reading::ok("walked").facts(Facts::Ports(Arc::new(table)));
    s.reduce(now, Event::Observed(Observation { check, at: now, took: Duration::ZERO, reading }));
}

fn hosts() -> Inventory {
    let mut out = (*inventory(&[("sw1", &[]), ("db01", &[]), ("web", &[])], &[("icmp", true)])).clone();
    out.checks.push(super::super::tests::spec("sw1", "ports", false));
    out
}

/// `sw1` with `db01` on it, both seen good; `change` may alter the inventory.
fn world(change: impl FnOnce(&mut Inventory)) -> State {
    let mut inventory = hosts();
    change(&mut inventory);
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    for host in ["sw1", "db01", "web"] {
        see(&mut s, host, "icmp", 1, Outcome::Ok);
    }
    walk(&mut s, 2, vec![neighbor("DB01.example.net", Some(false)), neighbor("web", Some(true))]);
    s
}

fn die(s: &mut State, host: &str, from: u64) -> Vec<Effect> {
    (0..3).flat_map(|n| see(s, host, "icmp", from + n, Outcome::Critical)).collect()
}

fn told(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Announce { .. })).count()
}

fn stands(s: &mut State, host: &str, secs: u64) -> (Condition, String) {
    let snapshot = s.publish(at(secs));
    let host = snapshot.host(&AssetId::new(host)).expect("there");
    (host.condition, host.reason.line())
}

fn parent_of(host: &HostView) -> Option<&str> {
    host.care.inferred_parent.as_ref().map(|parent| &*parent.name)
}

#[test]
fn an_end_that_a_switch_names_hangs_on_it_and_is_marked() {
    let mut s = world(|_| {});
    let snapshot = s.publish(at(3));
    let inferred: Vec<Option<&str>> = snapshot.hosts.iter().map(|h| parent_of(h)).collect();
    assert_eq!(inferred, [None, Some("sw1"), None], "what forwards for others may be above as well as below");
    assert_eq!(told(&die(&mut s, "sw1", 40)), 1);
    assert_eq!(told(&die(&mut s, "db01", 50)), 0);
    assert_eq!(
        stands(&mut s, "db01", 53),
        (Condition::Unreachable, "behind sw1 (inferred: sw1 names it as its neighbor)".into())
    );
    assert_eq!(s.publish(at(53)).problems[0].hides, 1);
}

#[test]
fn it_hides_neither_what_died_at_another_time_nor_what_is_tagged_critical() {
    let mut s = world(|_| {});
    die(&mut s, "sw1", 40);
    see(&mut s, "db01", "icmp", 100, Outcome::Ok);
    assert_eq!(told(&die(&mut s, "db01", 200)), 1, "the switch was down for long, and it answered all the same");
    assert_eq!(stands(&mut s, "db01", 203).0, Condition::Critical);
    let mut s = world(|inventory| Arc::make_mut(&mut inventory.hosts[1]).tags = vec!["critical".into()]);
    die(&mut s, "sw1", 40);
    assert_eq!(told(&die(&mut s, "db01", 41)), 1);
}

#[test]
fn what_hung_on_a_dead_switch_hangs_on_it_after_a_restart_too() {
    let mut s = world(|_| {});
    die(&mut s, "sw1", 40);
    die(&mut s, "db01", 41);
    let specs = s.specs().to_vec();
    let checks = specs.iter().filter_map(|spec| s.check(&spec.key)?.remembered()).collect();
    let assets = ["sw1", "db01", "web"].map(|host| s.asset(&Subject::Host(AssetId::new(host))).expect("it was seen"));
    let mut later = State::new(Policy::default());
    later.reduce(at(300), Event::RestoredAssets(assets.into()));
    let mut all = later.reduce(at(300), Event::Restored(checks));
    all.extend(later.reduce(at(300), Event::Inventory(Arc::new(hosts()))));
    // A switch that is dead says nothing of its neighbors.
    assert_eq!(stands(&mut later, "db01", 300).0, Condition::Unreachable);
    for host in ["db01", "sw1", "sw1", "db01"] {
        all.extend(see(&mut later, host, "icmp", 301, Outcome::Critical));
    }
    assert_eq!((told(&all), stands(&mut later, "db01", 301).0), (0, Condition::Unreachable));
    all = see(&mut later, "sw1", "icmp", 310, Outcome::Ok);
    all.extend(see(&mut later, "db01", "icmp", 311, Outcome::Ok));
    assert_eq!(told(&all), 1, "the switch is back, and nobody knew of the other");
}

#[test]
fn configured_parents_come_first_and_a_reload_keeps_what_was_inferred() {
    let mut s = world(|inventory| Arc::make_mut(&mut inventory.hosts[1]).parents = vec![AssetId::new("web")]);
    assert_eq!(parent_of(&s.publish(at(3)).hosts[1]), None);
    let mut s = world(|_| {});
    s.reduce(at(4), Event::Inventory(Arc::new(hosts())));
    assert_eq!(parent_of(&s.publish(at(4)).hosts[1]), Some("sw1"));
    die(&mut s, "sw1", 40);
    die(&mut s, "db01", 41);
    assert_eq!(stands(&mut s, "db01", 44).0, Condition::Unreachable);
    let mut without = hosts();
    without.hosts.remove(0);
    without.checks.retain(|check| check.key.subject.id().as_str() != "sw1");
    s.reduce(at(45), Event::Inventory(Arc::new(without)));
    assert_eq!(parent_of(&s.publish(at(45)).hosts[0]), None);
    assert!(at(45) > Timestamp::default());
}

#[test]
fn two_hosts_of_one_name_are_nobodys_neighbor() {
    let mut s = world(|inventory| {
        let twin = crate::model::Host { id: AssetId::new("twin"), ..(*inventory.hosts[1]).clone() };
        inventory.hosts.push(Arc::new(twin));
    });
    assert!(s.publish(at(3)).hosts.iter().all(|host| host.care.inferred_parent.is_none()));
}

#[test]
fn a_walked_host_is_a_neighbor_that_is_missed_though_it_says_nothing_of_itself() {
    let mut s = world(|inventory| inventory.checks.push(super::super::tests::spec("web", "ports", false)));
    let table = |secs: u64| {
        let mut equipment = Equipment::default();
        equipment.port_mut(1).neighbors.push(neighbor("WEB.example.net", None));
        let ports = vec![Port { index: 1, oper: Some(IfOper::Up), ..Port::default() }];
        PortTable {
            collected_at: at(secs),
            equipment: Arc::new(equipment),
            ports,
            complete: true,
            ..PortTable::default()
        }
    };
    let missed = |s: &State| {
        let device = s.hosts[0].device.as_ref().expect("it was walked");
        device.ports[0].ties.as_ref().and_then(|ties| ties.neighbor.as_ref()).map(|(id, _)| id.name.line())
    };
    observe(&mut s, "sw1", table(10));
    assert_eq!(missed(&s), None, "its ports are not walked");
    observe(&mut s, "web", PortTable { collected_at: at(11), complete: true, ..PortTable::default() });
    observe(&mut s, "sw1", table(70));
    assert_eq!(missed(&s).as_deref(), Some("WEB.example.net"));
}

fn hung(parents: &[(&str, &str, Inference)]) -> State {
    world(|inventory| {
        for (child, parent, by) in parents {
            inventory.inferred.insert(AssetId::new(child), (AssetId::new(parent), *by));
        }
    })
}

#[test]
fn what_is_reached_through_a_jump_host_hangs_on_it_and_says_by_what() {
    let mut s = hung(&[("db01", "web", Inference::ProxyJump)]);
    assert_eq!(parent_of(&s.publish(at(3)).hosts[1]), Some("web"), "a jump host comes before a neighbor");
    die(&mut s, "web", 40);
    assert_eq!(told(&die(&mut s, "db01", 41)), 0);
    let why = "behind web (inferred from ProxyJump: it is reached through web)";
    assert_eq!(stands(&mut s, "db01", 44), (Condition::Unreachable, why.into()));
    // What died long after it has a cause of its own.
    let mut s = hung(&[("db01", "web", Inference::ProxyJump)]);
    die(&mut s, "web", 40);
    see(&mut s, "db01", "icmp", 100, Outcome::Ok);
    assert_eq!(told(&die(&mut s, "db01", 200)), 1);
}

#[test]
fn a_neighbor_comes_before_a_gateway_and_a_circle_is_none() {
    let mut s = hung(&[("db01", "web", Inference::Gateway)]);
    assert_eq!(parent_of(&s.publish(at(3)).hosts[1]), Some("sw1"));
    let mut s = hung(&[("sw1", "web", Inference::ProxyJump), ("web", "sw1", Inference::Gateway)]);
    let snapshot = s.publish(at(3));
    let found: Vec<Option<&str>> = snapshot.hosts.iter().map(|host| parent_of(host)).collect();
    assert_eq!(found, [Some("web"), Some("sw1"), None]);
}

#[test]
fn a_gateway_that_never_answers_hides_nothing() {
    let mut inventory = (*inventory(&[("gw", &[]), ("far", &[])], &[("icmp", true)])).clone();
    inventory.inferred.insert(AssetId::new("far"), (AssetId::new("gw"), Inference::Gateway));
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    see(&mut s, "far", "icmp", 1, Outcome::Ok);
    die(&mut s, "gw", 10);
    assert_eq!(told(&die(&mut s, "far", 12)), 1);
    assert_eq!(stands(&mut s, "far", 15).0, Condition::Critical);
}

#[test]
fn in_one_cycle_a_gateway_that_never_answered_hides_what_does_not_answer_either() {
    let cycle = |web: Outcome| {
        let mut inventory = hosts();
        for end in ["db01", "web"] {
            inventory.inferred.insert(AssetId::new(end), (AssetId::new("sw1"), Inference::Gateway));
        }
        let mut s = State::new(Policy { never_seen_is_down: true, longest_wait: Duration::ZERO, ..Policy::default() });
        s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
        see(&mut s, "web", "icmp", 1, web);
        die(&mut s, "sw1", 2);
        die(&mut s, "db01", 3);
        stands(&mut s, "db01", 6).0
    };
    assert_eq!(cycle(Outcome::Critical), Condition::Unreachable);
    assert_eq!(cycle(Outcome::Ok), Condition::Critical, "something is reached through it all the same");
}
