//! Sequences of walks of one device, a minute apart.

use super::*;
use crate::base::Untrusted;
use crate::model::device::{EngineClock, ErrDisabled, LagMember, Neighbor, NeighborProtocol};
use crate::model::port_rules::{Pattern, RuleSet};
use crate::model::{
    Counter, Counters, Device, Duplex, Equipment, IfAdmin, Origin, PortChange, PortKey, PortPackets, PortRules,
};

mod bundle;

const MINUTE: Duration = Duration::from_secs(60);

/// A switch that is walked again and again.
struct Switch {
    now: Timestamp,
    device: Device,
    ports: Vec<Port>,
    packets: Vec<PortPackets>,
    equipment: Equipment,
    complete: bool,
    host: Arc<Host>,
    view: Option<DeviceView>,
}

impl Switch {
    /// With these ports, all up at 1 Gbit/s, and up for a day.
    fn new(names: &[&str]) -> Self {
        let ports = names.iter().enumerate().map(|(i, name)| port(i as u32 + 1, name)).collect();
        Self {
            now: Timestamp::from_secs(1_800_000_000),
            device: Device { uptime: Some(Duration::from_secs(86_400)), ..Device::default() },
            ports,
            packets: Vec::new(),
            equipment: Equipment::default(),
            complete: true,
            host: Arc::new(Host::new("sw1", Some("192.0.2.1"), Origin::Config)),
            view: None,
        }
    }

    fn rules(mut self, must_be_up: &[&str], uplink: &[&str], ignore: &[&str]) -> Self {
        let all = |texts: &[&str]| texts.iter().map(|t| Pattern::new(t).expect("a pattern")).collect();
        let set = RuleSet { must_be_up: all(must_be_up), uplink: all(uplink), ignore: all(ignore) };
        let rules = PortRules { sets: vec![Arc::new(set)], ..PortRules::default() };
        self.host = Arc::new(Host { ports: Arc::new(rules), ..(*self.host).clone() });
        self
    }

    fn port(&mut self, name: &str) -> &mut Port {
        self.ports.iter_mut().find(|p| p.name.as_bytes() == name.as_bytes()).expect("a port of that name")
    }

    fn facts(&mut self, name: &str) -> &mut PortFacts {
        let index = self.port(name).index;
        self.equipment.port_mut(index)
    }

    fn neighbor(&mut self, name: &str, who: &str) {
        self.facts(name).neighbors = vec![neighbor(who)];
    }

    /// A member of an aggregate, in it or not.
    fn member(&mut self, name: &str, aggregate: &str, bundled: bool) {
        let aggregate = self.port(aggregate).index;
        self.facts(name).lag = Some(LagMember { aggregate, bundled: Some(bundled) });
    }

    fn set(&mut self, name: &str, oper: IfOper) {
        self.port(name).oper = Some(oper);
    }

    fn down(&mut self, name: &str) {
        self.set(name, IfOper::Down);
    }

    fn up(&mut self, name: &str) {
        self.set(name, IfOper::Up);
    }

    fn table(&self) -> Arc<PortTable> {
        Arc::new(PortTable {
            collected_at: self.now,
            device: self.device.clone(),
            ports: self.ports.clone(),
            packets: self.packets.clone(),
            complete: self.complete,
            warnings: Vec::new(),
            equipment: Arc::new(self.equipment.clone()),
        })
    }

    fn walk(&mut self) -> &DeviceView {
        self.walk_after(MINUTE)
    }

    fn walk_after(&mut self, time: Duration) -> &DeviceView {
        if self.view.is_some() {
            self.pass(time);
        }
        let is_device = |neighbor: &Neighbor| neighbor.name.as_bytes().starts_with(b"watched");
        let view = judge_among(&is_device, self.view.as_ref(), &self.table(), &self.host);
        self.view.insert(view)
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        self.device.uptime = self.device.uptime.map(|up| up + time);
        if let Some(engine) = &mut self.device.engine {
            engine.time += time;
        }
    }

    /// The device starts anew and is walked so long after.
    fn restart(&mut self, before: Duration) {
        self.device.uptime = Some(before.saturating_sub(MINUTE));
    }

    /// noctty is stopped and started again; the next walk remembers what was stored.
    fn recall(&mut self, after: Duration) -> &DeviceView {
        let stored = self.seen().remembered();
        self.pass(after);
        let view = recall(&|_| false, &stored, &self.table(), &self.host);
        self.view.insert(view)
    }

    fn seen(&self) -> &DeviceView {
        self.view.as_ref().expect("it was walked")
    }

    fn row(&self, name: &str) -> usize {
        let table = &self.seen().table;
        table.ports.iter().position(|p| p.name.as_bytes() == name.as_bytes()).expect("a port of that name")
    }

    fn look(&self, name: &str) -> &PortView {
        &self.seen().ports[self.row(name)]
    }

    /// State, condition and reason.
    fn verdict(&self, name: &str) -> (PortState, Condition, String) {
        let port = self.look(name);
        (port.state, port.condition, port.reason.as_deref().unwrap_or_default().to_owned())
    }

    fn changes(&self) -> Vec<String> {
        let label = |key: &Option<PortKey>| key.as_ref().map(|k| k.label.line() + " ").unwrap_or_default();
        self.seen().events.iter().map(|e| label(&e.port) + &e.change.words()).collect()
    }
}

fn port(index: u32, name: &str) -> Port {
    Port {
        index,
        name: Untrusted::from(name),
        if_type: Some(6),
        admin: Some(IfAdmin::Up),
        oper: Some(IfOper::Up),
        speed_bps: Some(1_000_000_000),
        mtu: Some(1500),
        duplex: Some(Duplex::Full),
        counters: Counters::of_octets(Some(1_000), Some(0), true),
        ..Port::default()
    }
}

fn neighbor(who: &str) -> Neighbor {
    let mut neighbor = Neighbor {
        protocol: NeighborProtocol::Lldp,
        name: Untrusted::from(who),
        port: Untrusted::default(),
        port_description: Untrusted::default(),
        platform: Untrusted::default(),
        chassis_mac: None,
        addresses: Vec::new(),
        forwards: None,
        half_duplex: None,
    };
    neighbor.forwards = Some(true);
    neighbor
}

