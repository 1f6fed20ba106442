//! What is said of a problem beside its own words.

use std::sync::Arc;
use std::time::Duration;

use super::super::tests::{at, down, see, spec};
use super::*;
use crate::model::device::{Equipment, PowerSource, Ups};
use crate::model::{AssetId, CareBook, Inventory, Maintenance, Order, Origin, Outcome, Policy, PortTable, Scope, Span};
use crate::state::Event;
use crate::state::rules::ports::judge;
use crate::state::view::{DeviceView, HostView};

/// It falls silent while another one answers all the time: else this console may be blind.
fn fall(s: &mut State, name: &str, secs: u64) {
    for _ in 0..20 {
        see(s, "up", "icmp", secs, Outcome::Ok);
    }
    down(s, name, secs);
}

/// Hosts at `fra1` but for the last one; all seen good.
fn world(names: &[&str]) -> State {
    let mut inventory = Inventory::default();
    for (n, name) in names.iter().enumerate() {
        let mut host = Host::new(name, Some("192.0.2.1"), Origin::Config);
        host.site = Some(if n + 1 == names.len() { "ams1" } else { "fra1" }.into());
        inventory.hosts.push(Arc::new(host));
        inventory.checks.push(spec(name, "icmp", true));
    }
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    for name in names {
        see(&mut s, name, "icmp", 1, Outcome::Ok);
    }
    s
}

fn ups(source: PowerSource, on_battery_for: Option<u64>) -> Arc<DeviceView> {
    let mut host = Host::new("ups1", Some("192.0.2.9"), Origin::Config);
    host.site = Some("fra1".into());
    let on_battery_for = on_battery_for.map(Duration::from_secs);
    let supply = Ups { source: Some(source), on_battery_for, ..Ups::default() };
    let equipment = Arc::new(Equipment { ups: Some(supply), ..Equipment::default() });
    let table = PortTable { collected_at: at(1_000), equipment, ..PortTable::default() };
    Arc::new(judge(None, &Arc::new(table), &Arc::new(host)))
}

fn told(s: &mut State, secs: u64, devices: &[Arc<DeviceView>]) -> Vec<String> {
    let snapshot = s.publish(at(secs));
    let falls = Falls::of(&snapshot.hosts, devices);
    let words = |host: &Arc<HostView>| Some(format!("{}: {}", host.host.name, falls.company(host)?.words()));
    snapshot.hosts.iter().filter_map(words).collect()
}

#[test]
fn what_falls_within_90_s_at_one_site_is_told_beside_each_and_hidden_is_nothing() {
    let mut s = world(&["a", "b", "c", "late", "up", "elsewhere"]);
    fall(&mut s, "a", 1_000);
    fall(&mut s, "b", 1_030);
    assert_eq!(told(&mut s, 1_040, &[]), Vec::<String>::new(), "two are a coincidence");
    fall(&mut s, "elsewhere", 1_040);
    fall(&mut s, "c", 1_060);
    fall(&mut s, "late", 1_200);
    let all = ["a", "b", "c"].map(|name| format!("{name}: 2 others at fra1 fell within 90 s"));
    assert_eq!(told(&mut s, 1_210, &[]), all);
    let snapshot = s.publish(at(1_211));
    let reasons: Vec<String> = snapshot.problems.iter().map(|problem| problem.reason.line()).collect();
    assert_eq!(reasons.len(), 5, "each stands for itself");
    assert_eq!(reasons.iter().filter(|reason| reason.ends_with(" · 2 others at fra1 fell within 90 s")).count(), 3);
    see(&mut s, "b", "icmp", 1_220, Outcome::Ok);
    assert_eq!(told(&mut s, 1_221, &[]), Vec::<String>::new());
}

