//! Which problems of one device belong together.

use super::super::bundle::{Bundling, Root};
use super::*;

/// Ports with a problem, each with what it is behind; then what the roots say.
fn bundled(switch: &Switch) -> Vec<String> {
    let device = switch.seen();
    let bundling = Bundling::of(device, &|_, _| None);
    let name = |row: usize| device.table.ports[row].name.line();
    let root = |root| if let Root::Port(row) = root { name(row) } else { "ports gone".to_owned() };
    let mut out = Vec::new();
    for port in device.ports.iter().filter(|port| port.condition.is_problem()) {
        let words = bundling.words(Root::Port(port.row)).map(|words| format!(": {words}")).unwrap_or_default();
        out.push(match bundling.root(port.row) {
            Some((above, tie)) => {
                let sure = if tie.is_inferred() { "?" } else { "" };
                format!("{} behind {}{sure}", name(port.row), root(above))
            }
            None if bundling.is_degraded(port) => format!("{} degraded{words}", name(port.row)),
            None => format!("{}{words}", name(port.row)),
        });
    }
    out.extend(bundling.words(Root::Gone));
    out
}

/// All of them are part of the network, so that their loss is a problem.
fn network(names: &[&str]) -> Switch {
    let mut switch = Switch::new(names).rules(&[], &["*"], &[]);
    switch.walk();
    switch
}

fn lose(switch: &mut Switch, names: &[&str]) {
    for name in names {
        switch.down(name);
    }
    switch.walk();
}

#[test]
fn an_aggregate_stands_for_its_members_whether_it_goes_on_or_not() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Po1"]);
    switch.member("Gi1", "Po1", true);
    switch.member("Gi2", "Po1", true);
    switch.walk();
    lose(&mut switch, &["Gi2"]);
    assert_eq!(bundled(&switch), ["Gi2 behind Po1", "Po1 degraded"]);
    lose(&mut switch, &["Gi1", "Po1"]);
    assert_eq!(bundled(&switch), ["Gi1 behind Po1", "Gi2 behind Po1", "Po1"]);
}

#[test]
fn a_member_with_a_cause_of_its_own_or_worse_than_the_aggregate_stands_for_itself() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Po1"]).rules(&["Gi1"], &[], &[]);
    switch.member("Gi1", "Po1", true);
    switch.member("Gi2", "Po1", true);
    switch.walk();
    // The operator's rules want it up: that is critical, and the aggregate merely degraded.
    lose(&mut switch, &["Gi1"]);
    assert_eq!(bundled(&switch), ["Gi1", "Po1 behind Gi1"]);
    switch.up("Gi1");
    switch.down("Gi2");
    switch.facts("Gi2").err_disabled = Some(ErrDisabled { cause: "udld".into(), recovers_in: None });
    switch.walk();
    assert_eq!(bundled(&switch), ["Gi2", "Po1 behind Gi2"]);
}

#[test]
fn many_links_that_are_lost_within_ninety_seconds_are_one_problem_and_fewer_or_later_ones_are_not() {
    let names = ["Gi1", "Gi2", "Gi3", "Gi4", "Gi5"];
    let mut switch = network(&names);
    lose(&mut switch, &["Gi1", "Gi2"]);
    assert_eq!(bundled(&switch), ["Gi1", "Gi2"], "two are a coincidence");
    // 60 seconds after them, and 120.
    lose(&mut switch, &["Gi3"]);
    let three = ["Gi1: 2 others lost their links within 90 s (inferred)", "Gi2 behind Gi1?", "Gi3 behind Gi1?"];
    assert_eq!(bundled(&switch), three);
    lose(&mut switch, &["Gi4"]);
    assert_eq!(bundled(&switch)[..3], three);
    assert_eq!(bundled(&switch)[3], "Gi4");
    // What is left when the first is back stands for itself.
    switch.up("Gi1");
    switch.walk();
    assert_eq!(bundled(&switch), ["Gi2", "Gi3", "Gi4"], "that is two minutes");
}