#[test]
fn the_first_walk_is_the_baseline() {
    let mut switch = Switch::new(&["Gi1", "Te1", "Po1"]).rules(&[], &["Te1"], &[]);
    switch.neighbor("Gi1", "core");
    for name in ["Gi1", "Te1", "Po1"] {
        switch.down(name);
    }
    let view = switch.walk();
    assert_eq!((view.condition, view.up), (Condition::Ok, 0));
    assert!(view.events.is_empty());
    assert_eq!(switch.verdict("Te1"), (PortState::NoLink, Condition::Ok, String::new()));
    assert_eq!(switch.look("Gi1").gap, Some(Gap::FirstWalk));
    assert_eq!(switch.look("Gi1").changed, None);
    // And stays so.
    assert_eq!(switch.walk().condition, Condition::Ok);
}

#[test]
fn a_closed_laptop_is_an_event_and_alarms_nobody() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.walk();
    for _ in 0..2 {
        switch.down("Gi1");
        switch.walk();
        assert_eq!(switch.verdict("Gi1"), (PortState::LinkLost, Condition::Ok, String::new()));
        switch.up("Gi1");
        switch.walk();
    }
    assert_eq!(switch.seen().condition, Condition::Ok);
    assert_eq!(switch.look("Gi1").flaps.len(), 4);
    assert_eq!(switch.changes()[0], "Gi1 link-lost → up");
    assert_eq!(switch.seen().events.len(), 4);
}

#[test]
fn link_loss_is_a_problem_where_the_port_is_part_of_the_network() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3", "Gi4"]).rules(&[], &["Gi2"], &["Gi4"]);
    switch.neighbor("Gi1", "core-sw1");
    switch.neighbor("Gi4", "lab");
    switch.port("Gi3").alias = Untrusted::from("UPLINK to the roof");
    switch.walk();
    for name in ["Gi1", "Gi2", "Gi3", "Gi4"] {
        switch.down(name);
    }
    switch.walk();
    let lost = |reason: &str| (PortState::LinkLost, Condition::Critical, reason.to_owned());
    assert_eq!(switch.verdict("Gi1"), lost("lost its link to core-sw1"));
    assert_eq!(switch.verdict("Gi2"), lost("uplink lost its link"));
    assert_eq!(switch.verdict("Gi3"), lost("uplink lost its link"));
    assert_eq!(switch.verdict("Gi4").1, Condition::Ok, "nobody's business");
    assert_eq!(switch.seen().condition, Condition::Critical);
}

#[test]
fn a_host_that_is_tagged_uplink_has_uplinks_only() {
    let mut switch = Switch::new(&["Gi1"]);
    let tags = vec!["uplink".into()];
    switch.host = Arc::new(Host { tags, ..(*switch.host).clone() });
    switch.walk();
    switch.down("Gi1");
    assert_eq!(switch.walk().condition, Condition::Critical);
}

#[test]
fn a_neighbor_that_aged_out_with_its_link_is_remembered_and_one_that_moved_is_not_for_ever() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.neighbor("Gi1", "core-sw1");
    switch.walk();
    switch.down("Gi1");
    switch.facts("Gi1").neighbors.clear();
    for _ in 0..3 {
        switch.walk();
        assert_eq!(switch.verdict("Gi1").2, "lost its link to core-sw1");
    }
    switch.walk_after(Duration::from_secs(3 * 86_400));
    assert_eq!(switch.look("Gi1").condition, Condition::Critical, "three days later it still is");
    // Somebody plugs in something else: after a day it is an access port.
    switch.up("Gi1");
    switch.walk();
    switch.walk_after(Duration::from_secs(90_000));
    assert_eq!(switch.look("Gi1").ties, None);
    switch.down("Gi1");
    switch.walk();
    assert_eq!(switch.look("Gi1").condition, Condition::Ok);
}

#[test]
fn a_telephone_is_no_neighbor_that_anybody_misses() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]);
    switch.facts("Gi1").neighbors = vec![Neighbor { forwards: Some(false), ..neighbor("phone") }];
    switch.facts("Gi2").neighbors = vec![Neighbor { forwards: None, ..neighbor("?") }];
    switch.walk();
    switch.down("Gi1");
    switch.down("Gi2");
    assert_eq!(switch.walk().condition, Condition::Ok);
}

#[test]
fn what_must_be_up_is_a_problem_from_the_first_walk_on() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3"]).rules(&["Gi*"], &[], &[]);
    switch.down("Gi1");
    switch.port("Gi2").admin = Some(IfAdmin::Down);
    switch.down("Gi2");
    switch.walk();
    assert_eq!(switch.verdict("Gi1"), (PortState::NoLink, Condition::Critical, "must be up, and has no link".into()));
    assert_eq!(
        switch.verdict("Gi2"),
        (PortState::AdminDown, Condition::Critical, "must be up, and is shut down".into())
    );
    assert_eq!(switch.verdict("Gi3"), (PortState::Up, Condition::Ok, String::new()));
    switch.set("Gi3", IfOper::Unknown);
    switch.walk();
    assert_eq!(switch.look("Gi3").condition, Condition::Unknown);
}

#[test]
fn a_port_that_was_shut_is_no_problem_even_on_an_uplink() {
    let mut switch = Switch::new(&["Te1"]).rules(&[], &["Te1"], &[]);
    switch.walk();
    switch.port("Te1").admin = Some(IfAdmin::Down);
    switch.down("Te1");
    switch.walk();
    assert_eq!(switch.verdict("Te1"), (PortState::AdminDown, Condition::Ok, String::new()));
    assert!(switch.look("Te1").flaps.is_empty());
}

#[test]
fn admin_down_with_the_link_up_says_both() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.port("Gi1").admin = Some(IfAdmin::Down);
    assert_eq!(switch.walk().up, 0);
    assert_eq!(switch.verdict("Gi1"), (PortState::AdminDown, Condition::Ok, "and yet the link is up".into()));
    assert!(switch.look("Gi1").seen_up);
}