#[test]
fn a_ups_on_battery_is_told_where_it_was_so_before() {
    let mut s = world(&["a", "b", "c", "up", "elsewhere"]);
    fall(&mut s, "a", 1_000);
    fall(&mut s, "elsewhere", 1_000);
    assert_eq!(told(&mut s, 1_010, &[ups(PowerSource::Mains, None)]), Vec::<String>::new());
    // It says so for ten minutes: since 08:06:40.
    let battery = ups(PowerSource::Battery, Some(600));
    assert_eq!(
        told(&mut s, 1_010, std::slice::from_ref(&battery)),
        ["a: ups1 at the same site on battery since 08:06Z"]
    );
    let silent = Arc::new(DeviceView { stale: true, ..(*battery).clone() });
    fall(&mut s, "b", 1_010);
    fall(&mut s, "c", 1_020);
    let words = "2 others at fra1 fell within 90 s · ups1 there on battery since 08:06Z, last heard so";
    assert_eq!(told(&mut s, 1_030, &[silent]), ["a", "b", "c"].map(|name| format!("{name}: {words}")));
    // Longer than a minute and a half after they fell.
    let mut s = world(&["a", "up", "elsewhere"]);
    fall(&mut s, "a", 100);
    assert_eq!(told(&mut s, 1_010, &[battery]), Vec::<String>::new());
}

#[test]
fn what_stands_and_nobody_has_is_told_again_and_nothing_else() {
    let mut s = world(&["a", "b", "up", "elsewhere"]);
    fall(&mut s, "a", 1_000);
    let a = Target::Host(AssetId::new("a"));
    let again = |s: &State, secs: u64| {
        let alert = s.reminder(&a, (at(secs), at(secs)))?;
        Some(format!("{} {} {}", alert.kind.as_str(), alert.word, alert.reason.line()))
    };
    let stands = again(&s, 1_002 + 4 * 3_600);
    assert_eq!(stands, Some("reminder DOWN Critical · for 4h".into()));
    assert_eq!(s.reminder(&Target::Host(AssetId::new("b")), (at(2_000), at(2_000))), None, "it is well");
    let span = Span::Once { from: at(3_000), until: at(4_000) };
    let order = Order { scope: Scope::Site("fra1".into()), span, flexible: None, note: "".into() };
    let maintenance = vec![Arc::new(Maintenance { id: "1".into(), author: "ops1".into(), order })];
    s.reduce(at(3_000), Event::Care(CareBook { maintenance, ..CareBook::default() }));
    assert_eq!(again(&s, 3_001), None);
    s.reduce(at(4_000), Event::Tick);
    see(&mut s, "a", "icmp", 4_000, Outcome::Critical);
    assert!(again(&s, 4_001).is_some());
    s.reduce(at(4_002), Event::Uplink(Some("no default route".into())));
    assert_eq!(again(&s, 4_003), None, "nobody knows whether it stands");
}

#[test]
fn an_event_that_is_less_bad_than_its_host_is_named_beside_what_the_host_is_known_for() {
    let mut inventory = Inventory::default();
    inventory.hosts.push(Arc::new(Host::new("a", Some("192.0.2.1"), Origin::Config)));
    inventory.checks.extend([spec("a", "icmp", true), spec("a", "disk", false)]);
    let events = crate::model::CheckSpec { volatile: true, attempts: 1, ..(*spec("a", "log", false)).clone() };
    inventory.checks.push(Arc::new(events));
    let mut s = State::new(Policy::default());
    s.reduce(at(0), Event::Inventory(Arc::new(inventory)));
    for check in ["icmp", "disk", "log"] {
        see(&mut s, "a", check, 1, Outcome::Ok);
    }
    for secs in 2..5 {
        see(&mut s, "a", "disk", secs, Outcome::Critical);
    }
    see(&mut s, "a", "icmp", 5, Outcome::Ok);
    see(&mut s, "a", "log", 6, Outcome::Warning);
    let target = Target::Host(AssetId::new("a"));
    let reason = |news| {
        let change = (Condition::Critical, Condition::Critical);
        s.alert(&target, change, news, at(6)).expect("it is there").reason.line()
    };
    assert_eq!(reason(News::Another), "disk: Critical · log: Warning");
    assert_eq!(reason(News::Changed), "disk: Critical");
}