#[test]
fn what_is_inferred_hides_nothing_that_is_tagged_critical_or_has_to_be_up() {
    let names = ["Gi1", "Gi2", "Gi3"];
    let mut switch = network(&names);
    switch.host = Arc::new(Host { tags: vec!["critical".into()], ..(*switch.host).clone() });
    lose(&mut switch, &names);
    assert_eq!(bundled(&switch), names);
    let mut switch = Switch::new(&names).rules(&["Gi3"], &["*"], &[]);
    switch.walk();
    lose(&mut switch, &names);
    assert_eq!(bundled(&switch), ["Gi1: 1 other lost its link within 90 s (inferred)", "Gi2 behind Gi1?", "Gi3"]);
}

#[test]
fn nothing_is_behind_what_is_less_bad_nor_is_anything_but_a_lost_link() {
    let mut switch = network(&["Gi1", "Gi2", "Gi3", "Gi4"]);
    switch.down("Gi1");
    switch.facts("Gi1").err_disabled = Some(ErrDisabled { cause: "bpduGuard".into(), recovers_in: None });
    switch.set("Gi2", IfOper::Unknown);
    lose(&mut switch, &["Gi3", "Gi4"]);
    assert_eq!(switch.look("Gi2").condition, Condition::Unknown);
    assert_eq!(
        bundled(&switch),
        ["Gi1", "Gi2 behind Gi3?", "Gi3: 2 others lost their links within 90 s (inferred)", "Gi4 behind Gi3?"]
    );
}

#[test]
fn a_stack_member_of_which_nothing_is_up_is_one_problem_with_the_aggregates_over_it() {
    let mut switch = Switch::new(&["Gi1/1", "Gi2/1", "Gi2/2", "Po1"]).rules(&[], &["Gi2/2"], &[]);
    for (name, unit) in [("Gi1/1", 1), ("Gi2/1", 2), ("Gi2/2", 2)] {
        switch.facts(name).unit = Some(unit);
    }
    switch.member("Gi1/1", "Po1", true);
    switch.member("Gi2/1", "Po1", true);
    switch.walk();
    lose(&mut switch, &["Gi2/1"]);
    assert_eq!(bundled(&switch), ["Gi2/1 behind Po1", "Po1 degraded"]);
    switch.up("Gi2/1");
    switch.walk();
    lose(&mut switch, &["Gi2/1", "Gi2/2"]);
    assert_eq!(
        bundled(&switch),
        [
            "Gi2/1 behind Gi2/2?",
            "Gi2/2: 2 others of stack member 2 lost their links within 90 s (inferred)",
            "Po1 behind Gi2/2?"
        ]
    );
}

#[test]
fn a_slot_of_which_nothing_is_up_is_one_problem_where_there_is_another() {
    let mut switch = network(&["Te1/1", "Te2/1", "Te2/2"]);
    for (name, slot) in [("Te1/1", 1), ("Te2/1", 2), ("Te2/2", 2)] {
        switch.facts(name).slot = Some(slot);
    }
    for name in ["Te2/1", "Te2/2"] {
        switch.set(name, IfOper::NotPresent);
    }
    switch.walk();
    let words = "Te2/1: 1 other of slot 2 lost its link within 90 s (inferred)";
    assert_eq!(bundled(&switch), [words, "Te2/2 behind Te2/1?"]);
    switch.facts("Te1/1").slot = Some(2);
    switch.set("Te1/1", IfOper::Down);
    switch.walk();
    assert_eq!(bundled(&switch).len(), 3, "all that it has is no part of it");
}

#[test]
fn ports_that_are_gone_stand_for_links_that_were_lost_with_them() {
    let mut switch = network(&["Gi1", "Gi2", "Gi3"]);
    switch.neighbor("Gi1", "watched-sw2");
    switch.walk();
    switch.ports.remove(0);
    lose(&mut switch, &["Gi2", "Gi3"]);
    assert!(switch.seen().missing.is_some());
    assert_eq!(
        bundled(&switch),
        ["Gi2 behind ports gone?", "Gi3 behind ports gone?", "2 others lost their links within 90 s (inferred)"]
    );
}