#[test]
fn half_duplex_lost_speed_and_a_duplex_mismatch_are_told() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3", "Gi4"]);
    switch.port("Gi1").duplex = Some(Duplex::Half);
    switch.port("Gi3").duplex = Some(Duplex::Half);
    switch.port("Gi3").speed_bps = Some(10_000_000);
    switch.neighbor("Gi4", "core-sw1");
    switch.facts("Gi4").neighbors[0].half_duplex = Some(true);
    switch.walk();
    let up = |condition, reason: &str| (PortState::Up, condition, reason.to_owned());
    assert_eq!(switch.verdict("Gi1"), up(Condition::Warning, "half duplex"));
    assert_eq!(switch.verdict("Gi3"), up(Condition::Ok, "half duplex"), "as old 10 Mbit/s devices are");
    assert_eq!(switch.verdict("Gi4"), up(Condition::Warning, "duplex mismatch: full here, half at core-sw1"));
    switch.port("Gi2").speed_bps = Some(100_000_000);
    switch.walk();
    switch.walk();
    assert_eq!(switch.verdict("Gi2"), up(Condition::Warning, "100M of 1G"), "it stays so while it lasts");
}

#[test]
fn a_speed_that_was_not_reached_for_a_week_or_left_with_its_module_is_forgotten() {
    const DAY: Duration = Duration::from_secs(86_400);
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3"]);
    switch.walk();
    for name in ["Gi1", "Gi2"] {
        switch.port(name).speed_bps = Some(100_000_000);
    }
    switch.walk();
    switch.recall(DAY * 4);
    assert_eq!(switch.verdict("Gi1").2, "100M of 1G");
    // Once as fast as before, the week begins anew.
    switch.port("Gi2").speed_bps = Some(1_000_000_000);
    switch.walk();
    switch.port("Gi2").speed_bps = Some(100_000_000);
    switch.walk();
    switch.recall(DAY * 3);
    assert_eq!(switch.verdict("Gi1"), (PortState::Up, Condition::Ok, String::new()));
    assert_eq!(switch.verdict("Gi2").2, "100M of 1G");
    switch.set("Gi3", IfOper::NotPresent);
    switch.walk();
    switch.up("Gi3");
    switch.port("Gi3").speed_bps = Some(100_000_000);
    switch.walk();
    assert_eq!(switch.look("Gi3").fastest, Some(100_000_000), "another module");
}

#[test]
fn a_neighbor_that_says_nothing_of_itself_counts_where_it_is_watched() {
    let mut switch = Switch::new(&["Te1", "Gi1", "Gi2"]);
    for (port, name, forwards) in
        [("Te1", "watched-sw2", None), ("Gi1", "somebody", None), ("Gi2", "watched-phone", Some(false))]
    {
        switch.neighbor(port, name);
        switch.facts(port).neighbors[0].forwards = forwards;
    }
    switch.walk();
    for port in ["Te1", "Gi1", "Gi2"] {
        switch.down(port);
        switch.facts(port).neighbors.clear();
    }
    switch.walk();
    let lost = "lost its link to watched-sw2".to_owned();
    assert_eq!(switch.verdict("Te1"), (PortState::LinkLost, Condition::Critical, lost));
    assert_eq!([switch.look("Gi1").condition, switch.look("Gi2").condition], [Condition::Ok; 2]);
}

#[test]
fn a_clock_that_wrapped_or_an_agent_that_is_new_hushes_no_loss() {
    let end = (1u64 << 32) / 100;
    // By itself; beside a clock that does not wrap; on a machine that went on.
    for (uptime, engine, host_uptime, after) in
        [(end - 30, None, None, None), (end - 30, Some(end - 30), None, None), (86_400, None, Some(900_000), Some(10))]
    {
        let mut switch = Switch::new(&["Te1"]).rules(&[], &["Te1"], &[]);
        switch.device.uptime = Some(Duration::from_secs(uptime - 120));
        switch.device.engine = engine.map(|time| EngineClock { boots: 7, time: Duration::from_secs(time - 120) });
        switch.device.host_uptime = host_uptime.map(Duration::from_secs);
        for _ in 0..3 {
            switch.walk();
        }
        switch.down("Te1");
        switch.pass(MINUTE);
        switch.device.uptime = Some(Duration::from_secs(after.unwrap_or(30)));
        switch.device.host_uptime = host_uptime.map(|up| Duration::from_secs(up + 60));
        switch.walk_after(Duration::ZERO);
        assert_eq!(switch.verdict("Te1"), (PortState::LinkLost, Condition::Critical, "uplink lost its link".into()));
    }
}

#[test]
fn a_port_slower_than_the_device_says_it_can_be_is_told_at_once() {
    let mut switch = Switch::new(&["Gi1", "tun0"]);
    switch.facts("Gi1").capable_bps = Some(10_000_000_000);
    switch.port("tun0").if_type = Some(131);
    switch.walk();
    assert_eq!(switch.verdict("Gi1").2, "1G of 10G");
    switch.port("tun0").speed_bps = Some(10_000_000);
    switch.walk();
    assert_eq!(switch.verdict("tun0").1, Condition::Ok, "a tunnel's speed is made up");
}

#[test]
fn flapping_counts_everywhere_and_sooner_on_ports_of_the_network() {
    let mut switch = Switch::new(&["Gi1", "Te1"]).rules(&[], &["Te1"], &[]);
    switch.walk();
    for round in 1..=3 {
        for oper in [IfOper::Down, IfOper::Up] {
            switch.set("Gi1", oper);
            switch.set("Te1", oper);
            switch.walk();
        }
        let condition = |name| switch.look(name).condition;
        assert_eq!(condition("Te1"), if round > 1 { Condition::Warning } else { Condition::Ok });
        assert_eq!(condition("Gi1"), if round > 2 { Condition::Warning } else { Condition::Ok });
    }
    assert_eq!(switch.verdict("Gi1").2, "6 link changes in the last hour");
    assert_eq!(switch.look("Gi1").flaps_per_hour(), 3);
    switch.walk_after(Duration::from_secs(3600));
    assert_eq!(switch.seen().condition, Condition::Ok);
}

