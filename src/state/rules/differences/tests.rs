//! What counts as changed, and what moves by itself.

use std::time::Duration;

use super::*;
use crate::base::Timestamp;
use crate::model::device::{Equipment, NeighborProtocol};
use crate::model::vitals::Packages;
use crate::model::{AssetId, CheckKey, Host, Inventory, Origin, Policy, Port, Subject, Unit};
use crate::state::rules::check::fresh;
use crate::state::{Event, State};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000).plus(Duration::from_secs(secs))
}

fn spec(kind: &str) -> CheckSpec {
    CheckSpec::sample(Subject::Host(AssetId::new("db01")), kind)
}

fn check(kind: &str) -> CheckView {
    fresh(&Arc::new(spec(kind)), at(0))
}

fn observed(secs: u64, reading: Reading) -> Arc<Observation> {
    let check = CheckKey { subject: Subject::Host(AssetId::new("db01")), name: "x".into() };
    Arc::new(Observation { check, at: at(secs), took: Duration::ZERO, reading })
}

fn vitals(kernel: &str, count: u32, digest: &str) -> Vitals {
    let packages = Some(Packages { by: "dpkg", count, digest: digest.into() });
    Vitals { kernel: kernel.into(), packages, ..Vitals::default() }
}

fn of(check: &CheckView, secs: u64, reading: Reading) -> Vec<String> {
    let mut found = Vec::new();
    of_results(check, &observed(secs, reading), &mut found);
    found
}

#[test]
fn a_machine_is_compared_with_what_it_told_last_and_what_is_not_told_stands() {
    let known = Machine::default().renewed(&vitals("6.1.0-18", 500, "aa"));
    let of = |known: &Machine, now: &Vitals| {
        let mut found = Vec::new();
        of_machines(known, now, &mut found);
        found
    };
    assert!(of(&Machine::default(), &vitals("6.1.0-18", 500, "aa")).is_empty(), "nothing was known");
    assert!(of(&known, &vitals("6.1.0-18", 500, "aa")).is_empty());
    assert_eq!(
        of(&known, &vitals("6.1.0-21", 500, "bb")),
        ["kernel: 6.1.0-18 → 6.1.0-21", "packages changed (500 are installed)"]
    );
    assert_eq!(of(&known, &vitals("", 501, "bb")), ["packages: 500 → 501 installed"]);
    // Packages are asked for seldom: most looks tell nothing of them.
    let known = known.renewed(&Vitals { kernel: "6.1.0-21".into(), ..Vitals::default() });
    assert_eq!(of(&known, &vitals("6.1.0-21", 501, "bb")), ["packages: 500 → 501 installed"]);
    let hostile = of(&known, &vitals(&format!("6.1\u{1b}[2J{}", "x".repeat(500)), 500, "aa"));
    assert!(hostile[0].len() < 120 && !hostile[0].contains('\u{1b}'), "{hostile:?}");
}

#[test]
fn a_certificate_is_another_one_when_its_days_do_not_count_down() {
    let mut known = check("tls");
    let left = |days: f64| Reading::ok("fine").metric("days_left", days, Unit::Count);
    known.last = Some(observed(0, left(30.0)));
    assert!(of(&known, 86_400, left(29.0)).is_empty());
    assert!(of(&known, 20 * 86_400, left(10.0)).is_empty());
    assert_eq!(of(&known, 3_600, left(90.0)), ["certificate: 30 days left → 90"]);
    assert_eq!(of(&known, 3_600, left(3.0)), ["certificate: 30 days left → 3"]);
}

#[test]
fn a_zone_has_another_serial_and_a_host_another_key() {
    let mut known = check("dns-serial");
    let serial = |number: f64| Reading::ok("fine").metric("serial", number, Unit::Count);
    known.last = Some(observed(0, serial(2_026_010_101.0)));
    assert!(of(&known, 1, serial(2_026_010_101.0)).is_empty());
    assert_eq!(of(&known, 1, serial(2_026_010_102.0)), ["zone: serial 2026010101 → 2026010102"]);
    let mut known = check("ssh-key");
    let changed = || Reading::critical("HOST KEY CHANGED: now a, known b");
    assert!(of(&known, 1, changed()).is_empty(), "it may have been so for years");
    known.last = Some(observed(0, Reading::ok("a, known")));
    assert_eq!(of(&known, 1, changed()), ["SSH host key: HOST KEY CHANGED: now a, known b"]);
    known.last = Some(observed(1, changed()));
    assert!(of(&known, 2, changed()).is_empty(), "once");
}

fn walk(ports: &[(u32, u64, &str)]) -> PortTable {
    let mut equipment = Equipment::default();
    let mut table = PortTable::default();
    for (index, speed, neighbor) in ports {
        let name = format!("Gi{index}");
        let oper = Some(if *speed > 0 { IfOper::Up } else { IfOper::Down });
        table.ports.push(Port {
            index: *index,
            name: name.as_str().into(),
            oper,
            speed_bps: Some(*speed),
            ..Port::default()
        });
        let heard = (!neighbor.is_empty()).then(|| Neighbor::new(NeighborProtocol::Lldp, *neighbor, "1"));
        equipment.port_mut(*index).neighbors = heard.into_iter().collect();
    }
    table.equipment = equipment.into();
    table
}

#[test]
fn ports_have_another_speed_or_neighbor_and_many_are_told_as_one() {
    let was = walk(&[(1, 10_000_000_000, "core1"), (2, 1_000_000_000, ""), (3, 1_000_000_000, "acc1")]);
    let now = walk(&[(1, 1_000_000_000, "core1"), (2, 0, "acc2"), (3, 1_000_000_000, "acc9"), (4, 1, "x")]);
    assert_eq!(
        of_walks(&was, &now),
        [(Some(0), "speed 10G → 1G".to_owned()), (Some(2), "neighbor acc1 → acc9".to_owned())]
    );
    assert!(of_walks(&was, &was).is_empty());
    let many = |neighbor| walk(&(1..=20).map(|index| (index, 1_000, neighbor)).collect::<Vec<_>>());
    assert_eq!(of_walks(&many("a"), &many("b")), [(None, "20 ports have another speed or neighbor".to_owned())]);
}

#[test]
fn a_configuration_says_which_of_a_host_it_changed() {
    let view = |parents: &[&str], checks: Vec<CheckSpec>| {
        let mut host = Host::new("db01", Some("10.0.0.5"), Origin::Config);
        host.parents = parents.iter().map(AssetId::new).collect();
        let mut inventory = Inventory { hosts: vec![Arc::new(host)], ..Inventory::default() };
        inventory.checks = checks.into_iter().map(Arc::new).collect();
        let mut state = State::new(Policy::default());
        state.reduce(at(0), Event::Inventory(Arc::new(inventory)));
        (*state.publish(at(0)).hosts[0]).clone()
    };
    let was = view(&[], vec![spec("icmp"), spec("old")]);
    assert_eq!(of_configurations(&was, &was.clone()), None);
    let mut now = view(&["sw1"], vec![CheckSpec { attempts: 5, ..spec("icmp") }, spec("new")]);
    Arc::make_mut(&mut now.host).address = Some("10.0.0.9".into());
    let words = "configuration: address 10.0.0.5 → 10.0.0.9, parents, new check new, no check old, check icmp";
    assert_eq!(of_configurations(&was, &now).as_deref(), Some(words));
    let mut tagged = was.clone();
    Arc::make_mut(&mut tagged.host).tags = vec!["x".into()];
    let words = of_configurations(&was, &tagged);
    assert_eq!(words.as_deref(), Some("configuration: tags, place or port rules"));
}