#[test]
fn a_link_that_went_and_came_between_two_walks_is_seen_by_its_last_change() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.port("Gi1").last_change = Some(switch.now.minus(MINUTE * 60));
    switch.walk();
    let when = switch.now.plus(Duration::from_secs(20));
    switch.port("Gi1").last_change = Some(when);
    switch.walk();
    assert_eq!(switch.look("Gi1").flaps.times(), [when, when]);
    // A second of rounding is none.
    switch.port("Gi1").last_change = Some(when.plus(Duration::from_secs(1)));
    switch.walk();
    assert_eq!(switch.look("Gi1").flaps.len(), 2);
}

#[test]
fn the_time_of_a_change_is_the_devices_own_where_it_fits_what_was_seen() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]);
    switch.walk();
    let fits = switch.now.plus(Duration::from_secs(10));
    let old = switch.now.minus(MINUTE * 60);
    for (name, when) in [("Gi1", fits), ("Gi2", old)] {
        switch.port(name).last_change = Some(when);
        switch.down(name);
    }
    switch.walk();
    assert_eq!(switch.look("Gi1").changed, Some(fits));
    assert_eq!(switch.look("Gi2").changed, Some(switch.now), "it had its link after that");
}

#[test]
fn err_disabled_counts_everywhere_with_its_cause() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]);
    let why = |cause: &str, left| Some(ErrDisabled { cause: cause.into(), recovers_in: left });
    switch.facts("Gi1").err_disabled = why("bpduGuard", Some(Duration::from_secs(300)));
    switch.facts("Gi2").err_disabled = why("psecureViolation", None);
    switch.down("Gi1");
    switch.walk();
    let off = (PortState::ErrDisabled, Condition::Critical, "bpduGuard, recovers within 5m".to_owned());
    assert_eq!(switch.verdict("Gi1"), off, "at the first walk too");
    assert_eq!(switch.verdict("Gi2").0, PortState::Up, "what has its link is not switched off");
}

#[test]
fn an_aggregate_that_lost_a_member_is_degraded_and_told_apart_from_one_that_is_down() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3", "Po1"]);
    switch.port("Po1").if_type = Some(161);
    for name in ["Gi1", "Gi2", "Gi3"] {
        switch.member(name, "Po1", true);
    }
    // Never cabled, as in many templates.
    switch.down("Gi3");
    switch.walk();
    assert_eq!(switch.seen().condition, Condition::Ok);
    // The agent forgets the membership with the link.
    switch.down("Gi2");
    switch.facts("Gi2").lag = None;
    switch.port("Po1").speed_bps = Some(500_000_000);
    switch.walk();
    assert_eq!(
        switch.verdict("Gi2"),
        (PortState::LinkLost, Condition::Warning, "lost its link; Po1 goes on without it".into())
    );
    assert_eq!(switch.verdict("Po1"), (PortState::Up, Condition::Warning, "1 of 2 members: Gi2 is link-lost".into()));
    switch.down("Gi1");
    switch.down("Po1");
    switch.walk();
    assert_eq!(
        switch.verdict("Gi1"),
        (PortState::LinkLost, Condition::Critical, "lost its link, and Po1 with it".into())
    );
    assert_eq!(
        switch.verdict("Po1"),
        (PortState::LinkLost, Condition::Critical, "lost its link, because of Gi1 (link-lost)".into())
    );
    assert_eq!(switch.verdict("Gi3").1, Condition::Ok);
    for name in ["Gi1", "Gi2", "Po1"] {
        switch.up(name);
    }
    switch.port("Po1").speed_bps = Some(1_000_000_000);
    switch.member("Gi2", "Po1", false);
    switch.walk();
    assert_eq!(switch.verdict("Gi2"), (PortState::Up, Condition::Warning, "not bundled in Po1".into()));
    assert_eq!(switch.verdict("Po1"), (PortState::Up, Condition::Ok, String::new()));
}

#[test]
fn an_aggregate_whose_members_were_shut_is_no_problem() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Po1"]);
    switch.member("Gi1", "Po1", true);
    switch.member("Gi2", "Po1", true);
    switch.walk();
    for name in ["Gi1", "Gi2"] {
        switch.port(name).admin = Some(IfAdmin::Down);
        switch.down(name);
    }
    switch.set("Po1", IfOper::LowerLayerDown);
    switch.walk();
    assert_eq!(switch.verdict("Po1"), (PortState::LowerLayerDown, Condition::Ok, "because of Gi1 (admin-down)".into()));
}

#[test]
fn lower_layer_down_blames_what_it_stands_on_through_two_layers() {
    let mut switch = Switch::new(&["Gi1", "Po1", "Vl10", "Vl20"]).rules(&[], &["Vl*"], &[]);
    switch.member("Gi1", "Po1", true);
    let po = switch.port("Po1").index;
    switch.facts("Vl10").lower = vec![po];
    switch.walk();
    switch.down("Gi1");
    for name in ["Po1", "Vl10", "Vl20"] {
        switch.set(name, IfOper::LowerLayerDown);
    }
    switch.walk();
    assert_eq!(switch.look("Gi1").condition, Condition::Critical);
    assert_eq!(
        switch.verdict("Po1"),
        (PortState::LowerLayerDown, Condition::Critical, "because of Gi1 (link-lost)".into())
    );
    assert_eq!(
        switch.verdict("Vl10"),
        (PortState::LowerLayerDown, Condition::Ok, "because of Po1 (lower-layer-down)".into())
    );
    assert_eq!(switch.verdict("Vl20").1, Condition::Critical, "nothing below is to blame");
}

#[test]
fn interfaces_that_stand_on_each_other_in_a_circle_end() {
    let mut switch = Switch::new(&["a", "b"]);
    switch.facts("a").lower = vec![2, 1];
    switch.facts("b").lower = vec![1, 99];
    switch.walk();
    switch.set("a", IfOper::LowerLayerDown);
    switch.set("b", IfOper::LowerLayerDown);
    switch.walk();
    assert_eq!(switch.verdict("a").2, "because of b (lower-layer-down)");
}

#[test]
fn spanning_tree_blocks_second_paths_silently_and_access_ports_not() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3"]);
    switch.neighbor("Gi1", "core");
    for name in ["Gi1", "Gi2"] {
        switch.facts(name).stp = Some(StpState::Forwarding);
    }
    switch.facts("Gi3").stp = Some(StpState::Blocking);
    switch.walk();
    for name in ["Gi1", "Gi2"] {
        switch.facts(name).stp = Some(StpState::Blocking);
    }
    switch.walk();
    let blocked = "blocked by spanning tree".to_owned();
    assert_eq!(switch.verdict("Gi1"), (PortState::Up, Condition::Ok, blocked.clone()));
    assert_eq!(switch.verdict("Gi2"), (PortState::Up, Condition::Warning, blocked.clone()));
    assert_eq!(switch.verdict("Gi3"), (PortState::Up, Condition::Ok, blocked), "as the first walk found it");
}

#[test]
fn a_module_that_is_pulled_is_a_problem_and_an_empty_bay_is_none() {
    let mut switch = Switch::new(&["Te1", "Te2", "Te3"]).rules(&[], &["Te2"], &[]);
    switch.set("Te3", IfOper::NotPresent);
    switch.walk();
    switch.set("Te1", IfOper::NotPresent);
    switch.set("Te2", IfOper::NotPresent);
    switch.walk();
    let gone = |condition| (PortState::MissingModule, condition, "the module is gone".to_owned());
    assert_eq!(switch.verdict("Te1"), gone(Condition::Warning));
    assert_eq!(switch.verdict("Te2"), gone(Condition::Critical));
    assert_eq!(switch.verdict("Te3"), (PortState::MissingModule, Condition::Ok, String::new()));
}

#[test]
fn dormant_and_unknown_count_only_where_the_port_is_needed() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]).rules(&[], &["Gi2"], &[]);
    switch.walk();
    for (oper, condition) in [
        (IfOper::Dormant, Condition::Warning),
        (IfOper::Unknown, Condition::Unknown),
        (IfOper::Testing, Condition::Unknown),
    ] {
        switch.set("Gi1", oper);
        switch.set("Gi2", oper);
        switch.walk();
        assert_eq!(
            (switch.look("Gi1").condition, switch.look("Gi2").condition),
            (Condition::Ok, condition),
            "{oper:?}"
        );
    }
}

#[test]
fn rates_come_from_the_agents_clock() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.walk();
    switch.port("Gi1").counters.set(Counter::InOctets, Some(1_000 + 60 * 125));
    // Ours was late by half a minute, the device's was not.
    switch.now = switch.now.plus(Duration::from_secs(30));
    switch.walk();
    let port = switch.look("Gi1");
    assert_eq!((port.rates.in_bps(), port.rates.out_bps(), port.gap), (Some(1000.0), Some(0.0), None));
    assert_eq!(port.rates.utilisation(Some(1_000_000_000)), (Some(1e-6), Some(0.0)));
    assert_eq!(port.rates.utilisation(None), (None, None));
}

#[test]
fn a_walk_a_moment_later_keeps_the_rates() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.walk();
    switch.port("Gi1").counters.set(Counter::InOctets, Some(1_000 + 60 * 125));
    switch.walk();
    // The agent has not counted on yet.
    for time in [Duration::from_millis(300), Duration::from_secs(2)] {
        switch.walk_after(time);
        assert_eq!((switch.look("Gi1").rates.in_bps(), switch.look("Gi1").gap), (Some(1000.0), None));
    }
    // And what it counted since is spread over the whole time, not over the rest of it.
    switch.port("Gi1").counters.set(Counter::InOctets, Some(1_000 + 120 * 125));
    switch.walk_after(Duration::from_millis(57_700));
    assert_eq!((switch.look("Gi1").rates.in_bps(), switch.look("Gi1").gap), (Some(1000.0), None));
    assert_eq!(switch.seen().counted_from, None);
}

#[test]
fn walks_every_few_seconds_have_rates_every_few_walks() {
    let mut switch = Switch::new(&["Gi1"]);
    let mut rates = Vec::new();
    for second in (0..=16).step_by(4) {
        switch.port("Gi1").counters.set(Counter::InOctets, Some(second * second * 1_000));
        switch.walk_after(Duration::from_secs(4));
        rates.push(switch.look("Gi1").rates.in_bps());
    }
    assert_eq!(rates, [None, None, Some(64_000.0), Some(64_000.0), Some(192_000.0)]);
}

#[test]
fn a_restart_between_two_quick_walks_is_no_negative_rate() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.walk();
    switch.walk_after(Duration::from_secs(2));
    switch.device.uptime = Some(Duration::from_secs(1));
    switch.port("Gi1").counters.set(Counter::InOctets, Some(7));
    switch.walk_after(Duration::from_secs(4));
    assert_eq!((switch.look("Gi1").gap, &switch.seen().counted_from), (Some(Gap::DeviceRestarted), &None));
}

#[test]
fn a_reset_a_jump_or_a_discontinuity_is_a_gap_not_a_spike() {
    for (octets, discontinuity, gap) in
        [(5, Some(7), Gap::Reset), (u64::MAX / 2, Some(7), Gap::Jumped), (1_000, Some(8), Gap::Discontinuity)]
    {
        let mut switch = Switch::new(&["Gi1"]);
        switch.port("Gi1").counters.set_discontinuity(Some(7));
        switch.walk();
        switch.port("Gi1").counters.set(Counter::InOctets, Some(octets));
        switch.port("Gi1").counters.set_discontinuity(discontinuity);
        switch.walk();
        assert_eq!((switch.look("Gi1").rates.in_bps(), switch.look("Gi1").gap), (None, Some(gap)));
        switch.walk();
        assert_eq!(
            (switch.look("Gi1").rates.in_bps(), switch.look("Gi1").gap),
            (Some(0.0), None),
            "and then it goes on"
        );
    }
}

#[test]
fn errors_are_a_problem_when_they_last_and_their_end_too() {
    let mut switch = Switch::new(&["Gi1"]);
    let mut sent = (0, 0);
    let mut walk = |switch: &mut Switch, errors: u64, packets: u64| {
        sent = (sent.0 + errors, sent.1 + packets);
        switch.port("Gi1").counters.set(Counter::InErrors, Some(sent.0));
        switch.packets = vec![PortPackets { index: 1, received: Some(sent.1), sent: Some(0), quiet: 0 }];
        switch.walk();
        switch.verdict("Gi1")
    };
    let up = |condition, reason: &str| (PortState::Up, condition, reason.to_owned());
    assert_eq!(walk(&mut switch, 50, 10_000), up(Condition::Ok, ""));
    assert_eq!(walk(&mut switch, 50, 10_000), up(Condition::Ok, ""), "once is nothing");
    assert_eq!(walk(&mut switch, 50, 10_000), up(Condition::Critical, "errors in: 0.5 % of packets"));
    assert_eq!(walk(&mut switch, 5, 24_995), up(Condition::Warning, "errors in: 0.02 % of packets"));
    assert_eq!(walk(&mut switch, 0, 10_000), up(Condition::Warning, "errors until a moment ago"));
    assert_eq!(walk(&mut switch, 0, 10_000), up(Condition::Warning, "errors until a moment ago"));
    assert_eq!(walk(&mut switch, 0, 10_000), up(Condition::Ok, ""));
    // A clear link of many packets has some errors.
    for _ in 0..5 {
        assert_eq!(walk(&mut switch, 50, 10_000_000), up(Condition::Ok, ""));
    }
}

#[test]
fn a_restart_gives_no_rates_no_flaps_and_no_alarm_before_the_links_are_back() {
    let mut switch = Switch::new(&["Te1", "Gi1"]).rules(&[], &["Te1"], &[]);
    switch.device.engine = Some(EngineClock { boots: 7, time: Duration::from_secs(86_400) });
    switch.walk();
    switch.restart(Duration::from_secs(90));
    switch.device.engine = Some(EngineClock { boots: 8, time: Duration::from_secs(30) });
    switch.down("Te1");
    let view = switch.walk();
    assert!(view.rebooted);
    assert_eq!(switch.look("Gi1").gap, Some(Gap::DeviceRestarted));
    assert_eq!(switch.look("Gi1").rates, Rates::default());
    assert!(switch.look("Te1").flaps.is_empty());
    let waits = "uplink lost its link, the device has just started";
    assert_eq!(switch.verdict("Te1"), (PortState::LinkLost, Condition::Ok, waits.into()));
    assert_eq!(switch.changes(), ["the device was restarted", "Te1 up → link-lost"]);
    switch.walk();
    assert!(!switch.seen().rebooted);
    assert_eq!(switch.look("Te1").condition, Condition::Critical, "two minutes later it is one");
}

#[test]
fn a_loss_from_before_the_restart_is_not_hushed_by_it() {
    let mut switch = Switch::new(&["Te1"]).rules(&[], &["Te1"], &[]);
    switch.walk();
    switch.down("Te1");
    for _ in 0..5 {
        switch.walk();
    }
    switch.restart(Duration::from_secs(30));
    switch.walk();
    assert_eq!(switch.look("Te1").condition, Condition::Critical);
}

#[test]
fn an_agent_that_starts_anew_leaves_the_links_as_they_are() {
    let mut switch = Switch::new(&["Te1"]).rules(&[], &["Te1"], &[]);
    switch.device.host_uptime = Some(Duration::from_secs(9_000_000));
    switch.walk();
    switch.restart(Duration::from_secs(10));
    switch.device.host_uptime = Some(Duration::from_secs(9_000_060));
    let view = switch.walk();
    assert!(!view.rebooted);
    assert_eq!(switch.look("Te1").gap, Some(Gap::AgentRestarted));
    assert_eq!(switch.changes(), ["the agent was restarted"]);
}

#[test]
fn a_renumbered_port_keeps_its_history_and_its_key() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]);
    switch.neighbor("Gi2", "core");
    switch.walk();
    switch.down("Gi1");
    switch.walk();
    let (lost, first_seen) = (switch.look("Gi1").changed, switch.look("Gi1").first_seen);
    let key = switch.seen().key(switch.row("Gi2")).expect("a key");
    // A restart, and other numbers.
    switch.restart(Duration::from_secs(600));
    switch.equipment = Equipment::default();
    switch.ports = vec![port(5, "Gi2"), port(9, "Gi1"), port(12, "Gi3")];
    switch.down("Gi1");
    switch.neighbor("Gi2", "core");
    switch.walk();
    assert_eq!((switch.look("Gi1").changed, switch.look("Gi1").first_seen), (lost, first_seen));
    assert_eq!(switch.look("Gi1").state, PortState::LinkLost);
    assert_eq!(switch.seen().row(&key), Some(0));
    assert_eq!(switch.look("Gi3").gap, Some(Gap::FirstSeen));
    assert_eq!(switch.changes()[..2], ["the device was restarted", "Gi3 appeared"]);
    switch.walk();
    assert_eq!((switch.look("Gi1").gap, switch.look("Gi3").gap), (None, None));
}

#[test]
fn double_names_are_not_guessed_after_a_renumbering() {
    let mut switch = Switch::new(&["x", "x"]);
    switch.walk();
    switch.ports[0].oper = Some(IfOper::Down);
    switch.walk();
    assert_eq!(switch.seen().ports[0].state, PortState::LinkLost);
    switch.restart(Duration::from_secs(600));
    switch.ports = vec![port(7, "x"), port(8, "x")];
    switch.ports[1].oper = Some(IfOper::Down);
    switch.walk();
    let states: Vec<PortState> = switch.seen().ports.iter().map(|p| p.state).collect();
    assert_eq!(states, [PortState::Up, PortState::NoLink]);
    assert!(switch.seen().ports.iter().all(|p| p.is_weak() && p.gap == Some(Gap::FirstSeen)));
}

#[test]
fn a_device_without_a_clock_has_the_ports_it_had() {
    let mut switch = Switch::new(&["", "x", "x"]);
    switch.device.uptime = None;
    switch.walk();
    switch.walk();
    assert!(switch.seen().events.is_empty() && switch.seen().absent.is_empty());
    assert!(switch.seen().ports.iter().all(|p| p.gap == Some(Gap::NoClock)));
}

#[test]
fn a_lost_stack_member_is_one_problem_and_comes_back_with_its_history() {
    let names: Vec<String> = (1..=2).flat_map(|unit| (1..=24).map(move |n| format!("Gi{unit}/0/{n}"))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut switch = Switch::new(&names);
    switch.walk();
    switch.down("Gi2/0/7");
    switch.walk();
    let lost_at = switch.look("Gi2/0/7").changed;
    let member: Vec<Port> = switch.ports.drain(24..).collect();
    let view = switch.walk();
    assert_eq!(view.condition, Condition::Critical);
    let missing = view.missing.clone().expect("ports are missing");
    assert_eq!(&*missing.reason, "24 ports are gone, 23 of them were up: Gi2/0/1 to Gi2/0/24");
    assert_eq!(switch.changes()[0], "24 ports are gone at once");
    assert_eq!(switch.seen().ports.len(), 24);
    let before = switch.seen().absent.clone();
    switch.walk();
    assert!(Arc::ptr_eq(&before, &switch.seen().absent), "nothing new");
    assert_eq!(switch.seen().missing.as_ref(), Some(&missing));
    switch.ports.extend(member);
    let view = switch.walk();
    assert_eq!((view.condition, view.absent.len()), (Condition::Ok, 0));
    assert_eq!(switch.look("Gi2/0/7").state, PortState::LinkLost, "it is remembered");
    assert_eq!(switch.look("Gi2/0/7").changed, lost_at);
    assert_eq!(switch.changes()[0], "24 ports appeared at once");
}

#[test]
fn a_lost_port_of_the_network_is_a_problem_and_lost_containers_are_none() {
    let mut switch = Switch::new(&["eth0", "eth1", "veth1", "veth2", "veth3", "veth4", "veth5"]);
    switch.neighbor("eth1", "core");
    switch.walk();
    switch.ports.retain(|p| !p.name.as_bytes().starts_with(b"veth"));
    let view = switch.walk();
    assert_eq!((view.condition, &view.missing), (Condition::Ok, &None));
    assert_eq!(switch.seen().events.len(), 5);
    switch.ports.truncate(1);
    switch.walk();
    assert_eq!(switch.seen().missing.as_ref().map(|m| &*m.reason), Some("eth1 is gone"));
    // After a day it was meant so.
    switch.walk_after(Duration::from_secs(86_400));
    assert_eq!(switch.seen().missing, None);
}

#[test]
fn a_walk_that_broke_off_loses_nothing() {
    let mut switch = Switch::new(&["Gi1/1", "Gi1/2", "Gi1/3", "Gi1/4", "Gi1/5"]);
    switch.walk();
    switch.down("Gi1/5");
    switch.walk();
    let all = switch.ports.clone();
    switch.ports.truncate(1);
    switch.complete = false;
    let view = switch.walk();
    assert_eq!((view.condition, view.absent.len()), (Condition::Ok, 4));
    assert_eq!(switch.changes().len(), 1, "only the lost link");
    switch.ports = all;
    switch.complete = true;
    switch.walk();
    assert_eq!(switch.look("Gi1/5").state, PortState::LinkLost);
    assert_eq!(switch.look("Gi1/2").gap, Some(Gap::FirstWalk));
    assert_eq!(switch.seen().absent.len(), 0);
}

#[test]
fn a_device_that_boots_has_not_lost_its_modules() {
    let mut switch = Switch::new(&["Gi1/1", "Gi2/1", "Gi2/2", "Gi2/3", "Gi2/4"]);
    switch.walk();
    let all = switch.ports.clone();
    switch.restart(Duration::from_secs(100));
    switch.ports.truncate(1);
    switch.walk();
    assert_eq!((&switch.seen().missing, switch.seen().absent.len()), (&None, 4));
    for _ in 0..4 {
        switch.walk();
    }
    assert!(switch.seen().missing.is_some(), "but five minutes are enough");
    switch.ports = all;
    assert_eq!(switch.walk().missing, None);
}

#[test]
fn an_agent_without_its_tables_says_nothing_about_ports() {
    let mut switch = Switch::new(&["Gi1/1", "Gi1/2", "Gi1/3", "Gi1/4"]);
    switch.walk();
    let all = std::mem::take(&mut switch.ports);
    assert_eq!(switch.walk().missing, None);
    assert!(switch.seen().absent.iter().all(|gone| !gone.gone));
    switch.ports = all;
    assert_eq!(switch.walk().up, 4);
}

#[test]
fn a_device_that_invents_names_fills_no_memory() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.walk();
    for round in 0..40u32 {
        switch.ports = (0..50).map(|n| port(n + 1, &format!("x{round}/{n}"))).collect();
        switch.walk();
    }
    assert!(switch.seen().absent.len() <= 512);
    assert_eq!(switch.seen().events.len(), 64);
}

#[test]
fn what_is_known_survives_a_restart_of_noctty() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3", "Gi4"]);
    switch.device.engine = Some(EngineClock { boots: 7, time: Duration::from_secs(86_400) });
    switch.neighbor("Gi1", "core");
    switch.down("Gi4");
    switch.walk();
    let watched_since = switch.now;
    switch.down("Gi2");
    switch.walk();
    let lost = switch.look("Gi2").changed;
    // While noctty is away the uplink and another port lose their links, and LLDP forgets.
    switch.equipment = Equipment::default();
    switch.down("Gi1");
    switch.down("Gi3");
    switch.port("Gi3").last_change = Some(switch.now.plus(MINUTE * 30));
    let view = switch.recall(Duration::from_secs(5 * 3600));
    assert_eq!(view.condition, Condition::Critical);
    assert_eq!(switch.verdict("Gi1").2, "lost its link to core");
    assert_eq!((switch.look("Gi2").changed, switch.look("Gi2").state), (lost, PortState::LinkLost));
    assert_eq!(switch.look("Gi3").changed, switch.port_change("Gi3"));
    assert_eq!(switch.look("Gi4").state, PortState::NoLink);
    assert_eq!(switch.look("Gi4").first_seen, watched_since);
    assert_eq!(switch.look("Gi1").gap, Some(Gap::FirstWalk));
    assert!(!switch.seen().rebooted);
    assert_eq!(switch.changes(), ["Gi1 up → link-lost", "Gi3 up → link-lost", "Gi2 up → link-lost"]);
    switch.walk();
    assert_eq!(switch.look("Gi1").gap, None);
}

impl Switch {
    fn port_change(&self, name: &str) -> Option<Timestamp> {
        self.seen().table.ports[self.row(name)].last_change
    }
}

#[test]
fn a_restart_of_the_device_while_noctty_was_away_is_told() {
    let mut switch = Switch::new(&["Gi1", ""]);
    switch.device.engine = Some(EngineClock { boots: 7, time: Duration::from_secs(86_400) });
    switch.ports[1].oper = Some(IfOper::Up);
    switch.walk();
    switch.device.engine = Some(EngineClock { boots: 8, time: Duration::ZERO });
    switch.device.uptime = Some(Duration::ZERO);
    switch.ports[1].oper = Some(IfOper::Down);
    let view = switch.recall(Duration::from_secs(5 * 3600));
    assert!(view.rebooted);
    assert_eq!(view.ports[1].state, PortState::NoLink, "the port without a name may be another one now");
    assert!(switch.changes().contains(&"the device was restarted".to_owned()));
}

#[test]
fn a_stack_member_lost_while_noctty_was_away_is_missed_where_the_network_needs_it() {
    let mut switch = Switch::new(&["Gi1/0/1", "Gi2/0/1", "Gi2/0/2"]);
    switch.neighbor("Gi2/0/1", "core");
    switch.walk();
    switch.ports.truncate(1);
    switch.equipment = Equipment::default();
    switch.recall(Duration::from_secs(3600));
    assert_eq!(switch.seen().missing.as_ref().map(|m| &*m.reason), Some("Gi2/0/1 is gone"));
    assert_eq!(switch.changes(), ["Gi2/0/1 gone", "Gi2/0/2 gone"]);
    // Told once.
    switch.recall(Duration::from_secs(3600));
    assert_eq!(switch.changes().len(), 2);
    assert!(switch.seen().missing.is_some());
}

#[test]
fn free_ports_are_told_by_how_long_at_least() {
    let mut switch = Switch::new(&["Gi1", "Gi2", "Gi3", "Gi4"]);
    for name in ["Gi1", "Gi2", "Gi4"] {
        switch.down(name);
    }
    let long_ago = switch.now.minus(Duration::from_secs(30 * 3600));
    switch.port("Gi1").as_started = true;
    switch.port("Gi2").last_change = Some(long_ago);
    switch.walk();
    let start = switch.now;
    let idle = |switch: &Switch, name| switch.seen().idle_since(switch.row(name));
    assert_eq!(idle(&switch, "Gi1"), Some(start.minus(Duration::from_secs(86_400))), "since the device started");
    assert_eq!(idle(&switch, "Gi2"), Some(long_ago));
    assert_eq!(idle(&switch, "Gi3"), None);
    assert_eq!(idle(&switch, "Gi4"), Some(start), "since it is watched");
    // Restarts of the device and of noctty forget nothing.
    switch.recall(MINUTE);
    switch.device.uptime = Some(Duration::ZERO);
    switch.port("Gi4").as_started = true;
    switch.recall(Duration::from_secs(86_400));
    assert_eq!(idle(&switch, "Gi4"), Some(start));
    // A port that lost its link long ago and that nobody needs is free.
    switch.down("Gi3");
    switch.walk();
    let lost = switch.look("Gi3").changed;
    switch.walk_after(Duration::from_secs(8 * 86_400));
    assert_eq!((switch.look("Gi3").state, switch.look("Gi3").changed), (PortState::NoLink, lost));
    assert_eq!(idle(&switch, "Gi3"), lost);
    assert_eq!(switch.changes()[0], "Gi3 up → link-lost", "growing old is no event");
}

#[test]
fn many_changes_at_once_are_one_event() {
    let names: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut switch = Switch::new(&names);
    switch.walk();
    for name in &names {
        switch.down(name);
    }
    switch.walk();
    assert_eq!(switch.changes(), ["40 ports changed at once"]);
    assert_eq!(switch.seen().events[0].change, PortChange::ManyChanged(40));
}

#[test]
fn a_port_that_stays_as_it_is_allocates_nothing_new_and_need_not_be_stored() {
    let mut switch = Switch::new(&["Gi1", "Gi2"]);
    switch.port("Gi1").duplex = Some(Duplex::Half);
    switch.neighbor("Gi2", "core");
    switch.walk();
    let first = switch.seen().clone();
    switch.walk();
    let second = switch.seen();
    let reason = |view: &DeviceView| view.ports[0].reason.clone().expect("a reason");
    assert!(Arc::ptr_eq(&reason(&first), &reason(second)));
    let ties = |view: &DeviceView| view.ports[1].ties.clone().expect("ties");
    assert!(Arc::ptr_eq(&ties(&first), &ties(second)));
    assert!(Arc::ptr_eq(&first.events, &second.events) && Arc::ptr_eq(&first.absent, &second.absent));
    assert!(!worth_remembering(&first, second));
    switch.down("Gi1");
    switch.walk();
    assert!(worth_remembering(&first, switch.seen()));
}

#[test]
fn names_from_elsewhere_are_harmless_in_reasons() {
    let mut switch = Switch::new(&["Gi1"]);
    switch.neighbor("Gi1", "co\u{1b}[2Jre\u{202e}");
    switch.walk();
    switch.down("Gi1");
    switch.walk();
    let reason = switch.verdict("Gi1").2;
    assert!(!reason.contains('\u{1b}') && !reason.contains('\u{202e}'), "{reason:?}");
    assert!(reason.starts_with("lost its link to co"));
}

#[test]
fn a_port_takes_no_more_than_its_share_of_memory() {
    assert!(size_of::<PortView>() <= 150, "{}", size_of::<PortView>());
}
